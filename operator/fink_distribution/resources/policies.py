"""`spec.policies` of a KafkaConnection: what each namespace may do through it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from fink_distribution.resources.keys import Body

ANY = "*"
"""As a prefix, any name; as a namespace, every one."""

_PREFIXES = {
    "Topic": "topicPrefixes",
    "User": "userPrefixes",
    "Group": "groupPrefixes",
    "TransactionalId": "transactionalIdPrefixes",
}


@dataclass(frozen=True)
class Policy:
    """The policy that counts for one namespace.

    Attributes
    ----------
    prefixes
        By Topic, User, Group and TransactionalId: what names may start with.
    limits
        By the names of the fields of spec.policies[].limits; what is not there is not limited.
    allow
        The names of the fields of spec.policies[].allow that are true.
    """

    name: str
    connection: str
    namespace: str
    prefixes: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    limits: Mapping[str, int] = field(default_factory=dict)
    allow: frozenset[str] = frozenset()

    def permits(self, what: str, name: str) -> bool:
        """Say whether a name (or a prefix of names) of a Topic, User, Group or TransactionalId is allowed."""
        allowed = self.prefixes.get(what, ())
        # "*" as a name in Kafka is all names, so no prefix covers it.
        return ANY in allowed or (name != ANY and name.startswith(allowed))

    def __str__(self) -> str:
        return f"policy {self.name} of KafkaConnection {self.connection}"


def has_policies(connection: Body) -> bool:
    """Say whether a connection has policies; without any, every namespace may do everything."""
    return bool(connection["spec"].get("policies"))


def policy_for(connection: Body, namespace: str) -> Policy | None:
    """Return the first policy that matches a namespace; it counts alone. None when no policy does."""
    for item in connection["spec"].get("policies") or []:
        if namespace in item["namespaces"] or ANY in item["namespaces"]:
            return Policy(
                name=item["name"],
                connection=connection["metadata"]["name"],
                namespace=namespace,
                prefixes={
                    what: tuple(prefix.replace("{namespace}", namespace) for prefix in item.get(key) or ())
                    for what, key in _PREFIXES.items()
                },
                limits=dict(item.get("limits") or {}),
                allow=frozenset(name for name, value in (item.get("allow") or {}).items() if value),
            )
    return None
