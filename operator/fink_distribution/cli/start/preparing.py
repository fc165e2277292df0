"""What the commands of `fink start` have in common: the configuration file, and what has to be there before a job runs."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, TypeVar

import click

from fink_distribution.cli.fink_kafka.exits import Problem
from fink_distribution.cli.fink_kafka.reaching import config_file_option, config_path, home
from fink_distribution.cli.progress import Progress
from fink_distribution.local_jobs import programs
from fink_distribution.local_jobs.settings import Kafka
from fink_distribution.local_kafka import jars
from fink_distribution.local_kafka.errors import ConfigurationError, LocalKafkaError
from fink_distribution.local_kafka.java import find_java

T = TypeVar("T")

BAD_CONFIGURATION, NOT_READY = 2, 3
EXIT_STATUS = """\b
Exit status:
  0  it was told to stop; with --check: all is well
  1  it failed; the log says why
  2  an option or the configuration file is wrong
  3  what it needs is missing: Java, the packages of the jobs, or the connectors, which cannot be fetched
"""

config_option = config_file_option("The configuration", "-c")
check_option = click.option(
    "--check",
    is_flag=True,
    help="Start nothing, connect to nothing: say whether the configuration and what it needs are there.",
)


@contextmanager
def problems() -> Iterator[None]:
    """Give what goes wrong its exit status."""
    try:
        yield
    except LocalKafkaError as error:
        raise Problem(BAD_CONFIGURATION if isinstance(error, ConfigurationError) else NOT_READY, str(error)) from None


def settings(config_file: Path | None, read: Callable[[Path, Path], T]) -> tuple[Path, T]:
    """Return the configuration file, and what a job reads of it."""
    file = config_path(config_file)
    if not file.exists():
        raise ConfigurationError(
            f"{file} is not there. fink_kafka start makes one, with a Kafka on this machine; for a Kafka elsewhere, write one after "
            "examples/local/fink.conf, and name it by --config."
        )
    return file, read(file, home())


def connectors(program: str) -> Path:
    """Return the folder of Spark's connectors, fetched the first time, once all else that a program of Spark's needs is there."""
    programs.require(program)
    java = find_java()
    with Progress() as progress:
        return jars.fetched(jars.SPARK, java, progress.say)


def check_document(program: str, document: Mapping[str, Any]) -> None:
    """Have a program check its document.

    Raises
    ------
    ConfigurationError
        What the program says.
    """
    programs.require(program)
    with TemporaryDirectory() as folder:
        file = Path(folder, "job.json")
        file.write_text(json.dumps(document), encoding="utf-8")
        said = programs.check(program, ["--config", str(file), "--check"])
    if said is not None:
        raise ConfigurationError(said)


def said_of(kafka: Kafka) -> str:
    """Return where Kafka is and who logs in, for people."""
    return kafka.bootstrap_servers + (f" as {kafka.account.user}" if kafka.account else "")


def say(text: str) -> None:
    """Say what is about to run, on stderr as its log."""
    click.echo(text, err=True)
