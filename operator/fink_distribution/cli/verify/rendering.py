"""The answer as tables."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

_COUNTS = ("expected", "published", "dropped", "missing", "twice", "unexpected", "deleted")
_BAD = {"missing", "twice", "unexpected"}
_RESULTS = {
    "equal": "Each alert is in its topic once.",
    "different": "It differs.",
    "unverified": "It cannot be verified, or not all of it.",
}


def print_report(document: Mapping[str, Any], console: Console | None = None) -> None:
    """Print how often alerts should be in each topic and are, what differs, and what is to be known besides."""
    console = console or Console(highlight=False)
    stream = document["stream"]
    console.print(
        Text(
            f"{stream['namespace']}/{stream['name']}: {document['deliveries']} deliveries of {document['files']} files, "
            f"{document['since']} to {document['until']}"
        )
    )
    console.print(_counts(document))
    listed = [(topic["topic"], each) for topic in document["topics"] for each in topic["differences"]]
    if listed:
        console.print()
        console.print(_differences(listed))
        for text in _unlisted(document):
            console.print(Text(text))
    for text in document["notes"]:
        console.print(Text(f"Note: {text}"))
    for text in document["problems"]:
        console.print(Text(f"Not verified: {text}", style="yellow"))
    if any(topic["deleted"] for topic in document["topics"]):
        text = "What is deleted was older than what its partition holds now: Kafka may have removed it. Give a later --since."
        console.print(Text(f"Not verified: {text}", style="yellow"))
    console.print(Text(_RESULTS[document["result"]], style="bold"))


def _counts(document: Mapping[str, Any]) -> Table:
    has_numbers = any(topic["byNumber"]["deliveries"] for topic in document["topics"])
    extra = ("BY NUMBER",) if has_numbers else ()
    table = Table("TOPIC", "OUTPUTS", *(name.upper() for name in _COUNTS), *extra, box=None, pad_edge=False)
    for topic in document["topics"]:
        cells = [Text(str(topic[name]), style="red" if name in _BAD and topic[name] else "") for name in _COUNTS]
        row = [Text(topic["topic"]), Text(", ".join(topic["outputs"])), *cells]
        table.add_row(*row, *([_numbers(topic["byNumber"])] if has_numbers else []))
    return table


def _numbers(counted: Mapping[str, int]) -> Text:
    expected, published = counted["expected"], counted["published"]
    return Text(f"{published} of {expected}", style="red" if expected != published else "")


def _differences(listed: list[tuple[str, Mapping[str, Any]]]) -> Table:
    table = Table("WHAT", "TOPIC", "ALERT", "EXPECTED", "PUBLISHED", "WHERE", box=None, pad_edge=False)
    for topic, each in listed:
        cells = (
            each["kind"],
            topic,
            each.get("id", "(no id)"),
            each["expected"],
            each["published"],
            "; ".join(_where(each)),
        )
        table.add_row(*(Text(_printable(str(cell))) for cell in cells))
    return table


def _where(each: Mapping[str, Any]) -> Iterator[str]:
    if "file" in each:
        yield f"{each['file']} ({each['batch']})" if "batch" in each else each["file"]
    if "partition" in each:
        yield f"partition {each['partition']}, offset {each['offset']}"


def _unlisted(document: Mapping[str, Any]) -> Iterator[str]:
    for topic in document["topics"]:
        for kind in ("missing", "twice", "unexpected", "deleted"):
            listed = sum(
                abs(each["expected"] - each["published"]) for each in topic["differences"] if each["kind"] == kind
            )
            if topic[kind] > listed:
                yield f"... and {topic[kind] - listed} more {kind} in {topic['topic']}; --limit lists more."


def _printable(text: str) -> str:
    # A value from an alert must not steer the terminal.
    return "".join(letter if letter.isprintable() else " " for letter in text)
