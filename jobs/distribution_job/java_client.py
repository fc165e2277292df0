"""How Kafka's Java clients, which Spark uses, reach the brokers and log in."""

from __future__ import annotations

from pathlib import Path

from job_settings.kafka import Kafka

_LOGIN_FILE = "sasl.jaas.config"


def login_file(kafka: Kafka) -> Path | None:
    """The file that a client reads its login from."""
    if kafka.security_protocol.startswith("SASL") and kafka.credentials_directory is not None:
        return kafka.credentials_directory / _LOGIN_FILE
    return None


def reader(kafka: Kafka) -> dict[str, str]:
    """What `readStream.format("kafka")` is given to connect, and to see committed messages only."""
    chosen = {**connection(kafka), "isolation.level": "read_committed"}
    return {f"kafka.{name}": value for name, value in chosen.items()}


def connection(kafka: Kafka) -> dict[str, str]:
    """The settings of a client's connection. They hold no secret.

    The login is named by a variable that the client itself resolves from a file on its own machine (KIP-297, KIP-421),
    so that no password stands in Spark's configuration, plans, event log or UI.
    """
    chosen = {"bootstrap.servers": kafka.bootstrap_servers, "security.protocol": kafka.security_protocol}
    login = login_file(kafka)
    if login is not None:
        chosen |= {
            "sasl.mechanism": kafka.sasl_mechanism or "",
            "sasl.jaas.config": f"${{directory:{login.parent}:{login.name}}}",
            "config.providers": "directory",
            "config.providers.directory.class": "org.apache.kafka.common.config.provider.DirectoryConfigProvider",
            "config.providers.directory.param.allowed.paths": str(login.parent),
        }
    if kafka.ca_file is not None:
        chosen |= {"ssl.truststore.type": "PEM", "ssl.truststore.location": str(kafka.ca_file)}
    if not kafka.verify_hostname:
        chosen["ssl.endpoint.identification.algorithm"] = ""
    return chosen
