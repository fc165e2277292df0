"""A plan as a diff for people and as JSON for pipelines."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from rich.console import Console
from rich.text import Text

from fink_distribution.manifests.differences import Difference, Sign, Step
from fink_distribution.manifests.ledgers import Source
from fink_distribution.manifests.planning import PlannedResource
from fink_distribution.manifests.problems import Origin
from fink_distribution.resources.keys import Key
from fink_distribution.resources.modes import Mode
from fink_distribution.resources.printable import printable

_STYLES: Mapping[Sign, str] = {"+": "green", "~": "yellow", "-": "red"}
JSON_VERSION = 1


@dataclass(frozen=True)
class Report:
    """A plan with what is said around it."""

    cluster_id: str
    bootstrap_servers: str
    ledger: Source
    resources: Sequence[PlannedResource]
    origins: Mapping[Key, Origin]
    notes: Sequence[str] = ()

    @property
    def has_changes(self) -> bool:
        """Whether the operator would change anything."""
        return any(each.is_applied for each in self.resources)

    @property
    def has_problems(self) -> bool:
        """Whether there is something that the operator would refuse."""
        return any(each.problem for each in self.resources)

    def counts(self) -> Counter[str]:
        """Count the resources by their action; those with a problem are counted as that, too."""
        found = Counter(each.action for each in self.resources)
        found["problems"] = sum(each.problem is not None for each in self.resources)
        return found


def as_json(report: Report) -> dict[str, Any]:
    """Return the report as docs/plan-and-export.md describes it."""
    counts = report.counts()
    names = ("create", "change", "delete", "none", "observed", "refused", "problems")
    return {
        "version": JSON_VERSION,
        "kafka": {"clusterId": report.cluster_id, "bootstrapServers": report.bootstrap_servers},
        "ledger": report.ledger.value,
        "summary": {name: counts[name] for name in names},
        "resources": [_resource(each, report.origins.get(each.key)) for each in report.resources],
        "notes": list(report.notes),
    }


def _resource(each: PlannedResource, origin: Origin | None) -> dict[str, Any]:
    problem = each.problem and {"reason": each.problem.reason.value, "message": each.problem.message}
    return {
        "kind": each.key.kind.value,
        "namespace": each.key.namespace,
        "name": each.key.name,
        "target": each.target,
        "mode": each.mode.value,
        "action": each.action,
        "origin": origin and {"file": origin.file, "document": origin.document, "item": origin.item},
        "changes": [
            {
                "text": step.text,
                "fields": [{"field": one.field, "before": one.before, "after": one.after} for one in step.differences],
            }
            for step in each.steps
        ],
        "problem": problem,
    }


def print_diff(console: Console, report: Report) -> None:
    """Print a line for each field that changes, and the sum of it all."""
    for each in report.resources:
        if each.steps or each.problem:
            _print_resource(console, each, report.origins.get(each.key))
    counts = report.counts()
    parts = [f"{counts[name]} to {name}" for name in ("create", "change", "delete") if counts[name]]
    parts += [f"{counts['none'] + counts['observed']} as declared"]
    if report.has_problems:
        parts.append(f"{counts['problems']} that cannot be done")
    text = "Nothing to do" if not (report.has_changes or report.has_problems) else "Plan"
    console.print(Text(f"{text}: {', '.join(parts)}.", style="bold"))
    for note in report.notes:
        console.print(Text(f"Note: {note}"))


def _print_resource(console: Console, each: PlannedResource, origin: Origin | None) -> None:
    head = Text()
    head.append(printable(str(each.key)), "bold")
    head.append(f": {printable(each.target)}")
    if each.removed:
        head.append(", declared no more")
    if each.mode is not Mode.ENFORCE:
        head.append(f", shown only (mode: {each.mode})", "cyan")
    if origin is not None:
        head.append(f"  [{origin}]", "dim")
    console.print(head)
    for step in each.steps:
        for line in _lines(step):
            console.print(line)
    if each.problem is not None:
        console.print(Text(f"  ! {each.problem.reason}: {printable(each.problem.message)}", "bold red"))
    console.print()


def _lines(step: Step) -> list[Text]:
    shown = [_line(each) for each in step.differences]
    return shown or [Text(f"  {step.sign} {printable(step.text)}", _STYLES[step.sign])]


def _line(each: Difference) -> Text:
    sign = each.sign
    values = {"+": each.after, "-": each.before, "~": f"{each.before} -> {each.after}"}[sign]
    return Text(f"  {sign} {each.field}: {printable(str(values))}", _STYLES[sign])
