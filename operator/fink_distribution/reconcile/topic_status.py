"""What an AlertTopic's status says."""

from __future__ import annotations

from collections.abc import Sequence

from fink_distribution.errors import Reason, ReconcileError
from fink_distribution.plans.replicas import Placement
from fink_distribution.plans.topic_shortfalls import applied, remaining, together
from fink_distribution.plans.topics import (
    Adopt,
    AlterConfig,
    ChangeReplicas,
    CreateTopic,
    ObservedTopic,
    TopicChange,
    settled,
    unsettled_keys,
)
from fink_distribution.reconcile.context import Facts, Outcome
from fink_distribution.resources.alert_topic import AlertTopic
from fink_distribution.resources.conditions import State, Verdict
from fink_distribution.resources.modes import Mode, plan_facts, plan_lines
from fink_distribution.resources.modes import verdict as verdict_of_mode

_PROGRESS_SECONDS = 1.0


def intent(declared: AlertTopic, changes: Sequence[TopicChange]) -> Facts:
    """Return what is written down before the changes are made: after a crash in between it is known to be ours."""
    facts: Facts = {"topicName": declared.name}
    keys = set(declared.config_keys)
    for change in changes:
        match change:
            case CreateTopic():
                facts["ownership"] = "Creating"
                keys |= change.config.keys()
            case AlterConfig():
                keys |= change.set.keys()
            case ChangeReplicas():
                facts["replicasChange"] = _progress(change.target, len(change.assignment))
            case Adopt():
                facts |= {"ownership": "Adopted", "topicId": change.topic_id}
    if keys:
        facts["configKeys"] = sorted(keys)
    return facts


def seen(observed: ObservedTopic | None, cluster_id: str | None) -> Facts:
    """Return what a look at Kafka tells."""
    if observed is None:
        return {}
    facts: Facts = {
        "topicName": observed.name,
        "partitions": observed.partitions,
        "replicationFactor": observed.replication_factor,
    }
    if cluster_id:
        facts["clusterId"] = cluster_id
    return facts


def ledger(declared: AlertTopic, observed: ObservedTopic, changes: Sequence[TopicChange]) -> Facts:
    """Return what of the topic is ours."""
    made = {CreateTopic: "Created", Adopt: "Adopted"}
    facts: Facts = {
        "topicId": observed.topic_id,
        "ownership": next((made[type(each)] for each in changes if type(each) in made), declared.ownership),
    }
    # A key whose value was refused is not ours: what stands there was not set here. One that could not be reset still is.
    settled_keys = declared.config.keys() - unsettled_keys(declared, observed)
    kept = declared.config_keys & (declared.config.keys() | observed.config.keys())
    if keys := sorted(settled_keys | kept):
        facts["configKeys"] = keys
    return facts


def report(
    declared: AlertTopic,
    observed: ObservedTopic,
    placement: Placement | None,
    problems: Sequence[ReconcileError],
    facts: Facts,
) -> Outcome:
    """Return what a topic that is kept as declared is reported as."""
    now, target = settled(observed, placement), declared.replicas_target
    left = remaining(target, observed, placement) if placement is not None and target is not None else 0
    if left and target is not None:
        facts = {**facts, "replicasChange": _progress(target, left)}
    again = _PROGRESS_SECONDS if left else None
    if problems:
        error = together(problems, applied(declared, now))
        return Outcome(Verdict.of_error(error), facts, again or getattr(error, "retry_seconds", None))
    if left:
        text = (
            f"topic {now.name}: the brokers copy its data, so that each partition has {target} replica(s); {left} of "
            f"{now.partitions} partition(s) are still to be done."
        )
        return Outcome(Verdict(State.RECONCILING, Reason.PROGRESSING, text), facts, again)
    text = f"topic {now.name} has {now.partitions} partition(s), {now.replication_factor} replica(s)."
    return Outcome(Verdict(State.READY, Reason.RECONCILED, text), facts)


def _progress(target: int, remaining: int) -> Facts:
    return {"target": target, "partitionsRemaining": remaining}


def report_plan(
    mode: Mode,
    declared: AlertTopic,
    observed: ObservedTopic | None,
    changes: Sequence[TopicChange],
    problems: Sequence[ReconcileError],
    facts: Facts,
) -> Outcome:
    """Return what a topic that is only planned, or looked at, is reported as.

    A plan that Kafka would refuse in part is Stalled, as it would be in mode Enforce; status.plan has both parts.
    """
    what = f"topic {declared.name}"
    what += (
        " (it does not exist)"
        if observed is None
        else f" ({observed.partitions} partition(s), {observed.replication_factor} replica(s))"
    )
    refused = [f"not possible: {problem.message}" for problem in problems]
    facts = {**facts, **plan_facts(mode, [*changes, *refused])}
    if not problems:
        return Outcome(verdict_of_mode(mode, what, changes), facts)
    error = together(problems, [])
    possible = "; ".join(plan_lines(changes)) or "nothing"
    text = f"{what}: mode: Enforce would be refused: {' '.join(each.message for each in problems)} It would make: {possible}"
    first = Verdict.of_error(error)
    return Outcome(Verdict(first.state, first.reason, text), facts)
