"""Kafka's errors as ours: who has to mend it, and how."""

from __future__ import annotations

from confluent_kafka import KafkaError

from fink_distribution.errors import Reason, ReconcileError, Stalled, Waiting

RETRY_SECONDS = 5.0

_AWAY = {
    KafkaError._ALL_BROKERS_DOWN,
    KafkaError._TRANSPORT,
    KafkaError._TIMED_OUT,
    KafkaError._RESOLVE,
    KafkaError._SSL,
    KafkaError.BROKER_NOT_AVAILABLE,
    KafkaError.COORDINATOR_NOT_AVAILABLE,
    KafkaError.LEADER_NOT_AVAILABLE,
    KafkaError.NETWORK_EXCEPTION,
    KafkaError.NOT_CONTROLLER,
    KafkaError.REQUEST_TIMED_OUT,
    KafkaError.COORDINATOR_LOAD_IN_PROGRESS,
}
_DENIED = {
    KafkaError.CLUSTER_AUTHORIZATION_FAILED,
    KafkaError.TOPIC_AUTHORIZATION_FAILED,
    KafkaError.GROUP_AUTHORIZATION_FAILED,
    KafkaError.TRANSACTIONAL_ID_AUTHORIZATION_FAILED,
}
_LOGIN = {KafkaError._AUTHENTICATION, KafkaError.SASL_AUTHENTICATION_FAILED}
_ABSENT = {KafkaError.UNKNOWN_TOPIC_OR_PART, KafkaError.RESOURCE_NOT_FOUND, KafkaError.UNKNOWN_TOPIC_ID}


def is_away(error: KafkaError) -> bool:
    """Say whether the error means that the brokers could not be reached."""
    return error.code() in _AWAY


def is_absent(error: KafkaError) -> bool:
    """Say whether the error means that the topic or the user does not exist."""
    return error.code() in _ABSENT


def is_login_failure(error: KafkaError) -> bool:
    """Say whether the broker refused the credentials."""
    return error.code() in _LOGIN


def is_tls_failure(error: KafkaError) -> bool:
    """Say whether a TLS handshake failed: on our side, or by an alert or a hang-up of the broker's."""
    words = error.str()
    return error.code() == KafkaError._SSL or "SSL handshake failed" in words or "tls alert" in words


def explain(error: KafkaError, what: str, bootstrap_servers: str) -> ReconcileError:
    """Turn a Kafka error into ours.

    Parameters
    ----------
    what
        What was tried, as in "creating topic x".
    """
    text = f"{what}: {error.str()} ({error.name()})"
    if is_login_failure(error):
        return Stalled(
            Reason.AUTHENTICATION_FAILED,
            f"{bootstrap_servers} refused the operator's user name or password. Correct the Secret that the KafkaConnection's "
            "sasl.credentialsSecretRef names, or sasl.mechanism; it is tried again by itself.",
        )
    if is_away(error):
        return Waiting(
            Reason.KAFKA_UNREACHABLE,
            f"no answer from {bootstrap_servers} while {text}. It is tried again by itself; check that the brokers run, that "
            "the operator's pod may reach them, and whether they expect TLS (spec.tls).",
            RETRY_SECONDS,
        )
    if error.code() in _DENIED:
        return Stalled(
            Reason.NOT_AUTHORIZED,
            f"Kafka does not allow it: {text}. Make the KafkaConnection's user a super user, or grant it this operation.",
        )
    if error.code() == KafkaError.TOPIC_DELETION_DISABLED:
        return Stalled(
            Reason.DELETION_DISABLED,
            f"the brokers have delete.topic.enable=false, so nobody can delete a topic ({what}). Set it to true on the controllers, or "
            "set deletionPolicy: Retain to keep the topic.",
        )
    return Stalled(Reason.INVALID_CONFIG, f"Kafka refuses it: {text}. Correct the spec accordingly.")
