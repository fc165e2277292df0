from __future__ import annotations

import pytest
from pyspark.sql.types import ArrayType, StructType

from distribution_job.columns import FieldPath, LightCurve, find
from distribution_job.failures import OutputError, Reason

DETECTION = StructType().add("jd", "double").add("magpsf", "float").add("candid", "long")
ALERTS = (
    StructType()
    .add("objectId", "string")
    .add("candid", "long")
    .add("roid", "integer")
    .add("candidate", StructType().add("jd", "double").add("magpsf", "float").add("candid", "long").add("rb", "float"))
    .add("prv_candidates", ArrayType(DETECTION))
    .add("cutoutScience", StructType().add("fileName", "string").add("stampData", "binary"))
    .add("cutoutTemplate", StructType().add("fileName", "string").add("stampData", "binary"))
    .add("xm", StructType().add("deep", StructType().add("score", "float")))
)


@pytest.mark.parametrize(
    ("name", "found"),
    [
        ("roid", FieldPath(("roid",))),
        ("candid", FieldPath(("candid",))),  # candidate.candid exists too: the top level wins
        ("rb", FieldPath(("candidate", "rb"))),
        ("jd", FieldPath(("candidate", "jd"))),  # not prv_candidates.jd: arrays are not entered
        ("score", FieldPath(("xm", "deep", "score"))),
        ("candidate", FieldPath(("candidate",))),
        ("cjdc", LightCurve("prv_candidates", "candidate", "jd")),
        ("cstampDatac", FieldPath(("cutoutScience", "stampData"))),
    ],
)
def test_what_an_argument_means(name: str, found: FieldPath | LightCurve) -> None:
    assert find(ALERTS, name) == found


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("stampData", "cutoutScience.stampData, cutoutTemplate.stampData"),
        ("Roid", "Close to it: roid"),
        ("magpfs", "Close to it: magpsf"),
        ("crbc", "neither a column"),  # rb has no history
        ("zzz", "There are: objectId"),
    ],
)
def test_an_argument_that_means_nothing_or_too_much(name: str, said: str) -> None:
    with pytest.raises(OutputError) as caught:
        find(ALERTS, name)
    assert caught.value.failure.reason is Reason.COLUMN_MISSING
    assert said in caught.value.failure.message
