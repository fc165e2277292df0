"""The pages say what the code does."""

from __future__ import annotations

import importlib.util
import re
from pathlib import Path

import pytest

from distribution_job.failures import Reason as JobReason
from distribution_job.lag import Lag
from distribution_job.metrics import PREFIX, Metrics
from distribution_job.progress import Progress
from distribution_job.stages import Stage
from fink_distribution.errors import Reason

REPOSITORY = Path(__file__).parents[3]
DOCS = REPOSITORY / "docs"
PAGES = [
    REPOSITORY / "README.md",
    REPOSITORY / "CHANGELOG.md",
    REPOSITORY / "examples/quickstart/README.md",
    REPOSITORY / "examples/local/README.md",
    *sorted(DOCS.rglob("*.md")),
]


def documented_reasons() -> set[str]:
    """The first cell of each row of the tables."""
    return set(re.findall(r"^\| `(\w+)`", (DOCS / "reasons.md").read_text(), re.MULTILINE))


def test_every_reason_is_documented_and_no_other() -> None:
    assert documented_reasons() == {str(reason) for reason in (*Reason, *JobReason)}


def test_every_metric_of_the_drivers_is_documented_and_no_other() -> None:
    progress = Progress(["a"])
    progress.lag(Lag(messages=0))
    families = [
        each for each in Metrics(progress, knows_bytes=True).collectors.collect() if each.name.startswith(PREFIX)
    ]
    known = {each.name + ("_total" if each.type == "counter" else "") for each in families}
    rows = re.findall(rf"^\| (`{PREFIX}[^|]*)\|", (DOCS / "streams.md").read_text(), re.MULTILINE)
    assert set(re.findall(r"\w+", " ".join(rows))) == {name for name in known if not name.endswith("_created")}


def test_every_stage_is_documented_and_no_other() -> None:
    (table,) = re.findall(r"^\| `stage` \|.*?\n\n", (DOCS / "streams.md").read_text(), re.MULTILINE | re.DOTALL)
    assert re.findall(r"^\| `(\w+)`", table, re.MULTILINE)[1:] == [str(stage) for stage in Stage]


def test_the_pages_of_the_kinds_are_in_step_with_the_schemas() -> None:
    spec = importlib.util.spec_from_file_location("generate_kinds", DOCS / "generate_kinds.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    written = {page.name: page.read_text() for page in module.FOLDER.iterdir()}
    assert written == module.pages(), "run `make sync`"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(REPOSITORY)))
def test_links_within_the_repository_lead_somewhere(page: Path) -> None:
    links = re.findall(r"\]\(([^)#]+)(?:#[^)]*)?\)", page.read_text())
    missing = [link for link in links if "://" not in link and not (page.parent / link).exists()]
    assert not missing


def test_the_readme_names_targets_that_there_are() -> None:
    targets = set(re.findall(r"^([a-z-]+):", (REPOSITORY / "Makefile").read_text(), re.MULTILINE))
    named = {
        word
        for page in PAGES
        for word in re.findall(r"(?:`|^)(?:\w+=\S+ )?make ([a-z-]+)", page.read_text(), re.MULTILINE)
    }
    assert named
    assert named <= targets
