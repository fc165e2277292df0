"""`fink rotate`: a new password for a KafkaUser, now."""

from __future__ import annotations

import asyncio
import sys
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import click

from fink_distribution.errors import ReconcileError
from fink_distribution.resources.conditions import condition, is_ready
from fink_distribution.resources.keys import API_VERSION, Kind
from fink_distribution.resources.rotation import ROTATE_ANNOTATION, RotationState

if TYPE_CHECKING:
    from fink_distribution.cluster.api import Cluster

EXIT_REFUSED = 1
EXIT_TIMEOUT = 3

_POLL_SECONDS = 0.5
_REQUEST_SECONDS = 30

_EPILOG = """\b
Examples:
  fink rotate community -n ztf              a new password; the old one works for spec.rotation.graceSeconds (a day)
  fink rotate community -n ztf --wait       ... and wait until the Secret has it
  kubectl -n ztf get kuser community -o jsonpath='{.status.rotation}'     how far it is

Exit status: 0 asked for (with --wait: done), 1 refused, 3 not done in time.
"""


@click.command(epilog=_EPILOG)
@click.argument("name")
@click.option("-n", "--namespace", required=True, help="The namespace of the KafkaUser.")
@click.option(
    "--kubeconfig", type=click.Path(exists=True, dir_okay=False), help="Instead of $KUBECONFIG or ~/.kube/config."
)
@click.option("--wait", is_flag=True, help="Wait until the Secret has the new password.")
@click.option("--timeout", type=click.IntRange(1), default=120, show_default=True, help="Seconds to wait.")
def rotate(name: str, namespace: str, kubeconfig: str | None, *, wait: bool, timeout: int) -> None:
    """Give the KafkaUser NAME a new password, by way of its annotation distribution.fink-broker.org/rotate.

    The operator writes the new password beside the old one, by the other SCRAM mechanism, and puts it into the Secret. Clients that
    have read the Secret before go on until the grace time has passed.
    """
    sys.exit(asyncio.run(_rotate(name, namespace, kubeconfig, timeout if wait else None)))


async def _rotate(name: str, namespace: str, kubeconfig: str | None, patience: int | None) -> int:
    # The Kubernetes client takes a second to import, which `fink --help` need not pay.
    from fink_distribution.cluster.api import AlreadyExists, Cluster, Gone

    async with Cluster.connect(_REQUEST_SECONDS, kubeconfig) as cluster:
        try:
            return await _request(cluster, name, namespace, patience)
        except (ReconcileError, AlreadyExists, Gone) as error:
            click.echo(f"KafkaUser {namespace}/{name}: {error}", err=True)
            return EXIT_REFUSED


async def _request(cluster: Cluster, name: str, namespace: str, patience: int | None) -> int:
    body = await cluster.get(API_VERSION, Kind.KAFKA_USER, namespace, name)
    problem = _problem(body)
    if body is None or problem is not None:
        click.echo(f"KafkaUser {namespace}/{name} {problem}", err=True)
        return EXIT_REFUSED
    value = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    await cluster.merge(body, {"metadata": {"annotations": {ROTATE_ANNOTATION: value}}})
    if patience is None:
        click.echo(f"KafkaUser {namespace}/{name}: a new password is asked for.")
        return 0
    return await _wait(cluster, name, namespace, value, patience)


def _problem(body: dict[str, Any] | None) -> str | None:
    if body is None:
        return "does not exist; `kubectl get kuser -A` lists all."
    if (source := (body["spec"].get("authentication") or {}).get("passwordSecretRef")) is not None:
        return f"takes its password from Secret {source['name']}, so it is changed there, not here."
    if body["spec"].get("mode", "Enforce") != "Enforce":
        return f"has mode {body['spec']['mode']}, which changes nothing."
    return None


async def _wait(cluster: Cluster, name: str, namespace: str, value: str, patience: int) -> int:
    body: dict[str, Any] | None = None
    try:
        async with asyncio.timeout(patience):
            while True:
                body = await cluster.get(API_VERSION, Kind.KAFKA_USER, namespace, name)
                if body is None or _is_done(body, value):
                    break
                await asyncio.sleep(_POLL_SECONDS)
    except TimeoutError:
        ready = condition(body or {}, "Ready") or {}
        said = ready.get("message", "the operator has said nothing about it")
        click.echo(f"KafkaUser {namespace}/{name}: not rotated after {patience} s: {said}", err=True)
        return EXIT_TIMEOUT
    if body is None:
        click.echo(f"KafkaUser {namespace}/{name} was deleted meanwhile.", err=True)
        return EXIT_REFUSED
    click.echo(f"KafkaUser {namespace}/{name}: {(condition(body, 'Ready') or {}).get('message', '')}")
    return 0


def _is_done(body: dict[str, Any], value: str) -> bool:
    state = RotationState.of((body.get("status") or {}).get("rotation") or {})
    return state.request == value and not state.is_preparing and is_ready(body)
