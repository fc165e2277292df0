"""`python -m testbed`: what a person types."""

from __future__ import annotations

import shutil
import signal
import sys
from pathlib import Path
from types import FrameType

import click

from testbed import bed as beds
from testbed import commands, images, jars, machine, packages, paths
from testbed.environment import LEVELS
from testbed.errors import TestbedError
from testbed.steps import console


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
def main() -> None:
    """A real Kafka, a real Kubernetes control plane and a real node on this machine, without Docker.

    \b
    python -m testbed up                   all of it (root: it makes a node)
    python -m testbed up --level api       Kafka and the API server, no root
    . .testbed/env                         its addresses, in your shell
    python -m testbed status               what runs
    python -m testbed down                 ends and deletes it
    """
    signal.signal(signal.SIGTERM, _interrupt)


@main.command()
@click.option(
    "--level",
    type=click.Choice(LEVELS),
    default="node",
    show_default=True,
    help="kafka: a broker. api: also etcd and the control plane. node: also one node that runs pods, and our images on it.",
)
def up(level: str) -> None:
    """Start it, or bring a running one up to date, and write .testbed/env.

    It runs on until `down`. The first time builds and fetches what it needs into the user's cache folder, which takes some
    minutes; after that it takes seconds. Sources that have changed since make new images, nothing else.
    """
    with _errors():
        bed = beds.Bed()
        bed.up(level)
        bed.keep()
        console.print(
            f"Ready. `. {bed.env_file}` sets its addresses; `python -m testbed down` ends it.", soft_wrap=True
        )


@main.command()
def down() -> None:
    """End all processes, pods and mounts of it and delete its data; what was built stays in the cache."""
    with _errors():
        beds.Bed().down()


@main.command()
def status() -> None:
    """Say what runs, at which addresses, and whose node this machine has. Ends with code 1 when nothing runs whole."""
    with _errors():
        bed = beds.Bed()
        level = bed.level()
        if not bed.env_file.exists():
            console.print("Not running. `python -m testbed up` starts it.")
        else:
            wanted = bed.environment().level
            console.print(f"Level {wanted}" + ("" if level else ", not whole: `python -m testbed up` makes it anew."))
            for name in beds.expected(wanted):
                process = bed.processes.get(name)
                console.print(f"  {name:26}{f'process {process.pid}' if process else 'gone'}")
            for key, value in bed.environment().values.items():
                console.print(f"  {key}={value}", markup=False, soft_wrap=True)
        owner = machine.owner()
        if owner is not None and owner != paths.CHECKOUT:
            console.print(f"The node on this machine is that of the checkout {owner}.", markup=False, soft_wrap=True)
        if level is None:
            sys.exit(1)


@main.command("images")
def build_images() -> None:
    """Build the images only, as `up` does. They are then in a store in the user's cache folder, not in a registry."""
    with _errors():
        machine.require_root()
        packages.require("node")
        images.Builder().build()
        for tag in images.tags().values():
            click.echo(tag)


@main.command("jars")
@click.argument("folder", type=click.Path(path_type=Path, file_okay=False), default="build/jars")
def copy_jars(folder: Path) -> None:
    """Copy Spark's connector jars to FOLDER, where jobs/Dockerfile looks for them when you build it yourself."""
    with _errors():
        packages.require("kafka")
        shutil.copytree(jars.spark(), folder, dirs_exist_ok=True)
        click.echo(folder)


class _errors:  # noqa: N801 - reads as a statement
    """Turn a failure into its message and an exit code."""

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: object) -> None:
        if isinstance(error, TestbedError):
            console.print(str(error), style="red", markup=False, soft_wrap=True)
            sys.exit(1)
        if isinstance(error, KeyboardInterrupt | commands.AbandonedError):
            console.print("Interrupted; what had been started is ended.")
            sys.exit(130)


def _interrupt(_signal: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt
