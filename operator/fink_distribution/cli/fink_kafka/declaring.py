"""What the options of a service ask for, as the manifest that asks for the same."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypeVar

import click

from fink_distribution.cli.fink_kafka.exits import Exit, Problem, contradiction
from fink_distribution.manifests.exporting import Manifest, Target
from fink_distribution.manifests.folding import why_not
from fink_distribution.manifests.naming import kubernetes_names
from fink_distribution.manifests.writing import stream
from fink_distribution.resources import kafka_acl
from fink_distribution.resources.kafka_acl import Binding
from fink_distribution.resources.keys import Kind

F = TypeVar("F", bound=Callable[..., Any])
_ADOPT = {"adoptionPolicy": "Adopt"}
_NAMESPACE = "default"


def manifest_options(command: F) -> F:
    """Add the options that print a manifest in place of doing what it says."""
    output = click.option(
        "-o",
        "--output",
        type=click.Choice(["yaml"]),
        help="Do nothing; print the manifest by which the operator does the same.",
    )
    namespace = click.option("-n", "--namespace", help="With -o yaml, the namespace to write into the manifest.")
    return output(namespace(command))


def refuse_yaml_of_removal(output: str | None, option: str, resource: str) -> None:
    """Refuse to print a manifest of what is to go: there is none."""
    if output is not None:
        raise contradiction(
            f"{option} and -o {output}: no manifest removes anything. What a manifest made goes with kubectl delete {resource}."
        )


def topic_manifest(name: str, partitions: int | None, replicas: int | None, namespace: str | None = None) -> Manifest:
    """Return the AlertTopic."""
    problem = why_not(Binding("Topic", name, "Literal", "Read", "*"))
    if problem or name == "*":
        raise Problem(
            Exit.MISUSED,
            f'{name}: {problem or "no topic can have this name"}. Letters, digits, ".", "_" and "-" are allowed.',
        )
    resource = _resource_name(name)
    sizes = {"partitions": partitions, "replicationFactor": replicas}
    spec = {
        **({} if resource == name else {"topicName": name}),
        **{field: number for field, number in sizes.items() if number is not None},
        **_ADOPT,
    }
    return checked(Target(namespace).manifest(Kind.ALERT_TOPIC, resource, spec))


def user_manifest(user: str, *, is_brought: bool = False, namespace: str | None = None) -> Manifest:
    """Return the KafkaUser.

    Parameters
    ----------
    is_brought
        Whether the password comes from a Secret that somebody makes; else the operator makes one.
    """
    resource = _resource_name(user)
    source = {"passwordSecretRef": {"name": password_secret(user)}} if is_brought else {}
    spec = {
        **({} if resource == user else {"userName": user}),
        "authentication": {"type": "ScramSha512", **source},
        **_ADOPT,
    }
    return checked(Target(namespace).manifest(Kind.KAFKA_USER, resource, spec))


def password_secret(user: str) -> str:
    """Return the name of the Secret for a password that is brought."""
    return f"{_resource_name(user)}-password"


def acl_manifest(
    user: str,
    topics: Sequence[str],
    group: str | None,
    *,
    produces: bool,
    host: str | None,
    namespace: str | None = None,
) -> Manifest:
    """Return the KafkaAcl of a consumer, a producer or both; what it may do is named in its own name, so that two do not collide."""

    def named() -> list[dict[str, str]]:
        return [{"name": topic} for topic in topics]

    spec = {
        "userRef": {"name": _resource_name(user)},
        **({} if host is None else {"host": host}),
        **({} if group is None else {"consumer": {"topics": named(), "group": {"name": group}}}),
        **({"producer": {"topics": named()}} if produces else {}),
        **_ADOPT,
    }
    parts = [
        user,
        *topics,
        *([] if group is None else [group]),
        *(["producer"] if produces else []),
        *([host] if host else []),
    ]
    manifest = checked(Target(namespace).manifest(Kind.KAFKA_ACL, _resource_name("-".join(parts)), spec))
    for each in sorted(bindings(manifest)):
        if problem := why_not(each):
            raise Problem(Exit.MISUSED, f"{each.resource_type} {each.resource_name} from {each.host}: {problem}.")
    return manifest


def bindings(manifest: Manifest) -> frozenset[Binding]:
    """Return what a KafkaAcl expands to, as the operator expands it; it names topics by their names in Kafka."""
    body = {**manifest, "metadata": {"namespace": _NAMESPACE, **manifest["metadata"]}}
    return kafka_acl.bindings(body, lambda key: key.name)


def print_manifest(manifest: Manifest, remarks: Sequence[str] = ()) -> None:
    """Print a manifest to be applied."""
    click.echo(stream([manifest], remarks), nl=False)


def _resource_name(name: str) -> str:
    return kubernetes_names([name])[name]


def checked(manifest: Manifest) -> Manifest:
    """Return the manifest. Raises Problem when it is not as the schema of its kind says."""
    # jsonschema takes long to import, and what only looks needs none.
    from fink_distribution.manifests.problems import Origin
    from fink_distribution.manifests.reading import Document
    from fink_distribution.manifests.schemas import check

    problems = check(Document(Origin("-", 1), manifest))
    if problems:
        raise Problem(Exit.MISUSED, "\n".join(f"{each.what}: {each.path}: {each.message}" for each in problems))
    return manifest
