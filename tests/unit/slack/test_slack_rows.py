"""From a message to what is shown of its alert, and to whom."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import fastavro
import pytest
from slack_scene import alert, route

from slack_notifier import decoding
from slack_notifier.alert_rows import AlertRow, Fields, RowError, night_start, row
from slack_notifier.digests import Digest, Partition
from slack_notifier.layout import blocks, summary
from slack_notifier.routes import Condition, destinations

SCHEMA = {
    "type": "record",
    "name": "alert",
    "fields": [{"name": "objectId", "type": "string"}, {"name": "mag", "type": ["null", "double"]}],
}
RECORD = {"objectId": "ZTF26a", "mag": 18.5}
KEY = json.dumps(SCHEMA).encode()


def bare(record: dict[str, Any] = RECORD) -> bytes:
    data = io.BytesIO()
    fastavro.schemaless_writer(data, fastavro.parse_schema(SCHEMA), record)
    return data.getvalue()


def container(*records: dict[str, Any]) -> bytes:
    data = io.BytesIO()
    fastavro.writer(data, fastavro.parse_schema(SCHEMA), records)
    return data.getvalue()


def test_each_format_is_read() -> None:
    assert decoding.alerts(KEY, bare(), {}) == [RECORD]
    assert decoding.alerts(b"1", container(RECORD, RECORD), {"_format": b"avro"}) == [RECORD, RECORD]
    assert decoding.alerts(None, json.dumps(RECORD).encode(), {"_format": b"json", "id": b"1"}) == [RECORD]


@pytest.mark.parametrize(
    ("key", "value", "headers", "said"),
    [
        (KEY, None, {}, "it is empty"),
        (None, bare(), {}, "not what its key says"),
        (b"{}", bare(), {}, "not what its key says"),
        (KEY, bare()[:-3], {}, "not what its key says"),
        (KEY, bare() + b"!", {}, "bytes are left over"),
        (KEY, bare(), {"_format": b"avro"}, "not what its format avro says"),
        (b"1", container(RECORD)[:-20], {"_format": b"avro"}, "not what its format avro says"),
        (b"1", b"{", {"_format": b"json"}, "not what its format json says"),
        (b"1", b"[1]", {"_format": b"json"}, "something else than an alert"),
        (b"1", b"x", {"_format": b"xml"}, "known are avro and json"),
    ],
)
def test_what_is_no_alert_is_said(
    key: bytes | None, value: bytes | None, headers: dict[str, bytes | None], said: str
) -> None:
    with pytest.raises(decoding.DecodingError, match=said):
        decoding.alerts(key, value, headers)


def test_an_alert_of_ztf() -> None:
    found = row(alert(1, "EB*"), Fields(), 0.0, 18.0)
    assert found == AlertRow("ZTF26a000001", 61370, 12.501, -13.25, "EB*", 18.123, 5)


def test_an_alert_of_rubin() -> None:
    source = {"diaObjectId": 0, "ra": 1.0, "dec": 0.0, "midpointMjdTai": 61371.2, "psfFlux": 1000.0}
    packet = {"diaSource": source, "diaObject": {"diaObjectId": 17, "nDiaSources": 3}, "xm": {"simbad_otype": "Star"}}
    found = row(packet, Fields(), 0.0, 18.0)
    assert found == AlertRow("17", 61370, 1.0, 0.0, "Star", pytest.approx(23.9), 3)
    assert row({"diaSource": source, "diaSourceId": 4}, Fields(), 0.0, 18.0).object_id == "4"


def test_what_an_alert_lacks_is_left_out() -> None:
    found = row({"objectId": "a", "candidate": {"ra": float("nan"), "dec": "x"}}, Fields(), 86_400.0 * 10, 18.0)
    assert found == AlertRow("a", 40_596)
    with pytest.raises(RowError, match="none of objectId, diaObject"):
        row({"candid": 1}, Fields(), 0.0, 18.0)


def test_a_night_ends_at_its_hour() -> None:
    before, after = (row({"objectId": "a", "jd": 61371 + hour / 24}, Fields(), 0, 18.0).night for hour in (17.9, 18.1))
    assert (before, after) == (61370, 61371)
    day = 86_400.0 * 20_000
    assert night_start(day + 3600 * 17, 18.0) == pytest.approx(day - 3600 * 6)
    assert night_start(day + 3600 * 19, 18.0) == pytest.approx(day + 3600 * 18)


def test_the_real_alerts_are_shown(shared_data: Path) -> None:
    for name, detections in (("ztf_part-3-305711", 2), ("lsst_part-2-918301", 346)):
        data = (shared_data / "fink-client" / f"{name}.avro").read_bytes()
        rows = [row(one, Fields(), 0.0, 18.0) for one in decoding.alerts(b"1", data, {"_format": b"avro"})]
        assert rows[0].detections == detections
        assert all(one.ra is not None and one.dec is not None for one in rows)
        assert rows[1].magnitude == pytest.approx({2: 18.75, 346: 23.11}[detections], abs=0.01)
        assert rows[0].class_name == {2: "SN candidate", 346: None}[detections]


@pytest.mark.parametrize(
    ("operator", "value", "holds"),
    [
        ("<", 18.2, True), ("<=", 18.1, False), (">", 18, True), (">=", 18.123, True), ("=", 18.123, True),
        ("!=", 18.123, False), ("in", [1, 18.123], True), ("not in", [1], True), ("<", "x", False), ("in", ["x"], False),
    ],
)  # fmt: skip
def test_conditions(operator: str, value: Any, holds: bool) -> None:
    assert Condition("candidate.magpsf", operator, value).holds(alert(1)) is holds
    assert not Condition("candidate.absent", operator, value).holds(alert(1))
    assert not Condition("objectId.absent", operator, value).holds(alert(1))


@pytest.mark.parametrize(
    ("name", "channels", "expected"),
    [
        ("EB*WUMa", None, ["#ebwuma"]),
        ("EB*WUMa", {"#rrlyr"}, []),
        ("Unknown", None, []),
        (None, None, []),
        ("**", None, []),
    ],
)
def test_the_channel_of_a_class(name: str | None, channels: set[str] | None, expected: list[str]) -> None:
    by_class = route(None, channels=None if channels is None else frozenset(channels))
    found = list(destinations([by_class], "t-all", name, {}))
    assert [(one.recipient, one.optional) for one in found] == [(recipient, True) for recipient in expected]


def test_an_alert_takes_all_routes_and_each_recipient_gets_it_once() -> None:
    routes = [
        route("#a", classes=frozenset({"SN"})),
        route("#a", interval=5.0),
        route("Bob", topics=frozenset({"t-other"})),
        route("#b", conditions=(Condition("x", ">", 1), Condition("x", "<", 3))),
    ]
    assert [one.recipient for one in destinations(routes, "t-all", "SN", {"x": 2})] == ["#a", "#b"]
    assert [one.interval for one in destinations(routes, "t-all", "Star", {"x": 3})] == [5.0]
    assert [one.recipient for one in destinations(routes, "t-other", "SN", {"x": 2})] == ["Bob"]


def test_what_an_alert_says_is_shown_as_it_stands() -> None:
    digest = Digest(100, 0.0)
    evil = AlertRow("<!channel>|x y", 1, class_name="`<@U1>` & *")
    for offset in range(100):
        digest.add(Partition("t", 0), offset, evil)
    (part,) = digest.parts(0, threads=False)
    layout = blocks(part, "https://portal/")
    first = layout[1]["text"]["text"].splitlines()[0]
    assert first == "<https://portal/%3C%21channel%3E%7Cx%20y|&lt;!channel&gt;|x y>  `&lt;@U1&gt; &amp; *`"
    assert max(len(block["text"]["text"]) for block in layout) <= 3000
    assert summary(part).startswith("100 alerts: &lt;!channel&gt;|x y (`&lt;@U1&gt; &amp; *`), ")
    assert summary(part).endswith(" and 80 more.")
