"""What a broker is told: KRaft, SCRAM logins, ACLs enforced, nothing allowed that no ACL allows. Pure."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from fink_distribution.resources.credentials import jaas_config, java_quoted
from fink_distribution.resources.kafka_user import principal

_PLAIN = "org.apache.kafka.common.security.plain.PlainLoginModule"


@dataclass(frozen=True)
class Account:
    """A user's name and password."""

    user: str
    password: str = field(repr=False)


@dataclass(frozen=True)
class Quorum:
    """Where the controller listens, and which broker it is."""

    node_id: int
    address: str


@dataclass(frozen=True)
class Place:
    """One broker of a cluster.

    Attributes
    ----------
    address
        `host:port`, at which clients reach it, and the only one at which it listens for them.
    quorum
        The cluster's controller: the broker of this number is it as well.
    data
        The folder of its data.
    copies
        How many copies of each partition there are to be unless a topic says otherwise, of Kafka's own topics too.
    """

    node_id: int
    address: str
    quorum: Quorum
    data: Path
    copies: int = 1

    @property
    def is_controller(self) -> bool:
        """Whether it is the controller as well."""
        return self.node_id == self.quorum.node_id


def server_properties(place: Place, admin: Account) -> dict[str, str]:
    """Return the settings of a broker.

    Parameters
    ----------
    admin
        The super user, as whom brokers log in to each other, too.
    """
    scram = jaas_config(admin.user, admin.password)
    # Credentials of SCRAM are the controller's own data, so brokers cannot log in to it by them.
    plain = _plain_jaas_config(admin)
    clients, controller = f"CLIENT://{place.address}", f"CONTROLLER://{place.quorum.address}"
    copies, enough = str(place.copies), str(max(1, place.copies - 1))
    return {
        "process.roles": "broker,controller" if place.is_controller else "broker",
        "node.id": str(place.node_id),
        "controller.quorum.voters": f"{place.quorum.node_id}@{place.quorum.address}",
        "controller.listener.names": "CONTROLLER",
        "listeners": f"{clients},{controller}" if place.is_controller else clients,
        "advertised.listeners": clients,
        "listener.security.protocol.map": "CLIENT:SASL_PLAINTEXT,CONTROLLER:SASL_PLAINTEXT",
        "inter.broker.listener.name": "CLIENT",
        "sasl.mechanism.inter.broker.protocol": "SCRAM-SHA-512",
        "sasl.mechanism.controller.protocol": "PLAIN",
        "listener.name.client.sasl.enabled.mechanisms": "SCRAM-SHA-512,SCRAM-SHA-256",
        "listener.name.client.scram-sha-512.sasl.jaas.config": scram,
        "listener.name.client.scram-sha-256.sasl.jaas.config": scram,
        "listener.name.controller.sasl.enabled.mechanisms": "PLAIN",
        "listener.name.controller.plain.sasl.jaas.config": plain,
        "authorizer.class.name": "org.apache.kafka.metadata.authorizer.StandardAuthorizer",
        "super.users": principal(admin.user),
        "allow.everyone.if.no.acl.found": "false",
        "auto.create.topics.enable": "false",
        "default.replication.factor": copies,
        "min.insync.replicas": enough,
        "offsets.topic.replication.factor": copies,
        "offsets.topic.num.partitions": "3",
        "transaction.state.log.replication.factor": copies,
        "transaction.state.log.min.isr": enough,
        "transaction.state.log.num.partitions": "3",
        "share.coordinator.state.topic.replication.factor": copies,
        "share.coordinator.state.topic.min.isr": enough,
        "group.initial.rebalance.delay.ms": "0",
        # After a kill the controller takes the new process for an impostor until the old one's session is over.
        "broker.heartbeat.interval.ms": "500",
        "broker.session.timeout.ms": "3000",
        "log.dirs": str(place.data),
    }


def _plain_jaas_config(admin: Account) -> str:
    """Return the JAAS line of the controller's listener: the brokers' login, and the list of those that it knows."""
    password = java_quoted(admin.password)
    return f"{_PLAIN} required username={java_quoted(admin.user)} password={password} user_{admin.user}={password};"
