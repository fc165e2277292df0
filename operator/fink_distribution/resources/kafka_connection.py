"""KafkaConnection: how the operator, and the clients that it makes, reach one Kafka cluster."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from fink_distribution.resources.keys import Body, Kind

CA_KEY = "ca.crt"


@dataclass(frozen=True)
class Credentials:
    """Where the name and the password of the operator's login lie."""

    mechanism: str
    secret_name: str
    username_key: str
    password_key: str


@dataclass(frozen=True)
class TlsSettings:
    """Where the certificates lie.

    Attributes
    ----------
    ca
        (kind, name, key) of the Secret or ConfigMap with the authority's certificates; None for those that the system trusts.
    client_secret
        The Secret with a client certificate (tls.crt, tls.key), or None.
    """

    ca: tuple[str, str, str] | None
    client_secret: str | None
    verify_hostname: bool


@dataclass(frozen=True)
class ClientAccess:
    """What a client needs to know of a cluster besides its own credentials.

    Attributes
    ----------
    ca
        PEM of the brokers' authority; None without TLS, or when the system's authorities are enough.
    """

    bootstrap_servers: str
    security_protocol: str
    ca: str | None = None
    verify_hostname: bool = True


@dataclass(frozen=True)
class KafkaConnection:
    """The spec of a KafkaConnection.

    Attributes
    ----------
    credentials
        None when the client certificate is the operator's login.
    """

    name: str
    bootstrap_servers: str
    client_bootstrap_servers: str
    credentials: Credentials | None
    tls: TlsSettings | None
    cluster_id: str | None

    @classmethod
    def of(cls, body: Body) -> KafkaConnection:
        """Read the spec of an object that the API server has checked."""
        spec = body["spec"]
        return cls(
            name=body["metadata"]["name"],
            bootstrap_servers=",".join(spec["bootstrapServers"]),
            client_bootstrap_servers=",".join(spec.get("clientBootstrapServers") or spec["bootstrapServers"]),
            credentials=_credentials(spec["sasl"]) if "sasl" in spec else None,
            tls=_tls(spec["tls"]) if "tls" in spec else None,
            cluster_id=spec.get("clusterId"),
        )

    @property
    def client_protocol(self) -> str:
        """Kafka's name for how clients log in: always with SCRAM, since that is what a KafkaUser has."""
        return "SASL_PLAINTEXT" if self.tls is None else "SASL_SSL"

    @property
    def has_ca(self) -> bool:
        """Whether clients are given the certificate of the brokers' authority."""
        return self.tls is not None and self.tls.ca is not None

    @property
    def verify_hostname(self) -> bool:
        """Whether clients are to check that a broker's certificate names its address; True where there is no TLS."""
        return self.tls is None or self.tls.verify_hostname


def _credentials(sasl: Mapping[str, Any]) -> Credentials:
    secret = sasl["credentialsSecretRef"]
    return Credentials(
        mechanism=sasl.get("mechanism", "SCRAM-SHA-512"),
        secret_name=secret["name"],
        username_key=secret.get("usernameKey", "username"),
        password_key=secret.get("passwordKey", "password"),
    )


def _tls(tls: Mapping[str, Any]) -> TlsSettings:
    return TlsSettings(
        ca=authority(tls),
        client_secret=(tls.get("clientCertificateSecretRef") or {}).get("name"),
        verify_hostname=tls.get("hostnameVerification", True),
    )


def authority(fields: Mapping[str, Any]) -> tuple[str, str, str] | None:
    """Return (kind, name, key) of what caSecretRef or caConfigMapRef names; None without either."""
    named = {"Secret": fields.get("caSecretRef"), "ConfigMap": fields.get("caConfigMapRef")}
    found = [(kind, ref["name"], ref.get("key", CA_KEY)) for kind, ref in named.items() if ref]
    return found[0] if found else None


def connection_name(body: Body) -> str:
    """Return the name of the KafkaConnection that a resource is about."""
    name: str = (body["spec"].get("connectionRef") or {}).get("name", "default")
    return name


def connection_in_use(body: Body) -> str | None:
    """Return the KafkaConnection through which a resource has been brought to Kafka: a KafkaAcl's is its user's."""
    if body["kind"] != Kind.KAFKA_ACL:
        return connection_name(body)
    found: str | None = (body.get("status") or {}).get("connection")
    return found
