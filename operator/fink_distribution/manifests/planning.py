"""What the operator would change in Kafka for a bundle of manifests, by the operator's own plans."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from fink_distribution.errors import Reason, Stalled
from fink_distribution.manifests.bundle import Bundle, needs
from fink_distribution.manifests.differences import DeleteTopic, Step, binding_steps, step
from fink_distribution.manifests.ledgers import Ledger, Source, expanded
from fink_distribution.plans.acls import plan_acls
from fink_distribution.plans.quotas import ObservedQuotas, plan_quotas
from fink_distribution.plans.topic_shortfalls import shortfalls
from fink_distribution.plans.topics import ObservedTopic, plan_topic
from fink_distribution.plans.users import DeleteCredential, ObservedUser, plan_user, refuse_foreign
from fink_distribution.resources.alert_topic import AlertTopic, topic_name
from fink_distribution.resources.kafka_acl import Binding, adopts
from fink_distribution.resources.kafka_user import KafkaUser, user_name
from fink_distribution.resources.keys import Body, Key, Kind
from fink_distribution.resources.modes import Mode, mode_of
from fink_distribution.resources.references import Claim, claim, precedence


@dataclass(frozen=True)
class Listing:
    """What the Kafka cluster has of what the manifests name."""

    topics: Mapping[str, ObservedTopic] = field(default_factory=dict)
    users: Mapping[str, ObservedUser] = field(default_factory=dict)
    bindings: Mapping[str, frozenset[Binding]] = field(default_factory=dict)
    quotas: Mapping[str, ObservedQuotas] = field(default_factory=dict)


@dataclass(frozen=True)
class PlannedResource:
    """What would become of one resource.

    Attributes
    ----------
    target
        What it is in Kafka, as in "topic ztf.alerts".
    existed
        Whether that is in Kafka already.
    problem
        Why the operator would not do all of it; its reason is the condition's.
    removed
        Whether the resource was applied before and is declared no more.
    """

    key: Key
    target: str
    mode: Mode
    existed: bool
    steps: tuple[Step, ...] = ()
    problem: Stalled | None = None
    removed: bool = False

    @property
    def is_applied(self) -> bool:
        """Whether the operator would do the steps, not only show them."""
        return self.mode is Mode.ENFORCE and bool(self.steps)

    @property
    def action(self) -> str:
        """What happens, in one word."""
        if self.problem and not self.steps:
            return "refused"
        if not self.steps:
            return "observed" if self.mode is Mode.OBSERVE else "none"
        if all(each.sign == "-" for each in self.steps) and self.removed:
            return "delete"
        return "change" if self.existed else "create"


def names_in_kafka(bundles: Sequence[Bundle]) -> tuple[set[str], set[str]]:
    """Return the topics and the users that the plan has to look at."""
    bodies = [(key.kind, body) for bundle in bundles for key, body in bundle.bodies.items()]
    topics = {topic_name(body) for kind, body in bodies if kind is Kind.ALERT_TOPIC}
    return topics, {user_name(body) for kind, body in bodies if kind is Kind.KAFKA_USER}


def plan_bundle(bundle: Bundle, listing: Listing, ledger: Ledger) -> tuple[PlannedResource, ...]:
    """Plan all resources of a bundle, and the end of those that were applied before and are declared no more."""
    bodies = {key: {**body, "status": ledger.status(key, body)} for key, body in bundle.planned()}
    planning = _Planning(bundle, listing, ledger, _first_claims(bodies.values()), _owned(bundle, ledger))
    found = [planning.one(key, body) for key, body in bodies.items()]
    return (*found, *(planning.end(key, body) for key, body in ledger.removed(bundle)))


@dataclass
class _Planning:
    bundle: Bundle
    listing: Listing
    ledger: Ledger
    first: Mapping[Claim, Body]
    owned: Mapping[str, Mapping[Key, frozenset[Binding]]]
    refused: dict[Key, Stalled] = field(default_factory=dict)

    def one(self, key: Key, body: Body) -> PlannedResource:
        """Plan one resource; a problem is part of the answer."""
        planners: Mapping[Kind, Callable[[Key, Body], PlannedResource]] = {
            Kind.ALERT_TOPIC: self._topic,
            Kind.KAFKA_USER: self._user,
            Kind.KAFKA_ACL: self._acl,
        }
        try:
            self._refuse_rival(key, body)
            return planners[key.kind](key, body)
        except Stalled as problem:
            self.refused[key] = problem
            return PlannedResource(key, self._target(key, body), mode_of(body), self._exists(key, body), (), problem)

    def end(self, key: Key, body: Body) -> PlannedResource:
        """Plan what the deletion of a resource does, as its deletionPolicy says."""
        ends: Mapping[Kind, Callable[[Key, Body], Iterable[Step]]] = {
            Kind.ALERT_TOPIC: self._topic_end,
            Kind.KAFKA_USER: self._user_end,
            Kind.KAFKA_ACL: self._acl_end,
        }
        mode, before = mode_of(body), self.ledger.applied
        steps = tuple(ends[key.kind](key, body)) if mode is Mode.ENFORCE else ()
        target, exists = self._target(key, body, before), self._exists(key, body, before)
        return PlannedResource(key, target, mode, exists, steps, removed=True)

    def _topic(self, key: Key, body: Body) -> PlannedResource:
        declared = AlertTopic.of(body)
        observed = self.listing.topics.get(declared.name)
        mode = mode_of(body)
        changes = () if mode is Mode.OBSERVE else plan_topic(declared, observed)
        found = () if observed is None or mode is Mode.OBSERVE else shortfalls(declared, observed)
        problem = next((each for each in found if isinstance(each, Stalled)), None)
        steps = tuple(step(change, observed) for change in changes)
        return PlannedResource(key, self._target(key, body), mode, observed is not None, steps, problem)

    def _topic_end(self, _: Key, body: Body) -> Iterator[Step]:
        declared = AlertTopic.of(body)
        observed = self.listing.topics.get(declared.name)
        is_ours = declared.ownership is not None and declared.topic_id in (None, observed and observed.topic_id)
        if observed is not None and is_ours and declared.deletion_policy != "Retain":
            yield step(DeleteTopic(declared.name, only_if_empty=declared.deletion_policy == "DeleteIfEmpty"), observed)

    def _user(self, key: Key, body: Body) -> PlannedResource:
        declared = KafkaUser.of(body)
        observed = self.listing.users.get(declared.name, {})
        mode = mode_of(body)
        steps: tuple[Step, ...] = ()
        if mode is not Mode.OBSERVE:
            refuse_foreign(declared, observed)
            # Whether Kafka has the Secret's password is known only in the cluster; a user that is there is taken to have it.
            changes = plan_user(declared, observed, password_is_applied=bool(observed))
            limits = self.listing.quotas.get(declared.name, {})
            quotas = plan_quotas(declared.name, declared.quotas, declared.owned_quotas, limits)
            steps = (*(step(change, observed) for change in changes), *(step(change, limits) for change in quotas))
        return PlannedResource(key, self._target(key, body), mode, bool(observed), steps)

    def _user_end(self, _: Key, body: Body) -> Iterator[Step]:
        declared = KafkaUser.of(body)
        observed = self.listing.users.get(declared.name, {})
        if declared.is_ours and declared.deletion_policy == "Delete":
            yield from (step(DeleteCredential(declared.name, mechanism), observed) for mechanism in sorted(observed))

    def _acl(self, key: Key, body: Body) -> PlannedResource:
        for needed in sorted(needs(key, body)):
            if needed in self.refused:
                raise Stalled(
                    Reason.DEPENDENCY_NOT_READY,
                    f"it waits for {needed}, which is refused ({self.refused[needed].reason}).",
                )
        declared = expanded(self.bundle, body)
        mode = mode_of(body)
        who = self.bundle.principal_of(body)
        observed = self.listing.bindings.get(who, frozenset())
        steps: tuple[Step, ...] = ()
        if mode is not Mode.OBSERVE:
            # Of what it once made, that which is there: a plan for people shows no revokes of what is gone.
            owned = self.ledger.owned(key, declared) & observed
            plan = plan_acls(declared, observed, owned, self._shared(key, who), adopt=adopts(body))
            steps = binding_steps(plan)
        return PlannedResource(key, self._target(key, body), mode, bool(declared & observed), steps)

    def _acl_end(self, key: Key, body: Body) -> tuple[Step, ...]:
        who = (self.ledger.applied or self.bundle).principal_of(body)
        observed = self.listing.bindings.get(who, frozenset())
        owned = self.ledger.owned(key, frozenset()) & observed
        return binding_steps(plan_acls(frozenset(), observed, owned, self._shared(key, who)))

    def _shared(self, key: Key, who: str) -> frozenset[Binding]:
        """Return what other resources made for the principal: a binding goes with the last of them."""
        others = [bindings for other, bindings in self.owned.get(who, {}).items() if other != key]
        return frozenset().union(*others)

    def _refuse_rival(self, key: Key, body: Body) -> None:
        wanted = claim(body)
        first = Key.of(body if wanted is None else self.first[wanted])
        if first != key:
            raise Stalled(
                Reason.CONFLICT,
                f"{self._target(key, body)} is declared by {first} too, which comes first. Delete one of the two, or give them different "
                "names in Kafka.",
            )

    def _target(self, key: Key, body: Body, bundle: Bundle | None = None) -> str:
        if key.kind is Kind.KAFKA_ACL:
            return f"permissions of {(bundle or self.bundle).principal_of(body)}"
        return f"topic {topic_name(body)}" if key.kind is Kind.ALERT_TOPIC else f"user {user_name(body)}"

    def _exists(self, key: Key, body: Body, bundle: Bundle | None = None) -> bool:
        if key.kind is Kind.ALERT_TOPIC:
            return topic_name(body) in self.listing.topics
        if key.kind is Kind.KAFKA_USER:
            return bool(self.listing.users.get(user_name(body)))
        return bool(self.listing.bindings.get((bundle or self.bundle).principal_of(body)))


def _first_claims(bodies: Iterable[Body]) -> Mapping[Claim, Body]:
    """Return who comes first of those that claim the same."""
    found: dict[Claim, Body] = {}
    for body in bodies:
        if (wanted := claim(body)) is not None:
            found[wanted] = min(found.get(wanted, body), body, key=precedence)
    return found


def _owned(bundle: Bundle, ledger: Ledger) -> Mapping[str, Mapping[Key, frozenset[Binding]]]:
    """Return which bindings each KafkaAcl is taken to have made, by principal."""
    found: defaultdict[str, dict[Key, frozenset[Binding]]] = defaultdict(dict)
    for key, body in bundle.planned():
        if key.kind is Kind.KAFKA_ACL:
            found[bundle.principal_of(body)][key] = ledger.owned(key, expanded(bundle, body))
    return found


def taken_as_own(planned: Sequence[PlannedResource], bundle: Bundle, ledger: Ledger) -> int:
    """Count the topics and users that exist, and that the operator would leave alone on a first apply."""
    if ledger.source is not Source.ASSUMED:
        return 0
    owners = (Kind.ALERT_TOPIC, Kind.KAFKA_USER)
    return sum(
        each.existed
        and each.key.kind in owners
        and each.mode is not Mode.OBSERVE
        and bundle.bodies[each.key]["spec"].get("adoptionPolicy", "Refuse") != "Adopt"
        for each in planned
    )
