"""How fast, and at what cost, the operator brings many resources to their declared state.

    make bench-reconcile N=1000                     topics, then users with 3 ACLs each, then both
    make bench-reconcile N=100 FAMILIES=topics
    make bench-reconcile N=1000 OUT=reconcile.json  the table as a list of rows as well

It uses the testbed's Kafka and Kubernetes API (LEVEL=api) and an operator process with the default settings.
"""

from __future__ import annotations

import asyncio
import json
import secrets
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

import click
from rich.console import Console
from rich.table import Table

from reconcile.cases import TOPICS, USERS, Bench, Row
from reconcile.floor import floor
from reconcile.load import Load
from reconcile.operator_process import OperatorProcess
from testbed import ports, usage
from testbed.commands import run
from testbed.environment import Environment, properties

CRDS = Path(__file__).parents[2] / "crds"
HEADINGS = ("case", "n", "seconds", "p50_ms", "p99_ms", "peak_rss_mib", "cpu_s")
PASS_SECONDS = 5.0
ALONE = {"topics": TOPICS, "users": USERS}

Report = Callable[[Row], None]


@click.command(help=__doc__, context_settings={"help_option_names": ["-h", "--help"]})
@click.option("-n", "number", default=1000, show_default=True, help="How many of each.")
@click.option("--families", default="topics,users,both", show_default=True, help="Which, separated by commas.")
@click.option("--log", type=click.Path(path_type=Path), help="Keep the operator's log in this file.")
@click.option("--out", type=click.Path(path_type=Path), help="Write the rows as JSON to this file.")
def main(number: int, families: str, log: Path | None, out: Path | None) -> None:
    """Run the cases and print the table."""
    use = usage.use("api")
    rows: list[Row] = []
    console = Console()

    def report(row: Row) -> None:
        rows.append(row)
        console.print("  ".join(f"{heading}={value}" for heading, value in row.to_dict().items() if value is not None))

    try:
        for family in families.split(","):
            asyncio.run(_family(use.environment, family.strip(), number, report, log))
    finally:
        use.release()
    table = Table(*HEADINGS, box=None, pad_edge=False)
    for row in rows:
        table.add_row(*("" if value is None else str(value) for value in row.to_dict().values()))
    console.print(table)
    if out is not None:
        out.write_text(json.dumps([row.to_dict() for row in rows], indent=2) + "\n")


async def _family(environment: Environment, family: str, number: int, report: Report, kept_log: Path | None) -> None:
    if family not in (*ALONE, "both"):
        sys.exit(f"{family}: no such family; there are: {', '.join((*ALONE, 'both'))}")
    namespace = f"bench{secrets.token_hex(3)}"
    with tempfile.TemporaryDirectory() as folder:
        log = kept_log or Path(folder) / "operator.log"
        kubectl = [str(environment.kubectl), "--kubeconfig", str(environment.kubeconfig)]
        run([*kubectl, "apply", "--server-side", "--force-conflicts", "-f", str(CRDS)])
        namespaces = (namespace, f"{namespace}-home")
        for name in namespaces:
            run([*kubectl, "create", "namespace", name])
        _connection(kubectl, environment, f"{namespace}-home")
        environment_of_operator = {
            "KUBECONFIG": str(environment.kubeconfig),
            "FINK_NAMESPACE": f"{namespace}-home",
            "FINK_WATCH_NAMESPACES": namespace,
            "FINK_IDENTITY": "bench",
            "FINK_LIVENESS_PORT": "0",
            "FINK_DRIFT_INTERVAL_SECONDS": str(PASS_SECONDS if family == "both" else 3600),
        }
        bench = None
        try:
            async with Load.connect(environment.kubeconfig.read_text(), namespace) as load:
                if family == "topics":
                    await floor(load, number, report)
                port = ports.pick(namespace)
                bench = Bench(load, lambda: OperatorProcess.start(environment_of_operator, log, port), report)
                _wait_for_connection(kubectl, f"{namespace}-home")
                await _run(bench, family, number)
        finally:
            if bench is not None:
                try:
                    # What is left of a case that failed goes while there is an operator to let it go.
                    run([*kubectl, "delete", "kacl,kuser,atopic", "--all", "-n", namespace, "--timeout=120s"])
                    run([*kubectl, "delete", "kconn", "--all", "-n", f"{namespace}-home", "--timeout=120s"])
                finally:
                    bench.operator.stop()
            for name in namespaces:
                run([*kubectl, "delete", "namespace", name, "--wait=false"])


async def _run(bench: Bench, family: str, number: int) -> None:
    if family in ALONE:
        only = ALONE[family]
        await bench.singles(only, 0)
        await bench.lot(only, number, lambda: bench.singles(only, number))
        return

    async def look() -> None:
        await bench.unchanged(3 * number, 4, PASS_SECONDS)
        await bench.start(3 * number)

    async def inner() -> None:
        await bench.lot(USERS, number, look)

    await bench.lot(TOPICS, number, inner)


def _connection(kubectl: list[str], environment: Environment, home: str) -> None:
    admin = properties(environment.kafka_admin_config)
    secret = {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": "kafka-admin", "namespace": home},
        "stringData": {"username": admin["sasl.username"], "password": admin["sasl.password"]},
    }
    connection = {
        "apiVersion": "distribution.fink-broker.org/v1alpha1",
        "kind": "KafkaConnection",
        "metadata": {"name": "default", "namespace": home},
        "spec": {
            "bootstrapServers": [admin["bootstrap.servers"]],
            "sasl": {"credentialsSecretRef": {"name": "kafka-admin"}},
        },
    }
    text = json.dumps({"apiVersion": "v1", "kind": "List", "items": [secret, connection]})
    run([*kubectl, "apply", "-f", "-"], stdin=text)


def _wait_for_connection(kubectl: list[str], home: str) -> None:
    run([*kubectl, "wait", "--for=condition=Ready", "kconn/default", "-n", home, "--timeout=60s"])


if __name__ == "__main__":
    main()
