"""The operator's settings, from environment variables with the prefix FINK_."""

from __future__ import annotations

from typing import Literal

from pydantic import Field
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

    @property
    def namespaces(self) -> tuple[str, ...]:
        """The namespaces to watch; empty for all."""
        named = {name.strip() for name in self.watch_namespaces.split(",") if name.strip()}
        return tuple(sorted(named | {self.namespace})) if named else ()
