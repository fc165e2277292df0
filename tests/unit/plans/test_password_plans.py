"""Which password counts, and what is said about it."""

from __future__ import annotations

import base64
from typing import Any

import pytest

from fink_distribution.errors import Reason
from fink_distribution.plans.passwords import plan_password
from fink_distribution.resources.credentials import Stored, keyed_hash
from fink_distribution.resources.kafka_user import KafkaUser

KEY = "a" * 64


def user(*, written: str | None, brought: bool) -> KafkaUser:
    spec: dict[str, Any] = {"authentication": {"passwordSecretRef": {"name": "source"}}} if brought else {}
    status: dict[str, Any] = {"userName": "u"}
    if written is not None:
        hashed = keyed_hash(KEY, "u", written)
        status["credential"] = {"hash": hashed, "mechanism": "SCRAM-SHA-512", "iterations": 4096}
    return KafkaUser.of({"metadata": {"name": "u"}, "spec": spec, "status": status})


def secret(password: str | bytes, key: str = KEY) -> Stored:
    content = password if isinstance(password, bytes) else password.encode()
    data = {"password": content, "ledger.key": key.encode()}
    return Stored.of({"metadata": {}, "data": {name: base64.b64encode(text).decode() for name, text in data.items()}})


@pytest.mark.parametrize(
    ("stored", "brought", "written", "password", "reason"),
    [
        (None, None, None, "made", None),
        (secret("one"), None, None, "one", None),  # cut off after the Secret was written
        (secret("one"), None, "one", "one", None),
        (secret("two"), None, "one", "two", Reason.PASSWORD_CHANGED),
        (None, None, "one", "made", Reason.SECRET_REPLACED),
        (secret(""), None, "one", "made", Reason.SECRET_REPLACED),
        (secret(b"\xff"), None, "one", "made", Reason.SECRET_REPLACED),
        (secret("one", key="b" * 64), None, "one", "one", Reason.PASSWORD_CHANGED),  # an edited key: written again
        (None, "mine", None, "mine", None),
        (secret("mine"), "mine", "mine", "mine", None),
        (None, "mine", "mine", "mine", Reason.SECRET_REPLACED),
        (secret("edited"), "mine", "mine", "mine", Reason.SECRET_REPAIRED),
        (secret("mine"), "new", "mine", "new", Reason.PASSWORD_CHANGED),
        (secret("made"), "mine", "made", "mine", Reason.PASSWORD_CHANGED),  # from now on brought
    ],
)
def test_password_plan(
    stored: Stored | None, brought: str | None, written: str | None, password: str, reason: Reason | None
) -> None:
    plan = plan_password(
        user(written=written, brought=brought is not None), stored, brought, lambda: "made", lambda: KEY
    )
    assert plan.password == password
    assert (plan.notice[0] if plan.notice else None) is reason
    assert plan.ledger_key == (stored.ledger_key if stored else KEY)
    assert password not in repr(plan)
