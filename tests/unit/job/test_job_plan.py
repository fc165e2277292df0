from __future__ import annotations

import json

import pytest
from job_passes import admit_all
from pyspark.sql.types import StructType

from distribution_job import plan
from distribution_job.avro_schema import AvroSchema
from distribution_job.failures import Failure, OutputError, Reason
from distribution_job.outputs import Format, Output
from distribution_job.topics import Topic

ALERTS = StructType().add("objectId", "string").add("candid", "long").add("stamp", "binary").add("bad name", "integer")
TOPICS: dict[str, Topic | Failure] = {"t": Topic("t", 4), "gone": Failure(Reason.TOPIC_UNAVAILABLE, "not there")}


def test_outputs_with_the_same_columns_share_one_projection() -> None:
    outputs = [
        Output("a", "t", select=("candid", "objectId")),
        Output("b", "t", drop=("stamp", "bad name")),
        Output("c", "t", select=("candid",)),
    ]
    made = plan.make(outputs, ALERTS, TOPICS, None, admit_all)
    assert [part.columns for part in made.projections] == [("candid", "objectId"), ("candid",)]
    assert [routed.projection for routed in made.outputs] == [0, 0, 1]
    assert made.failures == {}


def test_formats_have_projections_of_their_own_and_one_schema() -> None:
    outputs = [Output(form.value, "t", select=("candid",), format=form) for form in Format]
    made = plan.make(outputs, ALERTS, TOPICS, None, admit_all)
    assert [routed.projection for routed in made.outputs] == [0, 1, 2, 3]
    assert len({id(part.schema) for part in made.projections}) == 1


def test_a_column_may_have_another_name_in_the_messages() -> None:
    outputs = [
        Output("plain", "t", select=("objectId", "candid")),
        Output("renamed", "t", select=("objectId", "candid"), rename=(("candid", "alert_id"),)),
        Output("swapped", "t", select=("objectId", "candid"), rename=(("candid", "objectId"), ("objectId", "candid"))),
        Output("cured", "t", select=("bad name",), rename=(("bad name", "good_name"),)),
    ]
    made = plan.make(outputs, ALERTS, TOPICS, None, admit_all)
    assert made.failures == {}
    assert [part.columns for part in made.projections] == [("objectId", "candid")] * 3 + [("bad name",)]
    fields = [json.loads(part.schema.text)["fields"] for part in made.projections]
    assert [[(field["name"], field["type"][1]) for field in one] for one in fields[:3]] == [
        [("objectId", "string"), ("candid", "long")],
        [("objectId", "string"), ("alert_id", "long")],
        [("candid", "string"), ("objectId", "long")],
    ]


def test_an_output_fails_alone() -> None:
    outputs = [
        Output("good", "t", select=("candid",)),
        Output("topic", "gone"),
        Output("name", "t"),
        Output("select", "t", select=("candidd",)),
        Output("drop", "t", drop=("stampp",)),
        Output("empty", "t", select=("candid",), drop=("candid",)),
        Output("rename", "t", rename=(("candidd", "id"),)),
        Output("dropped", "t", drop=("stamp",), rename=(("stamp", "cutout"),)),
        Output("clash", "t", select=("objectId", "candid"), rename=(("objectId", "Candid"),)),
    ]
    made = plan.make(outputs, ALERTS, TOPICS, None, admit_all)
    assert [routed.output.name for routed in made.outputs] == ["good"]
    assert {name: failure.reason for name, failure in made.failures.items()} == {
        "topic": Reason.TOPIC_UNAVAILABLE,
        "name": Reason.ENCODING_FAILED,
        "select": Reason.COLUMN_MISSING,
        "drop": Reason.COLUMN_MISSING,
        "empty": Reason.ENCODING_FAILED,
        "rename": Reason.COLUMN_MISSING,
        "dropped": Reason.COLUMN_MISSING,
        "clash": Reason.ENCODING_FAILED,
    }
    assert "names the column stamp, which its drop leaves out" in made.failures["dropped"].message
    assert "objectId and candid would both be called" in made.failures["clash"].message
    assert "Close to it: candid" in made.failures["select"].message


def test_only_those_whose_schema_has_the_same_id_share_a_projection() -> None:
    outputs = [Output(name, "t", select=("candid",), format=Format.CONFLUENT) for name in ("a", "b", "c")]
    made = plan.make(outputs, ALERTS, TOPICS, None, lambda output, schema: 7 if output.name == "b" else 8)
    assert [routed.projection for routed in made.outputs] == [0, 1, 0]
    assert [part.schema_id for part in made.projections] == [8, 7]


def test_all_columns_come_in_the_order_of_their_names_and_selected_ones_in_their_own() -> None:
    outputs = [Output("all", "t", drop=("bad name",)), Output("two", "t", select=("objectId", "candid"))]
    turned = StructType(ALERTS.fields[::-1])
    for alerts in (ALERTS, turned):
        made = plan.make(outputs, alerts, TOPICS, None, admit_all)
        assert [part.columns for part in made.projections] == [("candid", "objectId", "stamp"), ("objectId", "candid")]


def test_an_output_whose_schema_is_not_admitted_fails_alone() -> None:
    def admit(output: Output, schema: AvroSchema) -> None:
        if output.name == "refused":
            raise OutputError(Reason.SCHEMA_INCOMPATIBLE, schema.fingerprint)

    made = plan.make(
        [Output(name, "t", select=("candid",)) for name in ("refused", "good")], ALERTS, TOPICS, None, admit
    )
    assert [routed.output.name for routed in made.outputs] == ["good"]
    assert made.failures == {"refused": Failure(Reason.SCHEMA_INCOMPATIBLE, made.projections[0].schema.fingerprint)}


@pytest.mark.parametrize(
    ("columns", "configured", "found"),
    [
        (["objectId", "candid"], None, "candid"),
        (["objectId", "diaSourceId"], None, "diaSourceId"),
        (["objectId"], None, "objectId"),
        (["objectId", "mine"], "mine", "mine"),
    ],
)
def test_the_column_that_identifies_an_alert(columns: list[str], configured: str | None, found: str) -> None:
    alerts = StructType()
    for name in columns:
        alerts.add(name, "string")
    assert plan.identify(alerts, configured) == found


@pytest.mark.parametrize("configured", [None, "objectID"])
def test_alerts_that_cannot_be_identified(configured: str | None) -> None:
    with pytest.raises(OutputError, match=r"idColumn"):
        plan.identify(StructType().add("ra", "double"), configured)
