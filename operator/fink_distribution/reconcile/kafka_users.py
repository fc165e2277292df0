"""KafkaUser: a SCRAM credential in Kafka, its Secret and its quotas."""

from __future__ import annotations

from typing import Any

from fink_distribution.errors import Reason, Stalled
from fink_distribution.kafka import quotas, users
from fink_distribution.kafka.admin import KafkaAdmin
from fink_distribution.plans.passwords import plan_password
from fink_distribution.plans.quotas import ObservedQuotas, plan_quotas
from fink_distribution.plans.rotation import expire, look_again_seconds, plan_rotation, schedule_next, settle
from fink_distribution.plans.users import (
    DeleteCredential,
    WriteSecret,
    password_is_applied,
    plan_user,
    refuse_foreign,
)
from fink_distribution.reconcile import login_checks, secrets
from fink_distribution.reconcile.context import Context, Facts, Outcome, facts_of
from fink_distribution.reconcile.credentials import Turn
from fink_distribution.reconcile.login_checks import LoginChecks, Trial
from fink_distribution.reconcile.rivals import refuse_rival
from fink_distribution.resources.conditions import State, Verdict, condition
from fink_distribution.resources.credentials import Stored, keyed_hash, secret_data
from fink_distribution.resources.kafka_user import KafkaUser, principal
from fink_distribution.resources.keys import Body, is_controlled_by
from fink_distribution.resources.modes import Mode, is_enforced, mode_of, plan_facts, verdict, without_plan
from fink_distribution.resources.rotation import rotation_request, written_time


class KafkaUsers:
    """The reconciler of KafkaUser."""

    def __init__(self) -> None:
        self._checks = LoginChecks()

    async def reconcile(self, context: Context, body: Body) -> Outcome:
        """Keep password, Secret, credential and quotas as declared."""
        user = KafkaUser.of(body)
        admin = await context.connections.admin(user.connection)
        refuse_rival(context.registry, body)
        _refuse_own(user, admin)
        observed = await users.observe_one(admin, user.name)
        limits = await _observe_quotas(admin, user)
        if mode_of(body) is not Mode.OBSERVE:
            refuse_foreign(user, observed)
        live = await secrets.own_secret(context, body, user)
        brought = await secrets.brought(context, body, user)
        turn = Turn(context, admin, body, user, observed, limits, live, brought)
        if not is_enforced(body):
            return self._look(turn)
        await turn.run()
        return self._outcome(turn, body)

    def _look(self, turn: Turn) -> Outcome:
        """Report without changing anything; what was recorded as ours stays recorded."""
        body, user, mode = turn.body, turn.user, mode_of(turn.body)
        changes = _planned(turn) if mode is Mode.PLAN else []
        found = ", ".join(
            f"{mechanism} ({iterations} iterations)" for mechanism, iterations in sorted(turn.observed.items())
        )
        what = f"user {user.name} ({found or 'no credential'})"
        facts = {**without_plan(facts_of(body)), **_cluster_facts(turn.context, user), **plan_facts(mode, changes)}
        return Outcome(verdict(mode, what, changes), facts)

    def _outcome(self, turn: Turn, before: Body) -> Outcome:
        user = turn.user
        changed = user.written is not None and user.written.facts() != facts_of(before).get("credential")
        text = f"user {user.name} logs in with {user.mechanism}; its credentials are in Secret {user.secret}."
        state = user.rotation_state
        if state.is_overlapping and state.expires_at is not None:
            text += f" The password before, by {state.previous}, works until {written_time(state.expires_at)}."
            if rotation_request(turn.body) != state.request:
                text += " Another rotation was asked for; it begins then."
        ready = Verdict(State.READY, Reason.RECONCILED, text)
        is_new = changed or condition(turn.body, login_checks.CONDITION) is None
        if (
            user.written is not None
            and turn.password is not None
            and (is_new or not login_checks.is_settled(turn.body))
        ):
            trial = Trial(user.connection, user.name, user.mechanism, turn.password.password, user.written.facts())
            self._checks.request(turn.context, turn.body, trial)
        return Outcome(
            Verdict.of_error(turn.problem) if turn.problem else ready,
            _facts(turn),
            look_again_seconds(state, turn.now),
            (login_checks.pending(),) if is_new else (),
        )

    async def release(self, context: Context, body: Body) -> None:
        """Remove credential, quotas and Secret, unless the credential is to be retained or was never ours.

        In the modes Plan and Observe nothing is changed; so that Kubernetes does not collect the Secret, it is let go.
        """
        user = KafkaUser.of(body)
        if not is_enforced(body):
            await secrets.let_go(context, body, user)
            return
        if user.is_ours and user.deletion_policy == "Delete":
            admin = await context.connections.admin(user.connection)
            for change in plan_quotas(user.name, {}, user.owned_quotas, await _observe_quotas(admin, user)):
                await quotas.alter(admin, change)
            for mechanism in await users.observe_one(admin, user.name):
                await users.delete(admin, DeleteCredential(user.name, mechanism))
        secret = await context.cluster.get("v1", "Secret", body["metadata"]["namespace"], user.secret)
        if secret is not None and is_controlled_by(secret, body):
            await context.cluster.delete(secret, "v1", "Secret")


def _refuse_own(user: KafkaUser, admin: KafkaAdmin) -> None:
    if user.name == admin.login.username:
        raise Stalled(
            Reason.CONFLICT,
            f"user {user.name} is the one that the operator itself logs in as; its password is never changed here. Choose another "
            "userName.",
        )


async def _observe_quotas(admin: KafkaAdmin, user: KafkaUser) -> ObservedQuotas:
    """Ask only for users that have, or had, quotas of ours."""
    return await quotas.observe_one(admin, user.name) if user.quotas or user.owned_quotas else {}


def _planned(turn: Turn) -> list[object]:
    """Return what mode Enforce would change, the Secret among it."""
    user, stored = turn.user, Stored.of(turn.live) if turn.live else None
    now = turn.now
    state = expire(settle(user.rotation_state, user.declared_mechanism, may_rotate=user.password_source is None), now)
    user = user.with_rotation(schedule_next(state, user.rotation, turn.created, now))
    plan = plan_password(user, stored, turn.brought, secrets.new_password, secrets.new_ledger_key)
    data = secret_data(user, plan.password, plan.ledger_key, turn.access)
    changes: list[object] = []
    if stored is None or stored.differing(data):
        changes.append(WriteSecret(user.secret, exists=stored is not None))
    is_applied = password_is_applied(user, keyed_hash(plan.ledger_key, user.name, plan.password))
    changes += plan_user(user, turn.observed, is_applied)
    changes += plan_quotas(user.name, user.quotas, user.owned_quotas, turn.limits)
    request = rotation_request(turn.body) if user.is_ours and user.password_source is None else None
    rotation = plan_rotation(user.name, user.mechanism, user.rotation_state, request, now)
    return changes + ([rotation] if rotation else [])


def _cluster_facts(context: Context, user: KafkaUser) -> Facts:
    cluster_id = context.connections.cluster_id(user.connection)
    return {"clusterId": cluster_id} if cluster_id else {}


def _facts(turn: Turn) -> Facts:
    user = turn.user
    facts: dict[str, Any] = {
        "userName": user.name,
        "principal": principal(user.name),
        "secretName": user.secret,
        "binding": {"name": user.secret},
        **_cluster_facts(turn.context, user),
    }
    if user.written is not None:
        facts["credential"] = user.written.facts()
    if user.quotas:
        facts["quotas"] = dict(user.quotas)
    if rotation := user.rotation_state.facts():
        facts["rotation"] = rotation
    return facts
