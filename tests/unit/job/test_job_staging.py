"""Batches on their way: whole or not at all, removed when nobody needs them, and never too many."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import pytest

from distribution_job import durable_json
from distribution_job.alert_files import AlertFile
from distribution_job.drain import Drain, Draining
from distribution_job.staging import Staging


class Table:
    """Stands for a DataFrame: writes one file."""

    @property
    def write(self) -> Table:
        return self

    def option(self, name: str, value: Any) -> Table:
        return self

    def parquet(self, path: str) -> None:
        Path(path).mkdir(parents=True)
        (Path(path) / "part-0.parquet").write_text("alerts")


def tables() -> Iterable[Any]:
    return [Table(), Table()]


def staging(folder: Path, drain: Drain | None = None) -> Staging:
    return Staging(folder / "staging", folder / "distributed.json", drain or Drain())


def files(folder: Path) -> list[AlertFile]:
    return [AlertFile(f"file:{file}", 1, 1) for file in sorted((folder / "staging").glob("batch-*/*/*.parquet"))]


def test_a_batch_is_there_whole_with_its_position_wherever_the_driver_ends(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Killed(BaseException):
        pass

    def deadly(call: Callable[..., Any], left: list[int]) -> Callable[..., Any]:
        def wrapped(*args: Any) -> Any:
            left[0] -= 1
            if left[0] == 0:
                raise Killed
            return call(*args)

        return wrapped

    for ends_at in range(1, 50):
        folder, left = tmp_path / str(ends_at), [ends_at]
        assert staging(folder).put(0, list, {"at": 0})
        with monkeypatch.context() as patched:
            patched.setattr(durable_json, "write", deadly(durable_json.write, left))
            patched.setattr(durable_json, "force", deadly(durable_json.force, left))
            patched.setattr(Path, "rename", deadly(Path.rename, left))
            patched.setattr(Table, "parquet", deadly(Table.parquet, left))
            try:
                staging(folder).put(1, tables, {"at": 1})
            except Killed:
                pass
            else:
                assert ends_at > 5
                return
        found = staging(folder)
        assert (found.newest(), found.position(), len(files(folder))) in [(0, {"at": 0}, 0), (1, {"at": 1}, 2)]
        assert not list((folder / "staging").glob(".*"))
        found.put(1, tables, {"at": 1})
        assert (found.position(), len(files(folder))) == ({"at": 1}, 2)
    pytest.fail("it never came to its end")


def test_what_is_distributed_goes_when_its_batch_is_committed_and_nobody_waits_for_it(tmp_path: Path) -> None:
    staged = staging(tmp_path)
    for number in range(2):
        staged.put(number, tables)
    first, other, *rest = files(tmp_path)
    staged.note(7, [first, other])
    staged.clean(7, [])
    assert files(tmp_path) == [first, other, *rest], "batch 7 may be repeated"
    again = staging(tmp_path)
    again.clean(8, [other])
    assert files(tmp_path) == [other, *rest]
    again.note(8, rest)
    again.clean(9, [])
    assert files(tmp_path) == []
    assert again.newest() == 1, "its number is remembered"
    assert [folder.name for folder in (tmp_path / "staging").iterdir()] == ["batch-000000000001"]
    assert not staging(tmp_path).put(1, tables)


def test_too_many_batches_wait_for_those_before(tmp_path: Path) -> None:
    drain = Drain()
    staged = staging(tmp_path, drain)
    for number in range(3):
        staged.put(number, tables)
    put = threading.Thread(target=lambda: staged.put(3, tables))
    put.start()
    put.join(0.3)
    assert put.is_alive()
    staged.note(0, files(tmp_path)[:2])
    put.join(30)
    assert staged.newest() == 3
    drain.ask()
    with pytest.raises(Draining):
        staged.put(4, tables)
