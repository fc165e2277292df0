"""Why a resource is not Ready: one taxonomy, whose reason is the condition's and the Event's.

The errors know nothing of kopf or Kubernetes; `fink_distribution.reconcile.controller` turns them into conditions.
"""

from __future__ import annotations

from enum import StrEnum


class Reason(StrEnum):
    """The reasons of the conditions, as users see them. docs/reasons.md says what to do about each."""

    # Ready
    RECONCILED = "Reconciled"
    CONNECTED = "Connected"
    RUNNING = "Running"
    SUSPENDED = "Suspended"
    OBSERVED = "Observed"
    IN_SYNC = "InSync"
    CHANGES_PLANNED = "ChangesPlanned"
    # Reconciling: time will mend it
    PROGRESSING = "Progressing"
    DEPENDENCY_NOT_READY = "DependencyNotReady"
    KAFKA_UNREACHABLE = "KafkaUnreachable"
    PODS_STARTING = "PodsStarting"
    TERMINATING = "Terminating"
    # In the log and the metrics only: who does not hold the Lease writes no condition
    LEASE_NOT_HELD = "LeaseNotHeld"
    # Stalled: a person has to mend it
    AUTHENTICATION_FAILED = "AuthenticationFailed"
    TLS_FAILED = "TlsFailed"
    CREDENTIALS_MISSING = "CredentialsMissing"
    CLUSTER_MISMATCH = "ClusterMismatch"
    NOT_HONOURED = "NotHonoured"
    CONFLICT = "Conflict"
    POLICY_VIOLATION = "PolicyViolation"
    GRANT_MISSING = "GrantMissing"
    SECRET_CONFLICT = "SecretConflict"  # noqa: S105 - a reason, not a password
    PASSWORD_INVALID = "PasswordInvalid"  # noqa: S105 - a reason, not a password
    ROTATION_FAILED = "RotationFailed"
    INVALID_CONFIG = "InvalidConfig"
    PARTITIONS_CANNOT_SHRINK = "PartitionsCannotShrink"
    NOT_AUTHORIZED = "NotAuthorized"
    TOPIC_RECREATED = "TopicRecreated"
    DELETION_DISABLED = "DeletionDisabled"
    IMAGE_PULL_FAILED = "ImagePullFailed"
    POD_FAILED = "PodFailed"
    OUTPUT_FAILED = "OutputFailed"
    SOURCE_FILE_CORRUPT = "SourceFileCorrupt"
    SOURCE_FAILED = "SourceFailed"
    NOTIFIER_NOT_READY = "NotifierNotReady"
    CLAIM_MISSING = "ClaimMissing"
    UNSCHEDULABLE = "Unschedulable"
    INTERNAL_ERROR = "InternalError"
    # Of the condition CredentialsVerified
    LOGIN_PENDING = "LoginPending"
    LOGIN_SUCCEEDED = "LoginSucceeded"
    LOGIN_REFUSED = "LoginRefused"
    # Events about credentials
    SECRET_REPLACED = "SecretReplaced"  # noqa: S105 - a reason, not a password
    SECRET_REPAIRED = "SecretRepaired"  # noqa: S105 - a reason, not a password
    PASSWORD_CHANGED = "PasswordChanged"  # noqa: S105 - a reason, not a password
    ROTATED = "Rotated"
    ROTATION_ENDED = "RotationEnded"
    ROTATION_REFUSED = "RotationRefused"
    # Events about deletion, and about what is in another cluster
    CLUSTER_CHANGED = "ClusterChanged"
    LEFT_BEHIND = "LeftBehind"
    CLEANED_UP = "CleanedUp"
    RETAINED = "Retained"


OF_CONNECTION = frozenset(
    {Reason.KAFKA_UNREACHABLE, Reason.AUTHENTICATION_FAILED, Reason.TLS_FAILED, Reason.CLUSTER_MISMATCH}
)
"""What is wrong with the connection, whichever resource meets it first."""


class ReconcileError(Exception):
    """A resource cannot be brought to its declared state now.

    Parameters
    ----------
    reason
        One word for machines.
    message
        For people: what is wrong, where, what is allowed, what to do. Never a secret.
    """

    def __init__(self, reason: Reason, message: str) -> None:
        super().__init__(message)
        self.reason = reason
        self.message = message


class Stalled(ReconcileError):  # noqa: N818 - named for the condition that it becomes
    """Only a person can mend it; it is looked at again when something it depends on changes, and at the drift pass."""


class Waiting(ReconcileError):  # noqa: N818 - named for what the resource does
    """Time, or another resource's arrival, will mend it.

    Parameters
    ----------
    retry_seconds
        Look again after so long, besides when a dependency wakes the resource; None leaves it to the wake.
    """

    def __init__(self, reason: Reason, message: str, retry_seconds: float | None = None) -> None:
        super().__init__(reason, message)
        self.retry_seconds = retry_seconds
