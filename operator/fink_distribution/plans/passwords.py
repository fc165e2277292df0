"""Which password a KafkaUser's Secret is to hold, and what to say when somebody has changed or removed it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from fink_distribution.errors import Reason, Stalled
from fink_distribution.resources.credentials import Stored, keyed_hash
from fink_distribution.resources.kafka_user import KafkaUser
from fink_distribution.resources.passwords import brought_password


@dataclass(frozen=True, repr=False)
class PasswordPlan:
    """The password that counts from now on.

    Attributes
    ----------
    notice
        Reason and message of an Event, when this is news to clients; None when nothing has happened.
    """

    password: str
    ledger_key: str
    notice: tuple[Reason, str] | None = None


def plan_password(
    user: KafkaUser,
    stored: Stored | None,
    brought: str | None,
    new_password: Callable[[], str],
    new_key: Callable[[], str],
) -> PasswordPlan:
    """Decide by what the Secret holds, what was brought, and what was last written to Kafka.

    A generated password that was edited in the Secret is taken over when it is a possible one: the one before is nowhere but in its
    readers' memory, only its hash is kept. A Secret that was deleted gets a new password for the same reason.
    """
    key = (stored.ledger_key if stored else None) or new_key()
    if brought is not None:
        return PasswordPlan(brought, key, _notice_of_brought(user, stored, brought, key))
    if stored is None:
        lost = f"Secret {user.secret} was deleted, and its password with it."
        return PasswordPlan(new_password(), key, _replaced(user, lost))
    try:
        found = brought_password(stored.data.get("password", b""), f"Secret {user.secret}, key password")
    except Stalled:
        lost = f"Secret {user.secret} held no password that a client could log in with any more."
        return PasswordPlan(new_password(), key, _replaced(user, lost))
    if user.written is None or keyed_hash(key, user.name, found) == user.written.hash:
        return PasswordPlan(found, key)
    text = f"the password in Secret {user.secret} was edited; it is the user's password now, and the one before is refused."
    return PasswordPlan(found, key, (Reason.PASSWORD_CHANGED, text))


def _replaced(user: KafkaUser, lost: str) -> tuple[Reason, str] | None:
    """Tell of a new password; nothing to tell when there has been none before."""
    if user.written is None:
        return None
    return Reason.SECRET_REPLACED, f"{lost} A new one was made: clients have to read the Secret again."


def _notice_of_brought(user: KafkaUser, stored: Stored | None, brought: str, key: str) -> tuple[Reason, str] | None:
    if user.written is None or user.password_source is None:
        return None
    source = f"Secret {user.password_source.name}, key {user.password_source.key}"
    if stored is None:
        return (
            Reason.SECRET_REPLACED,
            f"Secret {user.secret} was deleted; it was made again with the password of {source}.",
        )
    if stored.text("password") == brought:
        return None
    if keyed_hash(key, user.name, brought) == user.written.hash:
        return Reason.SECRET_REPAIRED, f"Secret {user.secret} held another password than {source}; it was put right."
    return (
        Reason.PASSWORD_CHANGED,
        f"the password of {source} has changed; it is the user's password now, and the one before is refused.",
    )
