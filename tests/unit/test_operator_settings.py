"""The settings that depend on one another."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from fink_distribution.settings import Settings


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"lease_duration_seconds": 29}, r"must be 0, or at least FINK_LEASE_RENEW_DEADLINE_SECONDS \(20\) plus"),
        ({"kafka_timeout_seconds": 11}, r"FINK_KAFKA_TIMEOUT_SECONDS \(11\)"),
        ({"lease_retry_seconds": 11}, r"must be at least twice FINK_LEASE_RETRY_SECONDS \(11\)"),
    ],
)
def test_a_lease_that_another_could_take_while_a_write_is_under_way_is_refused(
    values: dict[str, float], message: str
) -> None:
    with pytest.raises(ValidationError, match=message):
        Settings(**values)  # type: ignore[arg-type]


def test_without_a_lease_its_times_do_not_matter() -> None:
    settings = Settings(lease_duration_seconds=0, kafka_timeout_seconds=60)  # type: ignore[call-arg]
    assert settings.lease_duration_seconds == 0
