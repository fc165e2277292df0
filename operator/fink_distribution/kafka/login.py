"""Where a Kafka cluster is, and who we are there: in the settings of both client libraries."""

from __future__ import annotations

import os
import ssl
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Tls:
    """How the brokers' certificates are checked, and with which one of our own we log in.

    Attributes
    ----------
    ca
        PEM of the authorities; None for those that the system trusts.
    certificate, key
        PEM of the client's certificate with its chain, and of its key; None to show none.
    """

    ca: str | None = None
    certificate: str | None = None
    key: str | None = None
    verify_hostname: bool = True

    def __repr__(self) -> str:
        return f"Tls(verify_hostname={self.verify_hostname})"

    def librdkafka(self) -> dict[str, str]:
        """Return librdkafka's settings. All is handed over in memory, so that no key lies in a file."""
        settings = {"ssl.ca.pem": self.ca} if self.ca is not None else {"ssl.ca.location": "probe"}
        if self.certificate is not None and self.key is not None:
            settings |= {"ssl.certificate.pem": self.certificate, "ssl.key.pem": self.key}
        return {**settings, "ssl.endpoint.identification.algorithm": "https" if self.verify_hostname else "none"}

    def context(self) -> ssl.SSLContext:
        """Return what Python's own TLS needs; raises ssl.SSLError when the PEM is none."""
        context = ssl.create_default_context(cadata=self.ca)
        context.check_hostname = self.verify_hostname
        if self.certificate is not None and self.key is not None:
            # OpenSSL's Python binding reads certificates from files only; this one is in memory, and gone when closed.
            descriptor = os.memfd_create("client-certificate", os.MFD_CLOEXEC)
            try:
                os.write(descriptor, f"{self.key}\n{self.certificate}".encode())
                context.load_cert_chain(f"/proc/self/fd/{descriptor}")
            finally:
                os.close(descriptor)
        return context


@dataclass(frozen=True)
class Login:
    """Where a cluster is and who we are there. `password` and the key never leave the process.

    Attributes
    ----------
    mechanism, username, password
        None when the client's certificate alone is the login.
    """

    bootstrap_servers: str
    mechanism: str | None
    username: str | None
    password: str | None
    tls: Tls | None = None

    def __repr__(self) -> str:
        return f"Login({self.bootstrap_servers}, {self.security_protocol}, {self.mechanism}, {self.username})"

    @property
    def security_protocol(self) -> str:
        """Kafka's name for the way to talk to it."""
        return f"{'' if self.mechanism is None else 'SASL_'}{'PLAINTEXT' if self.tls is None else 'SSL'}"

    def librdkafka(self) -> dict[str, Any]:
        """Return the settings of a client of confluent_kafka."""
        settings: dict[str, Any] = {
            "bootstrap.servers": self.bootstrap_servers,
            "security.protocol": self.security_protocol,
        }
        if self.mechanism is not None:
            settings |= {
                "sasl.mechanism": self.mechanism,
                "sasl.username": self.username,
                "sasl.password": self.password,
            }
        return settings if self.tls is None else {**settings, **self.tls.librdkafka()}

    def kafka_python(self) -> dict[str, Any]:
        """Return the settings of a client of kafka-python."""
        settings: dict[str, Any] = {
            "bootstrap_servers": self.bootstrap_servers.split(","),
            "security_protocol": self.security_protocol,
        }
        if self.mechanism is not None:
            settings |= {
                "sasl_mechanism": self.mechanism,
                "sasl_plain_username": self.username,
                "sasl_plain_password": self.password,
            }
        return settings if self.tls is None else {**settings, "ssl_context": self.tls.context()}
