"""A broker's listeners over TLS: one with passwords (SASL_SSL), one with client certificates (SSL)."""

from __future__ import annotations

from pathlib import Path

from fink_distribution.local_kafka.private import write_private
from testbed import ports
from testbed.authority import Authority

CLIENT = "operator"
"""Whose certificate (CN=operator) is a super user's."""


class TlsListeners:
    """The listeners' addresses and certificates, in one folder; the addresses stay the same for the life of the folder."""

    def __init__(self, folder: Path, host: str = "127.0.0.1") -> None:
        self.folder = folder
        self.host = host
        self._ports = folder / "ports"
        self.renew("first")

    @property
    def bootstrap(self) -> str:
        """Where clients log in with SCRAM or PLAIN."""
        return f"{self.host}:{self._pick_ports()[0]}"

    @property
    def mutual_bootstrap(self) -> str:
        """Where clients log in with a certificate."""
        return f"{self.host}:{self._pick_ports()[1]}"

    @property
    def ca(self) -> str:
        """The authority's certificate, as PEM."""
        return self.authority.certificate.read_text()

    def renew(self, name: str, *, server_names: str | None = None, days: int = 365) -> None:
        """Have certificates of a new authority from the broker's next start on.

        `server_names`: what the broker's certificate is for, as in "DNS:kafka.example.org"; without it, its address.
        `days`: how long that certificate is valid; negative, it has ended.
        """
        self.authority = Authority(self.folder / name)
        names = server_names or f"IP:{self.host}"
        certificate, key = self.authority.sign("broker", "/CN=broker", server_names=names, days=days)
        write_private(self.folder / "broker.pem", key.read_text() + certificate.read_text())
        write_private(self.folder / "clients.pem", self.ca)

    def client_certificate(self, name: str = CLIENT) -> tuple[str, str]:
        """A client's certificate and key, as PEM."""
        certificate, key = self.authority.sign(name, f"/CN={name}")
        return certificate.read_text(), key.read_text()

    def added_to(self, settings: dict[str, str], scram: str, plain: str) -> dict[str, str]:
        """What the broker's settings are to have besides; `scram` and `plain` are JAAS lines."""
        names = {"TLS": self.bootstrap, "MUTUAL": self.mutual_bootstrap}
        listeners = "".join(f",{name}://{address}" for name, address in names.items())
        return {
            "listeners": settings["listeners"] + listeners,
            "advertised.listeners": settings["advertised.listeners"] + listeners,
            "listener.security.protocol.map": settings["listener.security.protocol.map"] + ",TLS:SASL_SSL,MUTUAL:SSL",
            "super.users": f"{settings['super.users']};User:CN={CLIENT}",
            "listener.name.tls.sasl.enabled.mechanisms": "SCRAM-SHA-512,SCRAM-SHA-256,PLAIN",
            "listener.name.tls.scram-sha-512.sasl.jaas.config": scram,
            "listener.name.tls.scram-sha-256.sasl.jaas.config": scram,
            "listener.name.tls.plain.sasl.jaas.config": plain,
            "listener.name.mutual.ssl.client.auth": "required",
            "ssl.keystore.type": "PEM",
            "ssl.keystore.location": str(self.folder / "broker.pem"),
            "ssl.truststore.type": "PEM",
            "ssl.truststore.location": str(self.folder / "clients.pem"),
        }

    def _pick_ports(self) -> tuple[int, int]:
        if not self._ports.exists():
            chosen = (ports.pick(f"{self.folder} passwords"), ports.pick(f"{self.folder} certificates"))
            self._ports.write_text("{} {}".format(*chosen))
        first, second = self._ports.read_text().split()
        return int(first), int(second)
