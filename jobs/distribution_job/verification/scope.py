"""Which deliveries are looked at, whose files are filtered again, and what can only be held against the driver's own numbers. Pure."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from distribution_job.alert_files import AlertFile
from distribution_job.ledger import Delivered, filter_digest
from distribution_job.outputs import Output

LOST = "never delivered"


@dataclass(frozen=True)
class Window:
    """The deliveries that ended since a time, and when their messages were published: later than `after`, up to `until` (ms).

    `is_whole`: no delivery since that time is unknown.
    """

    deliveries: tuple[Delivered, ...]
    after: int
    until: int
    is_whole: bool


@dataclass(frozen=True)
class Origin:
    """The file of which a topic was given the matching alerts, by the batch `key` that began at `begun` (ms)."""

    file: AlertFile
    topic: str
    key: str
    begun: int


@dataclass(frozen=True)
class Numbered:
    """Consecutive deliveries to a topic whose alerts cannot be filtered again: what the driver says to have published."""

    topic: str
    begun: int
    settled: int
    deliveries: int
    published: int


@dataclass(frozen=True)
class Scope:
    """What is to be done.

    `files`: by the names of the outputs that had them. `dropped`: by topic, of what is filtered again. `notes`: for people.
    """

    files: Mapping[tuple[str, ...], tuple[AlertFile, ...]]
    origins: tuple[Origin, ...]
    numbered: tuple[Numbered, ...]
    dropped: Mapping[str, int]
    notes: tuple[str, ...]


def window(deliveries: Sequence[Delivered], since: int) -> Window:
    """Choose the deliveries that were settled at `since` (ms) or later; `deliveries` are all, the oldest first."""
    earlier = [each for each in deliveries if each.settled < since]
    chosen = deliveries[len(earlier) :]
    until = deliveries[-1].settled if deliveries else since
    if earlier:
        # All that was published before is of deliveries that had ended, since they come one after the other.
        return Window(tuple(chosen), earlier[-1].settled, until, True)
    if not chosen:
        return Window((), since, until, True)
    # A stream that began with what came later has batch 0 for what it passed over.
    is_first = chosen[0].key in ("batch-000000000000", "batch-000000000001")
    return Window(tuple(chosen), chosen[0].begun - 1, until, is_first or chosen[0].begun <= since)


def scope(
    chosen: Sequence[Delivered],
    outputs: Sequence[Output],
    is_there: Callable[[AlertFile], bool],
    lost: Iterable[AlertFile] = (),
) -> Scope:
    """Work out what to filter again for the topics of these outputs.

    `is_there`: whether a file can still be read. `lost`: files that were found and that no delivery has had.
    """
    current = {(output.name, output.topic): filter_digest(output) for output in outputs}
    topics = {output.topic for output in outputs}
    wanted: dict[AlertFile, set[str]] = defaultdict(set)
    origins: list[Origin] = []
    runs: dict[str, list[Numbered]] = defaultdict(list)
    is_running: set[str] = set()
    dropped: Counter[str] = Counter()
    changed: Counter[str] = Counter()
    gone = 0
    for each in chosen:
        is_readable = all(map(is_there, each.files))
        gone += not is_readable
        for topic in sorted({share.topic for share in each.shares.values()} & topics):
            shares = {name: share for name, share in each.shares.items() if share.topic == topic}
            others = [name for name, share in shares.items() if current.get((name, topic)) != share.filter]
            changed.update(others)
            if is_readable and not others:
                for file in each.files:
                    wanted[file].update(shares)
                    origins.append(Origin(file, topic, each.key, each.begun))
                dropped[topic] += sum(share.dropped for share in shares.values())
                is_running.discard(topic)
                continue
            run = Numbered(topic, each.begun, each.settled, 1, sum(share.published for share in shares.values()))
            if topic in is_running:
                last = runs[topic].pop()
                run = Numbered(topic, last.begun, each.settled, last.deliveries + 1, last.published + run.published)
            runs[topic].append(run)
            is_running.add(topic)
    for file in lost:
        wanted[file].update(output.name for output in outputs)
        origins += [Origin(file, topic, LOST, file.modified) for topic in sorted(topics)]
    groups: dict[tuple[str, ...], list[AlertFile]] = defaultdict(list)
    for file, names in sorted(wanted.items()):
        groups[tuple(sorted(names))].append(file)
    return Scope(
        {names: tuple(files) for names, files in groups.items()},
        tuple(origins),
        tuple(run for each in runs.values() for run in each),
        dropped,
        tuple(_notes(gone, changed)),
    )


def _notes(gone: int, changed: Mapping[str, int]) -> list[str]:
    notes = []
    if gone:
        notes.append(
            f"The files of {gone} deliveries are not there any more, or cannot be read; their messages are counted, and held against the "
            "driver's own numbers."
        )
    for name, times in sorted(changed.items()):
        notes.append(
            f"The output {name} has another filter or topic than for {times} deliveries, or is configured no more; their messages are "
            "counted, and held against the driver's own numbers."
        )
    return notes
