"""Where the brokers are, and the application's own login: from the configuration's part `kafka` to the settings of librdkafka."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any


class LoginFileError(Exception):
    """A file of the login cannot be read."""


@dataclass(frozen=True)
class Kafka:
    bootstrap_servers: str
    security_protocol: str
    sasl_mechanism: str | None
    credentials_directory: Path | None
    ca_file: Path | None
    verify_hostname: bool = True


def freeze(part: dict[str, Any]) -> Kafka:
    """The configuration's part `kafka`, after its check by the schema."""
    credentials, ca_file = part.get("credentialsDirectory"), part.get("caFile")
    return Kafka(
        bootstrap_servers=part["bootstrapServers"],
        security_protocol=part["securityProtocol"],
        sasl_mechanism=part.get("saslMechanism"),
        credentials_directory=Path(credentials).absolute() if credentials else None,
        ca_file=Path(ca_file).absolute() if ca_file else None,
        verify_hostname=part.get("verifyHostname", True),
    )


def contradictions(kafka: Kafka) -> list[str]:
    """What the schema cannot say."""
    found = []
    if kafka.security_protocol.startswith("SASL"):
        protocol = kafka.security_protocol
        if kafka.sasl_mechanism is None:
            found.append(f"kafka.saslMechanism: {protocol} needs it. Set SCRAM-SHA-512 or SCRAM-SHA-256.")
        if kafka.credentials_directory is None:
            found.append(
                f"kafka.credentialsDirectory: {protocol} needs it. Set the folder that holds the files username, "
                "password and sasl.jaas.config."
            )
    if kafka.ca_file is not None and not kafka.security_protocol.endswith("SSL"):
        found.append(
            f"kafka.caFile: {kafka.security_protocol} is without TLS, so nobody would look at it. Set SASL_SSL or SSL, or "
            "leave it out."
        )
    return found


def login(folder: Path) -> tuple[str, str]:
    """User name and password, as a folder's files have them now. Raises OSError and UnicodeDecodeError."""
    username, password = ((folder / name).read_text(encoding="utf-8").strip() for name in ("username", "password"))
    return username, password


def client_config(kafka: Kafka) -> dict[str, object]:
    """What every client needs, with the login as its files have it now. Raises LoginFileError."""
    config: dict[str, object] = {
        "bootstrap.servers": kafka.bootstrap_servers,
        "security.protocol": kafka.security_protocol,
        "log_level": 0,  # its errors come through error_cb
    }
    if kafka.security_protocol.startswith("SASL") and kafka.credentials_directory is not None:
        try:
            config["sasl.username"], config["sasl.password"] = login(kafka.credentials_directory)
        except OSError as error:
            raise LoginFileError(
                f"The credentials cannot be read: {error}. kafka.credentialsDirectory must hold username and password."
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
        raise LoginFileError(
            f"The certificate of the brokers' authority cannot be read: {error}. Correct kafka.caFile."
        ) from error
