"""The settings of librdkafka's clients: where the brokers are, and the stream's own login, read anew each time."""

from __future__ import annotations

from pathlib import Path

from distribution_job.config import Kafka
from distribution_job.failures import BatchError, Reason


def client_config(kafka: Kafka) -> dict[str, object]:
    """What every client needs. Raises BatchError (KafkaUnavailable) when a file of the login cannot be read."""
    config: dict[str, object] = {
        "bootstrap.servers": kafka.bootstrap_servers,
        "security.protocol": kafka.security_protocol,
        "log_level": 0,  # its errors come through error_cb
    }
    if kafka.security_protocol.startswith("SASL") and kafka.credentials_directory is not None:
        try:
            config["sasl.username"] = (kafka.credentials_directory / "username").read_text(encoding="utf-8").strip()
            config["sasl.password"] = (kafka.credentials_directory / "password").read_text(encoding="utf-8").strip()
        except OSError as error:
            raise BatchError(
                Reason.KAFKA_UNAVAILABLE,
                f"The credentials cannot be read: {error}. kafka.credentialsDirectory must hold username and password.",
            ) from error
        config["sasl.mechanism"] = kafka.sasl_mechanism
    if kafka.security_protocol.endswith("SSL"):
        config["ssl.endpoint.identification.algorithm"] = "https" if kafka.verify_hostname else "none"
    if kafka.ca_file is not None:
        # Its text, not its path: a renewed authority makes another client, as a rotated login does.
        config["ssl.ca.pem"] = _read(kafka.ca_file)
    return config


def _read(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8")
    except OSError as error:
        raise BatchError(
            Reason.KAFKA_UNAVAILABLE,
            f"The certificate of the brokers' authority cannot be read: {error}. Correct kafka.caFile.",
        ) from error
