"""What the services print: lines and tables for people, JSON and YAML for programs."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

import click
import yaml
from rich.console import Console
from rich.table import Table
from rich.text import Text

from fink_distribution.resources.printable import printable

F = TypeVar("F", bound=Callable[..., Any])
_WIDE = 10_000

list_output = click.option(
    "-o",
    "--output",
    type=click.Choice(["table", "json", "yaml"]),
    default="table",
    show_default=True,
    help="For people, or for programs.",
)


def done(text: str) -> None:
    """Print what has been done, or is so already."""
    console = Console(highlight=False, soft_wrap=True)
    console.print(Text(printable(text), "green"))


def say(text: str) -> None:
    """Print a line that is no result."""
    Console(highlight=False, soft_wrap=True).print(Text(printable(text)))


def warn(text: str) -> None:
    """Print a warning, on stderr."""
    Console(stderr=True, highlight=False, soft_wrap=True).print(Text(f"Warning: {printable(text)}", "yellow"))


def show(data: Sequence[Mapping[str, Any]] | Mapping[str, Any], output: str, to_people: Callable[[], None]) -> None:
    """Print data as JSON or as YAML, or have them printed for people."""
    if output == "json":
        click.echo(json.dumps(data, indent=2, ensure_ascii=False))
    elif output == "yaml":
        click.echo(yaml.safe_dump(data, sort_keys=False, allow_unicode=True), nl=False)
    else:
        to_people()


def print_table(columns: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
    """Print a table without lines; where it is no terminal, each row is one line however long it is."""
    table = Table(*columns, box=None, pad_edge=False, header_style="bold")
    for row in rows:
        table.add_row(*(Text(printable(str(cell))) for cell in row))
    console = Console(highlight=False)
    if console.is_terminal:
        console.print(table)
        return
    wide = Console(highlight=False, width=_WIDE)
    with wide.capture() as capture:
        wide.print(table)
    click.echo("".join(f"{line.rstrip()}\n" for line in capture.get().splitlines()), nl=False)
