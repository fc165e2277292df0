"""One turn of an enforced KafkaUser: password, Secret, credential, quotas and rotation are kept as declared.

The Secret is written before the credential, so that no password is lost in a crash; but when the password is rotated the new
credential comes first, by the other mechanism, so that the Secret never holds a password that does not work.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from fink_distribution.errors import Reason, Stalled
from fink_distribution.kafka import quotas, users
from fink_distribution.kafka.admin import KafkaAdmin
from fink_distribution.kafka.logins import try_login
from fink_distribution.plans.passwords import PasswordPlan, plan_password
from fink_distribution.plans.quotas import ObservedQuotas, plan_quotas
from fink_distribution.plans.rotation import (
    RotatePassword,
    begin,
    expire,
    plan_rotation,
    refuse_request,
    schedule_next,
    settle,
    switched,
)
from fink_distribution.plans.users import (
    DeleteCredential,
    ObservedUser,
    UpsertCredential,
    password_is_applied,
    plan_user,
)
from fink_distribution.reconcile import secrets
from fink_distribution.reconcile.context import Context
from fink_distribution.resources.credentials import Stored, keyed_hash, secret_data
from fink_distribution.resources.kafka_connection import ClientAccess
from fink_distribution.resources.kafka_user import Credential, KafkaUser
from fink_distribution.resources.keys import Body
from fink_distribution.resources.rotation import rotation_request, written_time


@dataclass
class Turn:
    """What is known in one turn, and comes to be known.

    Attributes
    ----------
    live
        The Secret as it was read.
    problem
        What a person has to mend though the rest was done.
    """

    context: Context
    admin: KafkaAdmin
    body: Body
    user: KafkaUser
    observed: ObservedUser
    limits: ObservedQuotas
    live: dict[str, Any] | None
    brought: str | None
    password: PasswordPlan | None = None
    problem: Stalled | None = None

    async def run(self) -> None:
        """Bring everything to its declared state."""
        await self._write_ahead()
        await self._recognise_switch()
        self._advance_rotation()
        await self._keep_credential()
        await self._note_end()
        await self._keep_quotas()
        await self._rotate()

    @property
    def now(self) -> datetime:
        """The time."""
        return self.context.clock()

    @property
    def access(self) -> ClientAccess:
        """What the user's clients need to know of the cluster."""
        return self.context.connections.access(self.user.connection)

    @property
    def created(self) -> datetime:
        """When the user was created."""
        return self.user.created or self.now

    async def _write_ahead(self) -> None:
        """Write down what is about to become ours, before it does."""
        user = self.user
        facts: dict[str, Any] = {}
        if not user.is_ours:
            # The password is new already; an annotation that was there from the beginning asks for no other.
            state = replace(user.rotation_state, request=rotation_request(self.body))
            facts = {"userName": user.name, **({"rotation": state.facts()} if state.facts() else {})}
        if set(user.quotas) - set(user.owned_quotas):
            facts["quotas"] = {**user.owned_quotas, **user.quotas}
        if facts:
            await self._claim(**facts)

    async def _claim(self, **facts: Any) -> None:
        self.body = await self.context.claim(self.body, facts)
        self.user = KafkaUser.of(self.body)

    async def _recognise_switch(self) -> None:
        """After a crash between giving the Secret the new password and writing it down: the rotation goes on from there."""
        state, stored = self.user.rotation_state, Stored.of(self.live) if self.live else None
        if stored is None or not state.is_preparing or stored.text("sasl.mechanism") != state.mechanism:
            return
        password, key = stored.text("password"), stored.ledger_key
        if password is not None and key is not None:
            await self._note_switch(PasswordPlan(password, key))

    async def _note_switch(self, plan: PasswordPlan) -> None:
        state = switched(self.user.rotation_state, self.user.rotation, self.created, self.now)
        hashed = keyed_hash(plan.ledger_key, self.user.name, plan.password)
        credential = Credential(hashed, state.mechanism or self.user.mechanism, self.user.iterations)
        await self._claim(rotation=state.facts(), credential=credential.facts())
        until = written_time(state.expires_at or self.now)
        text = f"Secret {self.user.secret} has a new password, by {credential.mechanism}; the one before works until {until}."
        await self.context.event(self.body, "Normal", Reason.ROTATED, text)

    def _advance_rotation(self) -> None:
        user = self.user
        state = settle(user.rotation_state, user.declared_mechanism, may_rotate=user.password_source is None)
        state = expire(state, self.now)
        try:
            state = schedule_next(state, user.rotation, self.created, self.now)
        except Stalled as problem:
            self.problem = problem
        self.user = user.with_rotation(state)

    async def _keep_credential(self) -> None:
        user, stored = self.user, Stored.of(self.live) if self.live else None
        plan = plan_password(user, stored, self.brought, secrets.new_password, secrets.new_ledger_key)
        data = secret_data(user, plan.password, plan.ledger_key, self.access)
        if plan.notice is not None:
            # Should we be interrupted, the next turn finds a password that Kafka does not have, and not one that somebody edited.
            self.body = await self.context.claim({**self.body, "status": _without_credential(self.body)}, {})
        written = await secrets.write(self.context, self.body, user, data, self.live)
        if plan.notice is not None:
            kind = "Warning" if plan.notice[0] is Reason.SECRET_REPLACED else "Normal"
            await self.context.event(self.body, kind, *plan.notice)
        elif written and stored is not None and user.written is not None and (keys := stored.differing(data)):
            text = f"Secret {user.secret}: renewed {', '.join(keys)}."
            await self.context.event(self.body, "Normal", Reason.SECRET_REPAIRED, text)
        hashed = keyed_hash(plan.ledger_key, user.name, plan.password)
        await self._apply(plan.password, password_is_applied(user, hashed))
        self.user = replace(user, written=Credential(hashed, user.mechanism, user.iterations))
        self.password = plan

    async def _apply(self, password: str, is_applied: bool) -> None:
        for change in plan_user(self.user, self.observed, is_applied):
            self.context.changing(self.body, change)
            match change:
                case UpsertCredential():
                    await users.upsert(self.admin, change, password)
                case DeleteCredential():
                    await users.delete(self.admin, change)

    async def _keep_quotas(self) -> None:
        user = self.user
        for change in plan_quotas(user.name, user.quotas, user.owned_quotas, self.limits):
            self.context.changing(self.body, change)
            await quotas.alter(self.admin, change)

    async def _rotate(self) -> None:
        user, request = self.user, rotation_request(self.body)
        if user.password_source is not None:
            await self._refuse_rotation(request)
            return
        before = user.rotation_state
        change = plan_rotation(user.name, user.mechanism, before, request, self.now)
        if change is None:
            return
        self.context.changing(self.body, change)
        state = begin(before, user.declared_mechanism, change, request, self.now)
        if not before.is_preparing:
            written = {"credential": user.written.facts()} if user.written else {}
            await self._claim(rotation=state.facts(), **written)
        await self._switch(change)

    async def _switch(self, change: RotatePassword) -> None:
        """Write the new credential, log in with it, and only then give it to the Secret."""
        user, key = self.user, self.password.ledger_key if self.password else secrets.new_ledger_key()
        plan = PasswordPlan(secrets.new_password(), key)
        await users.upsert(self.admin, UpsertCredential(user.name, change.mechanism, user.iterations), plan.password)
        if not await try_login(self.admin, change.mechanism, user.name, plan.password):
            self.problem = Stalled(
                Reason.ROTATION_FAILED,
                f"the password of user {user.name} is not rotated: the brokers refuse the new one, by {change.mechanism}. The old one goes on, "
                f"by {user.mechanism}. Add {change.mechanism} to the listener's sasl.enabled.mechanisms; it is tried again by itself.",
            )
            return
        live = await secrets.own_secret(self.context, self.body, user)
        after = user.with_rotation(switched(user.rotation_state, user.rotation, self.created, self.now))
        data = secret_data(after, plan.password, key, self.access)
        await secrets.write(self.context, self.body, after, data, live)
        await self._note_switch(plan)
        self.password = plan

    async def _refuse_rotation(self, request: str | None) -> None:
        state = self.user.rotation_state
        if request is None or request == state.request:
            return
        self.user = self.user.with_rotation(refuse_request(state, request))
        source = self.user.password_source
        name = source.name if source else ""
        text = f"the password is brought by Secret {name}, so it is not rotated here. Change it there."
        await self.context.event(self.body, "Warning", Reason.ROTATION_REFUSED, text)

    async def _note_end(self) -> None:
        """Tell that the old password is refused from now on; Kafka has forgotten it by now."""
        earlier = KafkaUser.of(self.body).rotation_state
        if earlier.is_overlapping and not self.user.rotation_state.is_overlapping:
            text = f"the password before, by {earlier.previous}, is refused from now on; Secret {self.user.secret} has the only one."
            await self.context.event(self.body, "Normal", Reason.ROTATION_ENDED, text)


def _without_credential(body: Body) -> dict[str, Any]:
    return {name: value for name, value in body["status"].items() if name != "credential"}
