"""Quota plans, a case a line."""

from __future__ import annotations

import pytest

from fink_distribution.plans.quotas import plan_quotas


@pytest.mark.parametrize(
    ("declared", "owned", "observed", "plan"),
    [
        ({}, {}, {}, []),
        ({}, {}, {"producer_byte_rate": 5.0}, []),  # somebody else's
        ({"producerByteRate": 5}, {}, {}, ["user u: set producer_byte_rate to 5"]),
        ({"producerByteRate": 5}, {"producerByteRate": 5}, {"producer_byte_rate": 5.0}, []),
        ({"producerByteRate": 5}, {}, {"producer_byte_rate": 6.5}, ["user u: set producer_byte_rate to 5"]),
        ({}, {"producerByteRate": 5}, {"producer_byte_rate": 5.0}, ["user u: unset producer_byte_rate"]),
        ({}, {"producerByteRate": 5}, {}, []),  # unset by hand already
        (
            {"requestPercentage": 200},
            {"consumerByteRate": 1, "controllerMutationRate": 2},
            {"consumer_byte_rate": 1.0, "controller_mutation_rate": 2.0, "producer_byte_rate": 9.0},
            ["user u: set request_percentage to 200, unset consumer_byte_rate, unset controller_mutation_rate"],
        ),
    ],
)
def test_quota_plan(
    declared: dict[str, int], owned: dict[str, int], observed: dict[str, float], plan: list[str]
) -> None:
    assert [str(change) for change in plan_quotas("u", declared, owned, observed)] == plan
