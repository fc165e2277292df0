"""What is wrong is said where people look, the rest goes on, and nothing is lost."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Any

import pyarrow as pa
import pytest

from demo.science_alerts import generate
from e2e.stage import Stage
from testbed.fixtures import wait_for

SSO = "fink_filters.ztf.livestream.filter_sso_ztf_candidates.filter.sso_ztf_candidates"
BROKEN: dict[str, dict[str, Any]] = {
    "unparsable": {"filter": {"sql": "candidate.magpsf < < 18"}},
    "misspelt": {"filter": {"sql": "candidate.magpfs < 18"}},
    "absent": {"filter": {"python": "fink_filters.ztf.no_such_module.filter"}},
    "raises": {"filter": {"python": SSO}},
}
MENDED: dict[str, dict[str, Any]] = {name: {"filter": {"sql": "candidate.magpsf < 30"}} for name in BROKEN}
ROWS = 60


def _outputs(broken: dict[str, dict[str, Any]]) -> list[dict[str, Any]]:
    return [
        {"name": "good", "select": ["candid"]},
        *({"name": name, "select": ["candid"], **each} for name, each in broken.items()),
    ]


@pytest.fixture(scope="module")
def broken(stage: Stage) -> Iterator[Stage]:
    """A stream of which four outputs are broken, each in its own way, and which has met its first alerts."""
    stage.play("broken", _outputs(BROKEN))
    stage.scene.ready("distributionstream", "broken", "Running", timeout=240)
    table = generate(ROWS, seed=3)
    # fink-filters' own function does not bear a missing label: it raises.
    column = table.schema.get_field_index("roid")
    labels = pa.array([None, *table["roid"].to_pylist()[1:]], type=table.schema.field(column).type)
    stage.drop("broken", table.set_column(column, table.schema.field(column), labels), files=1)
    yield stage
    stage.scene.delete("distributionstream", "broken", timeout="180s")


def _candids(stage: Stage, output: str, at_least: int) -> Counter[int]:
    secret = stage.scene.secret("broken-reader")
    return Counter(
        message.alert["candid"] for message in stage.received(secret, stage.topic("broken", output), at_least, 300)
    )


def test_each_broken_output_is_explained_and_the_good_one_goes_on(broken: Stage) -> None:
    names = [output["name"] for output in _outputs(BROKEN)]
    broken.reader("broken-reader", [broken.topic("broken", name) for name in names])
    assert len(_candids(broken, "good", ROWS)) == ROWS
    broken.scene.ready("distributionstream", "broken", "OutputFailed", timeout=60)
    described = " ".join(broken.scene.kubectl("describe", "dstream", "broken", "-n", broken.scene.namespace).split())
    for name, reason in (
        ("unparsable", "FilterInvalid"),
        ("misspelt", "ColumnMissing"),
        ("absent", "FilterImportFailed"),
        ("raises", "FilterRaised"),
    ):
        assert f"output {name} ({reason}):" in described
    assert "candidate.magpsf" in described, "what the column may be meant to be is named"
    assert "nothing is lost" in described


def test_a_corrupt_file_is_left_out_and_named_and_a_good_one_in_its_place_is_taken(broken: Stage) -> None:
    name = "year=2026/month=11/day=01/torn.parquet"
    torn = broken.science("broken") / name
    torn.parent.mkdir(parents=True, exist_ok=True)
    torn.parent.chmod(0o777)
    torn.write_bytes(b"PAR1 this is no Parquet file PAR1")
    wait_for(
        lambda: broken.progress("broken").get("quarantinedFileCount") == 1,
        timeout=120,
        what="the file is in quarantine",
    )
    assert "torn.parquet" in broken.progress("broken")["quarantinedFiles"][0]["path"]
    broken.drop("broken", generate(20, seed=4, first_id=ROWS), files=1)
    assert len(_candids(broken, "good", ROWS + 20)) == ROWS + 20, "files that came after it are distributed"
    torn.unlink()
    wait_for(
        lambda: not broken.progress("broken").get("quarantinedFileCount"), timeout=240, what="the quarantine is empty"
    )


def test_a_mended_output_receives_what_it_missed(broken: Stage) -> None:
    broken.scene.apply(broken.stream("broken", _outputs(MENDED)))
    missed = set(generate(ROWS, seed=3)["candid"].to_pylist())
    for name in MENDED:
        assert missed <= set(_candids(broken, name, ROWS)), f"{name} holds every alert that it missed"
    assert set(_candids(broken, "good", ROWS + 20).values()) == {1}, "the good output receives none again"
    broken.scene.ready("distributionstream", "broken", "Running", timeout=240)


def test_an_image_that_does_not_exist_is_said_and_a_right_one_mends_it(stage: Stage) -> None:
    stage.play("pull", [{"name": "all"}], image="localhost/no-such-image:1")
    message = stage.scene.ready("distributionstream", "pull", "ImagePullFailed", timeout=60)
    assert "localhost/no-such-image:1" in message
    assert "spec.image" in stage.scene.kubectl("describe", "dstream", "pull", "-n", stage.scene.namespace)
    stage.scene.apply(stage.stream("pull", [{"name": "all"}]))
    stage.scene.ready("distributionstream", "pull", "Running", timeout=240)
    stage.scene.delete("distributionstream", "pull", timeout="180s")
