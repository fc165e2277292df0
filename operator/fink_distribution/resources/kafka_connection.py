"""KafkaConnection: how the operator reaches one Kafka cluster."""

from __future__ import annotations

from dataclasses import dataclass

from fink_distribution.resources.keys import Body

SECURITY_PROTOCOL = "SASL_PLAINTEXT"


@dataclass(frozen=True)
class KafkaConnection:
    """The spec of a KafkaConnection."""

    name: str
    bootstrap_servers: str
    mechanism: str
    secret_name: str
    username_key: str
    password_key: str
    cluster_id: str | None

    @classmethod
    def of(cls, body: Body) -> KafkaConnection:
        """Read the spec of an object that the API server has checked."""
        spec = body["spec"]
        secret = spec["sasl"]["credentialsSecretRef"]
        return cls(
            name=body["metadata"]["name"],
            bootstrap_servers=",".join(spec["bootstrapServers"]),
            mechanism=spec["sasl"].get("mechanism", "SCRAM-SHA-512"),
            secret_name=secret["name"],
            username_key=secret.get("usernameKey", "username"),
            password_key=secret.get("passwordKey", "password"),
            cluster_id=spec.get("clusterId"),
        )


def connection_name(body: Body) -> str:
    """Return the name of the KafkaConnection that a resource is about."""
    name: str = (body["spec"].get("connectionRef") or {}).get("name", "default")
    return name
