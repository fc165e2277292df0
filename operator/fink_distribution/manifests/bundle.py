"""A set of manifests as resources that know each other: names complete, references resolved, streams with their children."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from fink_distribution.manifests.problems import ManifestError, Origin, Problem
from fink_distribution.manifests.reading import Document
from fink_distribution.manifests.schemas import check, is_ours
from fink_distribution.resources.distribution_stream import DistributionStream
from fink_distribution.resources.kafka_acl import topic_keys, user_key
from fink_distribution.resources.kafka_connection import connection_name
from fink_distribution.resources.kafka_user import principal, user_name
from fink_distribution.resources.keys import Body, Key, Kind
from fink_distribution.streams.notifier_objects import notifier_children
from fink_distribution.streams.objects import children

PLANNED_KINDS = (Kind.ALERT_TOPIC, Kind.KAFKA_USER, Kind.KAFKA_ACL)


@dataclass(frozen=True)
class Bundle:
    """Checked manifests.

    Attributes
    ----------
    bodies
        All resources of ours, in the order in which they were read, each in a namespace.
    origins
        Where each stands; a stream's children stand where the stream stands.
    left_out
        How many objects were of other API groups.
    """

    bodies: Mapping[Key, Body]
    origins: Mapping[Key, Origin] = field(default_factory=dict)
    left_out: int = 0

    @classmethod
    def of(cls, documents: Iterable[Document], namespace: str) -> Bundle:
        """Check manifests and put them together.

        Parameters
        ----------
        namespace
            Of resources that name none.

        Raises
        ------
        ManifestError
            With all that the schemas refuse, that stands twice, and that is referred to and missing.
        """
        documents = list(documents)
        own = [document for document in documents if is_ours(document)]
        problems = [problem for document in own for problem in check(document)]
        if problems:
            raise ManifestError(problems)
        bodies: dict[Key, Body] = {}
        origins: dict[Key, Origin] = {}
        for document in own:
            body = _placed(document.body, namespace)
            key = Key.of(body)
            if key in bodies:
                twice = f"it stands in {origins[key]} already; keep one of the two."
                problems.append(Problem(document.origin, str(key), "", twice))
            bodies[key], origins[key] = body, document.origin
        for stream in [body for key, body in bodies.items() if key.kind is Kind.DISTRIBUTION_STREAM]:
            for child in _children(stream):
                # What kubectl get printed holds the children already.
                if bodies.setdefault(Key.of(child), child) is child:
                    origins[Key.of(child)] = origins[Key.of(stream)]
        bundle = cls(bodies, origins, len(documents) - len(own))
        problems += bundle._missing()
        if problems:
            raise ManifestError(problems)
        return bundle

    def planned(self) -> Iterator[tuple[Key, Body]]:
        """Yield the resources that become something in Kafka: topics, then users, then permissions, as they depend on each other."""
        for kind in PLANNED_KINDS:
            yield from sorted((key, body) for key, body in self.bodies.items() if key.kind is kind)

    def connections(self) -> frozenset[str]:
        """Return the names of the KafkaConnections that the resources are about."""
        return frozenset(self.connection_of(key) for key, _ in self.planned())

    def connection_of(self, key: Key) -> str:
        """Return the connection of a resource; a KafkaAcl with a userRef has its user's."""
        body = self.bodies[key]
        user = user_key(body) if key.kind is Kind.KAFKA_ACL else None
        return connection_name(body if user is None else self.bodies[user])

    def principal_of(self, body: Body) -> str:
        """Return Kafka's principal that a KafkaAcl is about."""
        user = user_key(body)
        named: str = body["spec"]["principal"] if user is None else principal(user_name(self.bodies[user]))
        return named

    def of_connection(self, name: str) -> Bundle:
        """Return the part that is about one Kafka cluster."""
        kept = {key for key, _ in self.planned() if self.connection_of(key) == name}
        return Bundle({key: body for key, body in self.bodies.items() if key in kept}, self.origins, self.left_out)

    def _missing(self) -> Iterator[Problem]:
        for key, body in self.bodies.items():
            for needed in sorted(needs(key, body) - self.bodies.keys()):
                yield Problem(
                    self.origins[key],
                    str(key),
                    "",
                    f"it names {needed}, which is not among the manifests. Give its file too (-f), or correct the reference.",
                )


def needs(key: Key, body: Body) -> frozenset[Key]:
    """Return the resources that have to be among the manifests, too."""
    if key.kind is not Kind.KAFKA_ACL:
        return frozenset()
    user = user_key(body)
    return topic_keys(body) if user is None else topic_keys(body) | {user}


def _placed(body: Body, namespace: str) -> Body:
    metadata = {"namespace": namespace, **body["metadata"]}
    return {**body, "spec": body.get("spec", {}), "metadata": metadata}


def _children(stream: Body) -> list[Body]:
    # Without an API server there is no uid yet; the children's owner reference is not looked at here.
    owner = {**stream, "metadata": {"uid": "", **stream["metadata"]}}
    declared = DistributionStream.of(owner)
    return [*children(owner, declared), *(notifier_children(owner, declared) if declared.slack else [])]
