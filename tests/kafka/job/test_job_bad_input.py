"""Files of all kinds that are wrong, beside good ones, in one running job: each is named, and no alert of a good file is lost."""

from __future__ import annotations

import gzip
import json
import math
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from job_process import JobProcess
from job_stream import Stream
from received import everything

ROWS = 5


def alerts(first: int, **columns: Any) -> pa.Table:
    """A few alerts with ids from `first`; `columns` replace and add some, None leaves one out."""
    made: dict[str, Any] = {
        "candid": pa.array(range(first, first + ROWS), pa.int64()),
        "objectId": pa.array([f"ZTF{number}" for number in range(first, first + ROWS)]),
        "magpsf": pa.array([18.5] * ROWS),
        "remark": pa.array(["fine"] * ROWS),
        **columns,
    }
    return pa.table({name: column for name, column in made.items() if column is not None})


def parquet(table: pa.Table) -> bytes:
    sink = pa.BufferOutputStream()
    pq.write_table(table, sink)
    written: bytes = sink.getvalue().to_pybytes()
    return written


def texts(*values: bytes) -> pa.Array:
    """Strings of any bytes."""
    return pa.array(values, pa.binary()).view(pa.string())


def damaged(content: bytes) -> bytes:
    """The pages with other bits; the footer is whole."""
    third = len(content) // 3
    return content[: third // 2] + bytes(value ^ 0x5A for value in content[third // 2 : third]) + content[third:]


GOOD = parquet(alerts(0))
# Files that are put aside, and the words that follow their name in the log.
ASIDE: dict[str, tuple[bytes, str]] = {
    "text.parquet": (b"candid,magpsf\n1,18.5\n", "cannot be read"),
    "no-end.parquet": (GOOD[:-4], "cannot be read"),
    "half.parquet": (GOOD[: len(GOOD) // 2], "cannot be read"),
    "damaged.parquet": (damaged(parquet(alerts(1000))), "cannot be read"),
    "footer-too-long.parquet": (GOOD[:-8] + b"\xff\xff\xff\x7fPAR1", "cannot be read"),
    "footer-of-zeros.parquet": (b"PAR1" + bytes(100) + (100).to_bytes(4, "little") + b"PAR1", "cannot be read"),
    "encrypted.parquet": (b"PARE" + GOOD[4:-4] + b"PARE", "cannot be read"),
    "compressed.parquet": (gzip.compress(GOOD), "cannot be read"),
    "odd [name] {1} 100% ü #.parquet": (b"nothing", "cannot be read"),
    "no-columns.parquet": (parquet(pa.table({})), "cannot be read"),
    "one-name-twice.parquet": (parquet(alerts(1100, MAGPSF=pa.array([1.0] * ROWS))), "`magpsf`"),
    "wide-decimal.parquet": (
        parquet(alerts(1200, price=pa.array([Decimal(1)] * ROWS, pa.decimal256(60, 2)))),
        "cannot be read as a table",
    ),
}
NULL_ID, NOT_UTF8, BAD_NAME, OTHER_ID = "null-id.parquet", "not-utf-8.parquet", "bad-name.parquet", "other-id.parquet"
NOT_UTF8_INSIDE = "not-utf-8-inside.parquet"
GARBLED = texts(b"caf\xe9", b"fine", b"\xff", "ü".encode(), b"")
READ: dict[str, pa.Table] = {
    "good-1.parquet": alerts(0),
    "good-2.parquet": alerts(10),
    "no-rows.parquet": alerts(20).slice(0, 0),
    "nothing-but-null.parquet": alerts(30, magpsf=pa.nulls(ROWS, pa.float64()), remark=pa.nulls(ROWS, pa.string())),
    NULL_ID: alerts(40, candid=pa.array([None, None, 42, 43, 44], pa.int64())),
    "repeated-id.parquet": alerts(50, candid=pa.array([50, 50, 50, 53, 54], pa.int64())),
    "no-numbers.parquet": alerts(60, magpsf=pa.array([math.nan, math.inf, -math.inf, -0.0, 1e308])),
    NOT_UTF8: alerts(70, remark=texts(b"caf\xe9", b"\xff\xfe", b"fine", b"\xed\xa0\x80", "ü".encode())),
    NOT_UTF8_INSIDE: alerts(
        180,
        tags=pa.ListArray.from_arrays(pa.array(range(ROWS + 1), pa.int32()), GARBLED),
        who=pa.StructArray.from_arrays([GARBLED, pa.array(range(ROWS))], ["name", "number"]),
    ),
    "more-columns.parquet": alerts(80, sky=pa.array([[1.0, None]] * ROWS), place=pa.array([{"ra": 1.0}] * ROWS)),
    "fewer-columns.parquet": alerts(90, magpsf=None, remark=None),
    "hostile-text.parquet": alerts(
        100, remark=pa.array(["\x00", "'; DROP TABLE x", "${env:HOME}", "a" * 20_000, "\n"])
    ),
    BAD_NAME: alerts(110, **{"bad name": pa.array([1] * ROWS)}),
    "empty-name.parquet": alerts(120, **{"": pa.array([1] * ROWS)}),
    "nested-bad-name.parquet": alerts(130, place=pa.array([{"ra (deg)": 1.0}] * ROWS)),
    "digit-first.parquet": alerts(140, **{"1st": pa.array([1] * ROWS)}),
    "not-ascii.parquet": alerts(150, größe=pa.array([1] * ROWS)),
    "no-avro-type.parquet": alerts(160, when=pa.array([[(1, "x")]] * ROWS, pa.map_(pa.int32(), pa.string()))),
    OTHER_ID: alerts(170, candid=pa.array([str(number) for number in range(170, 170 + ROWS)])),
}
# What an output of all columns cannot publish.
WITHOUT_AVRO = {
    BAD_NAME, "empty-name.parquet", "nested-bad-name.parquet", "digit-first.parquet", "not-ascii.parquet", "no-avro-type.parquet",
}  # fmt: skip


def candids(*names: str) -> list[int | None]:
    found = (candid for name in names for candid in READ[name].column("candid").to_pylist())
    return sorted(found, key=lambda candid: (candid is None, candid))


@pytest.fixture
def put(job: JobProcess) -> Callable[[], None]:
    def written() -> None:
        hidden = job.source / "_all"
        hidden.mkdir()
        for name, (content, _) in ASIDE.items():
            (hidden / name).write_bytes(content)
        for name, table in READ.items():
            (hidden / name).write_bytes(parquet(table))
        (hidden / "empty.parquet").touch()  # Spark passes over it
        # In a batch of its own, so that the others are one table.
        (hidden / OTHER_ID).rename(job.source / f"_{OTHER_ID}")
        hidden.rename(job.source / "all")

    return written


def test_each_is_named_and_no_alert_of_a_good_file_is_lost(
    stream: Stream, job: JobProcess, put: Callable[[], None]
) -> None:
    job.document["outputs"] = [
        {"name": "ids", "topic": stream.topic("ids"), "select": ["candid"]},
        {"name": "whole", "topic": stream.topic("whole")},
        {"name": "json", "topic": stream.topic("json"), "select": ["objectId", "magpsf", "remark"], "format": "Json"},
        {
            "name": "remarks",
            "topic": stream.topic("remarks"),
            "select": ["objectId"],
            "filter": {"python": "job_filters.gates.has_remark"},
        },
    ]
    job.document["delivery"] = stream.allow_transactions("ids", "whole", "json", "remarks")
    put()
    job.start()
    rows = sum(table.num_rows for table in READ.values())
    job.until_read(rows - ROWS, timeout=200)
    (job.source / f"_{OTHER_ID}").rename(job.source / OTHER_ID)
    job.until_read(rows)
    job.until(lambda: job.progress().get("quarantinedFileCount") == len(ASIDE), "all that cannot be read is aside")
    progress = job.progress()
    assert "lastError" not in progress
    assert {one["reason"] for one in progress["quarantinedFiles"]} == {"FileUnreadable"}
    said = job.said()
    for name, (_, words) in ASIDE.items():
        [line] = [line for line in said.splitlines() if "FileUnreadable: The file" in line and f"/{name} " in line]
        assert words in line

    messages = everything(stream.login, [stream.name(short) for short in ("ids", "whole", "json", "remarks")])
    got: dict[str, list[Any]] = {short: [] for short in ("ids", "whole", "json", "remarks")}
    for message in messages:
        short = message.topic.removeprefix(f"{stream.prefix}-")
        got[short].append(json.loads(message.value) if short == "json" else message.alert)
    everybody = candids(*(name for name in READ if name != OTHER_ID))
    assert sorted((one["candid"] for one in got["ids"]), key=lambda one: (one is None, one)) == everybody
    whole = candids(*(name for name in READ if name not in {*WITHOUT_AVRO, OTHER_ID}))
    assert sorted((one["candid"] for one in got["whole"]), key=lambda one: (one is None, one)) == whole
    assert len(got["json"]) == rows

    # What is wrong with alerts that are there all the same is said, with file and column.
    lines = [line for line in said.splitlines() if "2 alerts have no candid" in line]
    assert lines
    assert all(f"/{NULL_ID}" in line for line in lines)
    nameless = [
        message for message in messages if message.topic == stream.name("ids") and message.alert["candid"] is None
    ]
    assert {message.headers["id"] for message in nameless} == {""}
    lines = [line for line in said.splitlines() if "the column remark has text that is not UTF-8" in line]
    assert lines
    assert all(f"/{NOT_UTF8}" in line for line in lines)
    remarks = {one["objectId"]: one["remark"] for one in got["whole"] if "remark" in one}
    assert [remarks[f"ZTF{number}"] for number in (70, 72, 74)] == ["caf\ufffd", "fine", "ü"]
    assert [
        line for line in said.splitlines() if "the column tags has text in it" in line and f"/{NOT_UTF8_INSIDE}" in line
    ]
    inside = {one["candid"]: (one["tags"], one["who"]) for one in got["whole"] if one["candid"] in range(180, 185)}
    names = ["caf\ufffd", "fine", "\ufffd", "ü", ""]
    assert [who for _, who in map(inside.get, range(180, 185))] == [
        {"name": name, "number": number} for number, name in enumerate(names)
    ]
    assert [tags for tags, _ in map(inside.get, range(180, 185))] == [None, ["fine"], None, ["ü"], [""]]
    numbers = {one["candid"]: one["magpsf"] for one in got["whole"] if one["candid"] in range(60, 65)}
    assert math.isnan(numbers[60])
    assert [numbers[61], numbers[62], numbers[64]] == [math.inf, -math.inf, 1e308]
    assert math.copysign(1, numbers[63]) == -1
    assert {one["magpsf"] for one in got["json"] if one["objectId"] in ("ZTF60", "ZTF61")} == {"NaN", "Infinity"}

    # An output that cannot publish a file says why, and waits with that file alone.
    failing = job.output("whole")
    assert failing["pendingFiles"] == len(WITHOUT_AVRO) + 1
    assert failing["reason"] in ("EncodingFailed", "SchemaIncompatible")
    assert any(
        word in failing["error"] for word in ("bad name", "place.ra (deg)", "1st", "größe", "when", "candid", "column ")
    )
    ids = job.output("ids")
    assert (ids["reason"], ids["pendingFiles"]) == ("SchemaIncompatible", 1)
    assert "candid" in ids["error"]
    assert job.output("remarks")["pendingFiles"] == 0
    job.stop()
