"""What is remembered on disk: the backlog, the quarantine, and files that are whole or not there."""

from __future__ import annotations

from pathlib import Path

import pytest

from distribution_job import durable_json
from distribution_job.alert_files import AlertFile
from distribution_job.backlog import Backlog
from distribution_job.failures import Failure, Reason
from distribution_job.quarantine import Quarantine

A, B, C = (AlertFile(f"file:/data/{name}.parquet", 1_700_000_000_000, 10) for name in "abc")
BROKEN = Failure(Reason.FILE_UNREADABLE, "damaged")


def test_the_backlog_outlives_the_process(tmp_path: Path) -> None:
    Backlog(tmp_path, ["x", "y"]).put("x", "batch-1", [B, A])
    again = Backlog(tmp_path, ["x", "y"])
    assert [entry.files for entry in again.entries("x")] == [(A, B)]
    assert (again.pending("x"), again.pending("y")) == (2, 0)


def test_a_batch_that_is_repeated_adds_to_its_entry(tmp_path: Path) -> None:
    backlog = Backlog(tmp_path, ["x"])
    backlog.put("x", "batch-1", [A])
    backlog.put("x", "batch-1", [A, B])
    backlog.put("x", "batch-0", [C])
    assert [entry.files for entry in backlog.entries("x")] == [(C,), (A, B)]
    assert backlog.pending("x") == 3


def test_an_entry_is_removed_for_good(tmp_path: Path) -> None:
    backlog = Backlog(tmp_path, ["x"])
    backlog.put("x", "batch-1", [A, B])
    backlog.discard("x", backlog.entries("x")[0].key, [A])
    assert [entry.files for entry in Backlog(tmp_path, ["x"]).entries("x")] == [(B,)]
    backlog.discard("x", backlog.entries("x")[0].key, [B])
    assert Backlog(tmp_path, ["x"]).pending("x") == backlog.pending("x") == 0


@pytest.mark.parametrize("name", ["..", ".", "a/b", "ü", "x.y"])
def test_any_name_of_an_output_stays_below_the_folder(tmp_path: Path, name: str) -> None:
    folder = tmp_path / "backlog"
    Backlog(folder, [name]).put(name, "batch-1", [A])
    assert [file.parent.parent for file in tmp_path.rglob("*.json")] == [folder]
    assert Backlog(folder, [name]).pending(name) == 1


def test_an_output_that_is_gone_keeps_its_entries_on_disk(tmp_path: Path) -> None:
    Backlog(tmp_path, ["x"]).put("x", "batch-1", [A])
    Backlog(tmp_path, ["y"])
    assert Backlog(tmp_path, ["x"]).pending("x") == 1


def test_the_quarantine_outlives_the_process_and_knows_for_whom(tmp_path: Path) -> None:
    quarantine = Quarantine(tmp_path)
    quarantine.put(A, BROKEN, ["x"])
    quarantine.put(A, BROKEN, ["y"])
    quarantine.put(B, BROKEN)
    quarantine.put(B, BROKEN, ["x"])
    held = Quarantine(tmp_path).held()
    assert [(one.file, one.outputs) for one in held] == [(A, ("x", "y")), (B, None)]
    assert held[0].failure == BROKEN
    quarantine.remove(A)
    assert [one.file for one in Quarantine(tmp_path).held()] == [B]


def test_a_half_written_file_is_not_read(tmp_path: Path) -> None:
    durable_json.write(tmp_path / "a.json", {"n": 1})
    (tmp_path / ".b.json.tmp").write_text('{"n":')
    (tmp_path / ".c.json").write_text('{"n":')
    assert [document for _, document in durable_json.read_all(tmp_path)] == [{"n": 1}]


def test_a_failed_write_leaves_the_old_file(tmp_path: Path) -> None:
    file = tmp_path / "a.json"
    durable_json.write(file, {"n": 1})
    with pytest.raises(TypeError):
        durable_json.write(file, {"n": object()})
    assert [document for _, document in durable_json.read_all(tmp_path)] == [{"n": 1}]
