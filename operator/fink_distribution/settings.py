"""The operator's settings, from environment variables with the prefix FINK_."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, ValidationInfo, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict


class Settings(BaseSettings):
    """Settings of one operator process; the chart's values set them."""

    model_config = SettingsConfigDict(env_prefix="FINK_", frozen=True)

    namespace: str = Field(
        "fink-system", description="The operator's own namespace: KafkaConnections are honoured only there."
    )
    watch_namespaces: str = Field(
        "", description="Comma-separated namespaces to watch besides the operator's own; empty for all."
    )
    job_image: str = Field("", description="The image of the distribution job, for streams that name none.")
    job_image_pull_policy: Literal["Always", "IfNotPresent", "Never"] = Field(
        "IfNotPresent", description="The pull policy of the job's image."
    )
    slack_api_url: str = Field(
        "",
        pattern=r"^(https?://\S+)?$",
        description="Where the Slack notifiers of streams find Slack's API; empty for Slack's own.",
    )
    drift_interval_seconds: float = Field(60, ge=1, description="How often Kafka is compared with what is declared.")
    deletion_deadline_seconds: float = Field(
        300, ge=0, description="A deleted resource is let go after so long even when Kafka cannot be reached."
    )
    connection_probe_seconds: float = Field(
        15, ge=1, description="How often a healthy Kafka cluster is asked whether it is there."
    )
    workers: int = Field(256, ge=1, le=10000, description="How many resources are worked on at the same time.")
    kafka_timeout_seconds: float = Field(10, ge=1, description="How long one call to Kafka may take.")
    kubernetes_timeout_seconds: float = Field(30, ge=1, description="How long one call to the Kubernetes API may take.")
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = Field("INFO", description="What is logged.")
    log_format: Literal["text", "json"] = Field("text", description="How it is logged.")
    liveness_port: int = Field(8080, ge=0, le=65535, description="Port of /healthz; 0 switches it off.")
    metrics_port: int = Field(9090, ge=0, le=65535, description="Port of /metrics; 0 switches it off.")
    identity: str = Field(
        "",
        max_length=253,
        description="The name of this process in the Lease, which no other running process has; empty for the host's name and "
        "a random part. Who starts again under the name in the Lease takes it over at once.",
    )
    lease_retry_seconds: float = Field(
        2, gt=0, description="How often the Lease is renewed, and how often one that waits for it looks."
    )
    lease_renew_deadline_seconds: float = Field(
        20, gt=0, description="After so long without a renewal nothing is written any more."
    )
    # Last, because its validator looks at those above.
    lease_duration_seconds: int = Field(
        30,
        ge=0,
        validate_default=True,
        description="After so long without a renewal another operator takes over; 0: no Lease, there is never another operator.",
    )

    @field_validator("lease_duration_seconds")
    @classmethod
    def _outlasts_what_was_begun(cls, duration: int, info: ValidationInfo) -> int:
        """A call to Kafka that was begun just before the writes stop has ended before another operator begins."""
        retry, deadline, call = (
            info.data.get(name)
            for name in ("lease_retry_seconds", "lease_renew_deadline_seconds", "kafka_timeout_seconds")
        )
        if duration == 0 or retry is None or deadline is None or call is None:
            return duration
        if deadline < 2 * retry:
            raise ValueError(
                f"FINK_LEASE_RENEW_DEADLINE_SECONDS ({deadline:g}) must be at least twice FINK_LEASE_RETRY_SECONDS ({retry:g})"
            )
        if duration < deadline + call:
            raise ValueError(
                f"must be 0, or at least FINK_LEASE_RENEW_DEADLINE_SECONDS ({deadline:g}) plus FINK_KAFKA_TIMEOUT_SECONDS ({call:g})"
            )
        return duration

    @property
    def namespaces(self) -> tuple[str, ...]:
        """The namespaces to watch; empty for all."""
        named = {name.strip() for name in self.watch_namespaces.split(",") if name.strip()}
        return tuple(sorted(named | {self.namespace})) if named else ()
