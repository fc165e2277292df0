"""A digest as Slack shows it: Block Kit, and a plain text for notifications and screen readers."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

from slack_notifier.alert_rows import AlertRow
from slack_notifier.digests import Part
from slack_notifier.markup import escaped, one_line

SECTION = 3000  # characters that Slack allows a section's text
_LONGEST_NAME = 60
_LONGEST_CLASS = 40
_SHOWN_CLASSES = 8
_SHOWN_IN_TEXT = 20


def blocks(part: Part, portal: str) -> list[dict[str, Any]]:
    """The layout; `portal` is what an object's id is appended to for a link."""
    found = [_section(f"*{_heading(part)}*")]
    found += [_section(text) for text in _packed(_line(row, portal) for row in part.rows)]
    notes = _notes(part)
    if notes:
        found.append({"type": "context", "elements": [_markdown(note) for note in notes]})
    return found


def plain(part: Part, portal: str) -> str:
    """The same as a text, for when Slack refuses the layout."""
    return "\n".join([_heading(part), *(_line(row, portal) for row in part.rows), *_notes(part)])


def summary(part: Part) -> str:
    """The same in one line, with the first objects only."""
    shown = ", ".join(_named(row) for row in part.rows[:_SHOWN_IN_TEXT])
    left = len(part.rows) - _SHOWN_IN_TEXT
    more = f" and {left} more" if left > 0 else ""
    listed = f"{_heading(part)}: {shown}{more}." if shown else f"{_heading(part)}."
    return " ".join([listed, *_notes(part)])


def _heading(part: Part) -> str:
    return f"{part.alerts} alert{'' if part.alerts == 1 else 's'}"


def _notes(part: Part) -> list[str]:
    found = []
    if part.counted:
        topics = ", ".join(f"`{escaped(topic)}`" for topic in part.topics)
        found.append(f"{part.counted.total()} of them are not shown ({_classes(part.counted)}); read them in {topics}.")
    if part.repeats:
        found.append(f"{part.repeats} of them, not shown, are of objects that had one before in the same night.")
    return found


def _classes(counted: Counter[str]) -> str:
    most = counted.most_common(_SHOWN_CLASSES)
    left = counted.total() - sum(number for _, number in most)
    others = [f"other classes {left}"] if left else []
    return ", ".join([*(f"{_class(name)} {number}" for name, number in most), *others])


def _line(row: AlertRow, portal: str) -> str:
    """One alert: `ZTF18abosdxh  RRLyr  RA 13.823708°, Dec -7.613419°  mag 18.21  5 detections`, its name a link."""
    name = one_line(row.object_id, _LONGEST_NAME)
    parts = [f"<{portal}{quote(row.object_id[:_LONGEST_NAME], safe='')}|{escaped(name)}>"]
    if row.class_name:
        parts.append(_class(row.class_name))
    if row.ra is not None and row.dec is not None:
        parts.append(f"RA {row.ra:.6f}°, Dec {row.dec:+.6f}°")
    if row.magnitude is not None:
        parts.append(f"mag {row.magnitude:.2f}")
    if row.detections is not None:
        parts.append(f"{row.detections} detection{'' if row.detections == 1 else 's'}")
    return "  ".join(parts)


def _named(row: AlertRow) -> str:
    name = escaped(one_line(row.object_id, _LONGEST_NAME))
    return f"{name} ({_class(row.class_name)})" if row.class_name else name


def _class(name: str) -> str:
    # As code, because the star of `EB*` would begin bold type elsewhere.
    return f"`{escaped(one_line(name.replace('`', ''), _LONGEST_CLASS))}`"


def _packed(lines: Iterator[str]) -> Iterator[str]:
    """The lines in as few texts as Slack's limit allows."""
    waiting: list[str] = []
    for line in lines:
        if waiting and len("\n".join([*waiting, line])) > SECTION:
            yield "\n".join(waiting)
            waiting = []
        waiting.append(line)
    if waiting:
        yield "\n".join(waiting)


def _section(content: str) -> dict[str, Any]:
    return {"type": "section", "text": _markdown(content)}


def _markdown(content: str) -> dict[str, Any]:
    # Verbatim: Slack makes no links or names of what looks like one.
    return {"type": "mrkdwn", "text": content, "verbatim": True}
