"""Which change of a schema keeps which promise: the table that Confluent publishes, and Avro's own rules of resolution."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from pyspark.sql.types import DoubleType, FloatType, StructField, StructType

from distribution_job import avro_schema, compatibility
from distribution_job.failures import OutputError, Reason
from distribution_job.outputs import Compatibility, Format, Output
from distribution_job.schemas import Schemas

B, F, FULL = Compatibility.BACKWARD, Compatibility.FORWARD, Compatibility.FULL
ONE_STEP = (B, F, FULL)


def record(**fields: Any) -> str:
    """A record whose fields are types, or pairs of a type and a default."""
    made = [
        {"name": name, "type": kind[0], "default": kind[1]} if isinstance(kind, tuple) else {"name": name, "type": kind}
        for name, kind in fields.items()
    ]
    return json.dumps({"type": "record", "name": "alert", "namespace": "fink", "fields": made})


def nested(name: str, **fields: Any) -> dict[str, Any]:
    return {**json.loads(record(**fields)), "name": name}


OPTIONAL = (["null", "double"], None)


@pytest.mark.parametrize(
    ("old", "new", "kept"),
    [
        pytest.param(record(a="int"), record(a="int", b=OPTIONAL), {B, F, FULL}, id="optional field added"),
        pytest.param(record(a="int", b=OPTIONAL), record(a="int"), {B, F, FULL}, id="optional field removed"),
        pytest.param(record(a="int"), record(a="int", b="double"), {F}, id="field added"),
        pytest.param(record(a="int", b="double"), record(a="int"), {B}, id="field removed"),
        pytest.param(record(a="int", b="int"), record(b="int", a="int"), {B, F, FULL}, id="fields reordered"),
        pytest.param(record(a="int"), record(b="int"), set(), id="field renamed"),
        pytest.param(record(a="int"), record(a="long"), {B}, id="int to long"),
        pytest.param(record(a="long"), record(a="float"), {B}, id="long to float"),
        pytest.param(record(a="double"), record(a="float"), {F}, id="double to float"),
        pytest.param(record(a="int"), record(a="string"), set(), id="int to string"),
        pytest.param(record(a="bytes"), record(a="string"), {B, F, FULL}, id="bytes to string"),
        pytest.param(record(a="int"), record(a=["null", "int"]), {B}, id="null allowed"),
        pytest.param(record(a=["null", "int"]), record(a="int"), {F}, id="null forbidden"),
        pytest.param(record(a=OPTIONAL), record(a=(["null", "float"], None)), {F}, id="within a union"),
        pytest.param(
            record(a={"type": "array", "items": "int"}),
            record(a={"type": "array", "items": "long"}),
            {B},
            id="an array's items",
        ),
        pytest.param(
            record(a={"type": "map", "values": "long"}),
            record(a={"type": "map", "values": "int"}),
            {F},
            id="a map's values",
        ),
        pytest.param(record(a="int"), record(a={"type": "array", "items": "int"}), set(), id="int to array"),
        pytest.param(
            record(a=nested("r", x="int")), record(a=nested("r", x="int", y=OPTIONAL)), {B, F, FULL}, id="nested, added"
        ),
        pytest.param(
            record(a=nested("r", x="int")), record(a=nested("other", x="int")), set(), id="nested record renamed"
        ),
    ],
)
def test_one_step(old: str, new: str, kept: set[Compatibility]) -> None:
    assert {mode for mode in ONE_STEP if not compatibility.broken(new, [old], mode)} == kept
    assert not compatibility.broken(new, [old], Compatibility.NONE)
    assert not any(compatibility.broken(old, [old], mode) for mode in Compatibility)


@pytest.mark.parametrize(
    ("mode", "transitive", "first", "last", "new"),
    [
        # A field that was required, became optional and goes: the second reader can do without it, the first cannot.
        (F, Compatibility.FORWARD_TRANSITIVE, record(a="int", b="int"), record(a="int", b=("int", 0)), record(a="int")),
        (
            B,
            Compatibility.BACKWARD_TRANSITIVE,
            record(a="int"),
            record(a="int", b=("int", 0)),
            record(a="int", b="int"),
        ),
        (FULL, Compatibility.FULL_TRANSITIVE, record(b="int"), record(b=("int", 0)), record()),
    ],
)
def test_all_steps(mode: Compatibility, transitive: Compatibility, first: str, last: str, new: str) -> None:
    assert not compatibility.broken(new, [first, last], mode)
    assert "b is" in compatibility.broken(new, [first, last], transitive)
    assert not compatibility.broken(new, [last], transitive)
    assert compatibility.broken(new, [last, first], mode), "the last one counts"


def test_what_breaks_is_told_with_its_place() -> None:
    old = record(
        candidate=(["null", nested("c", magpsf="float", l={"type": "array", "items": nested("i", x="int")})], None)
    )
    new = record(candidate=(["null", nested("c", magpsf="double", l={"type": "array", "items": nested("i")})], None))
    said = compatibility.broken(new, [old], F)
    assert "candidate.magpsf is double, and was float" in said
    assert "candidate.l[].x is gone" in said
    date = {"type": "int", "logicalType": "date"}
    assert "a is string, and was date or null" in compatibility.broken(
        record(a="string"), [record(a=["null", date])], F
    )


def derived(*fields: StructField) -> avro_schema.AvroSchema:
    return avro_schema.derive(StructType(list(fields)))


WAS = derived(StructField("magpsf", FloatType()))
IS = derived(StructField("magpsf", DoubleType()))
WIDER = derived(StructField("magpsf", FloatType()), StructField("ra", DoubleType()))


def refused(schemas: Schemas, output: Output, schema: avro_schema.AvroSchema) -> str:
    with pytest.raises(OutputError) as caught:
        schemas.admit(output, schema)
    assert caught.value.failure.reason is Reason.SCHEMA_INCOMPATIBLE
    return caught.value.failure.message


def publish(schemas: Schemas, output: Output, schema: avro_schema.AvroSchema) -> None:
    schemas.admit(output, schema)
    schemas.note(output, schema)


def test_a_topics_schemas_are_remembered_over_restarts(tmp_path: Path) -> None:
    output = Output("o", ".t/../x")
    publish(Schemas(tmp_path), output, WAS)
    said = refused(Schemas(tmp_path), output, IS)
    assert "in the topic .t/../x, where compatibility is ForwardTransitive: magpsf is double or null" in said
    assert "rename" in said
    assert [file.parent for file in tmp_path.rglob("*.json")] == [tmp_path]
    publish(Schemas(tmp_path), output, WIDER)
    publish(Schemas(tmp_path), output, WAS)
    refused(Schemas(tmp_path), output, IS)
    Schemas(tmp_path).admit(Output("o", "another"), IS)


def test_what_was_only_planned_does_not_bind(tmp_path: Path) -> None:
    schemas, output = Schemas(tmp_path), Output("o", "t")
    schemas.admit(output, WAS)
    publish(schemas, output, IS)


def test_the_schema_is_written_to_the_outputs_file(tmp_path: Path) -> None:
    file = tmp_path / "new" / "distribution_schema"
    schemas, output = Schemas(tmp_path / "schemas"), Output("o", "t", schema_file=file)
    schemas.admit(output, WAS)
    assert not file.exists()
    for schema in (WAS, WIDER, WAS):
        publish(schemas, output, schema)
        assert file.read_text() == schema.text


def test_none_begins_anew(tmp_path: Path) -> None:
    output = Output("o", "t")
    publish(Schemas(tmp_path), output, WAS)
    publish(Schemas(tmp_path), Output("o", "t", compatibility=Compatibility.NONE), IS)
    publish(Schemas(tmp_path), output, derived(StructField("magpsf", DoubleType()), StructField("ra", DoubleType())))
    backward = Output("o", "t", compatibility=Compatibility.BACKWARD)
    assert "magpsf is float or null, and was double or null" in refused(Schemas(tmp_path), backward, WAS)


def test_an_id_that_an_output_gives_means_one_schema(tmp_path: Path) -> None:
    seven = Output("o", "t", format=Format.CONFLUENT, compatibility=Compatibility.NONE, schema_id=7)
    eight = replace(seven, schema_id=8)
    assert Schemas(tmp_path).admit(seven, WAS) == 7
    publish(Schemas(tmp_path), seven, WAS)
    assert Schemas(tmp_path).admit(seven, WAS) == 7
    said = refused(Schemas(tmp_path), seven, IS)
    assert "another schema than the one that has the id 7 in the topic t" in said
    assert Schemas(tmp_path).admit(eight, IS) == 8
    publish(Schemas(tmp_path), eight, IS)
    refused(Schemas(tmp_path), eight, WAS)
    assert Schemas(tmp_path).admit(seven, WAS) == 7
