"""`spec.grants` of an AlertTopic: what other namespaces may do with the topic by naming it in a KafkaAcl."""

from __future__ import annotations

from fink_distribution.resources.keys import Body

GRANTED = {
    "Consume": frozenset({"Read", "Describe", "DescribeConfigs"}),
    "Produce": frozenset({"Write", "Describe", "DescribeConfigs", "Create"}),
}
"""What each grant covers: the shorthand of the same name, and looking at the configuration."""


def missing_grants(topic: Body, namespace: str, operations: tuple[str, ...]) -> tuple[str, ...]:
    """Return the operations on a topic that its AlertTopic does not grant a namespace; none in its own namespace."""
    if topic["metadata"]["namespace"] == namespace:
        return ()
    granted: set[str] = set()
    for grant in topic["spec"].get("grants") or []:
        if grant["namespace"] == namespace:
            granted.update(*(GRANTED[each] for each in grant["operations"]))
    return tuple(each for each in operations if each not in granted)


def grant_for(operations: tuple[str, ...]) -> str:
    """Return the grants that cover operations, as they stand in a spec; empty when none does."""
    for wanted in (("Consume",), ("Produce",), ("Consume", "Produce")):
        if set(operations) <= frozenset().union(*(GRANTED[each] for each in wanted)):
            return f"[{', '.join(wanted)}]"
    return ""
