"""The settings of librdkafka's clients, read anew each time; a login that cannot be read is a failure of the batch."""

from __future__ import annotations

from distribution_job.failures import BatchError, Reason
from job_settings import kafka
from job_settings.kafka import Kafka


def client_config(settings: Kafka) -> dict[str, object]:
    """What every client needs. Raises BatchError (KafkaUnavailable) when a file of the login cannot be read."""
    try:
        return kafka.client_config(settings)
    except kafka.LoginFileError as error:
        raise BatchError(Reason.KAFKA_UNAVAILABLE, str(error)) from error
