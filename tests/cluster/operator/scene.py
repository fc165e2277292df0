"""A namespace of resources with an operator of its own: what the tests of the operator play on."""

from __future__ import annotations

import base64
import json
import os
import secrets
import signal
import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from confluent_kafka.admin import (
    AclBindingFilter,
    AclOperation,
    AclPermissionType,
    AdminClient,
    ConfigResource,
    ResourcePatternType,
    ResourceType,
)

from fink_distribution.resources.keys import API_VERSION
from testbed.fixtures import Kubectl, wait_for

ANY_ACL = (ResourceType.ANY, None, ResourcePatternType.ANY)


@dataclass
class Scene:
    """Namespaces, an operator process, and the Kafka cluster that it manages."""

    kubectl: Kubectl
    environment: Mapping[str, str]
    admin_config: Mapping[str, str]
    log: Path
    namespace: str = field(default_factory=lambda: f"t{secrets.token_hex(3)}")
    drift_seconds: float = 2
    deadline_seconds: float = 300
    lease_seconds: int = 6
    liveness_port: int = 0
    metrics_port: int = 0
    # The operator that starts again after a kill is the same pod's, so it has not to wait for its own Lease.
    identity: str = "operator-0"
    probe_seconds: float = 1
    process: subprocess.Popen[bytes] | None = None

    @property
    def home(self) -> str:
        """The operator's own namespace."""
        return f"{self.namespace}-home"

    @cached_property
    def admin(self) -> AdminClient:
        """Kafka, as its super user."""
        return AdminClient(dict(self.admin_config))

    def name(self, base: str) -> str:
        """Return a name in Kafka that no other test has."""
        return f"{self.namespace}.{base}"

    # The operator -------------------------------------------------------------------------------------------------

    def settings(self) -> dict[str, str]:
        """Return the operator's environment: it watches this scene's namespaces alone."""
        return {
            **self.environment,
            "FINK_NAMESPACE": self.home,
            "FINK_WATCH_NAMESPACES": self.namespace,
            "FINK_DRIFT_INTERVAL_SECONDS": str(self.drift_seconds),
            "FINK_DELETION_DEADLINE_SECONDS": str(self.deadline_seconds),
            "FINK_KAFKA_TIMEOUT_SECONDS": "3",
            "FINK_CONNECTION_PROBE_SECONDS": str(self.probe_seconds),
            "FINK_JOB_IMAGE": "localhost/job:none",
            "FINK_LIVENESS_PORT": str(self.liveness_port),
            "FINK_METRICS_PORT": str(self.metrics_port),
            "FINK_IDENTITY": self.identity,
            "FINK_LEASE_DURATION_SECONDS": str(self.lease_seconds),
            "FINK_LEASE_RENEW_DEADLINE_SECONDS": str(self.lease_seconds / 2),
            "FINK_LEASE_RETRY_SECONDS": str(self.lease_seconds / 12),
            "FINK_LOG_LEVEL": os.environ.get("TEST_OPERATOR_LOG_LEVEL", "INFO"),
        }

    def start(self) -> None:
        """Start the operator."""
        command = [str(Path(sys.executable).with_name("fink")), "run"]
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(command, env=self.settings(), stdout=log, stderr=log)

    def kill(self) -> None:
        """End the operator with SIGKILL, as a node that dies would."""
        if self.process is not None:
            self.process.send_signal(signal.SIGKILL)
            self.process.wait()
            self.process = None

    def stop(self) -> int | None:
        """End the operator as Kubernetes does; return its exit status."""
        if self.process is None:
            return None
        self.process.terminate()
        status = self.process.wait(timeout=30)
        self.process = None
        return status

    # Resources ----------------------------------------------------------------------------------------------------

    def manifest(self, kind: str, name: str, spec: Mapping[str, Any], namespace: str | None = None) -> dict[str, Any]:
        """Return a resource of ours."""
        metadata = {"name": name, "namespace": namespace or self.namespace}
        return {"apiVersion": API_VERSION, "kind": kind, "metadata": metadata, "spec": dict(spec)}

    def apply(self, *manifests: Mapping[str, Any]) -> None:
        """Apply manifests as a user would."""
        self.kubectl(
            "apply", "-f", "-", stdin=json.dumps({"apiVersion": "v1", "kind": "List", "items": list(manifests)})
        )

    def declare(self, kind: str, name: str, spec: Mapping[str, Any] | None = None) -> None:
        """Apply one resource."""
        self.apply(self.manifest(kind, name, spec or {}))

    def delete(self, kind: str, name: str, timeout: str = "30s") -> None:
        """Delete a resource and wait until it is gone."""
        self.kubectl("delete", kind, name, "-n", self.namespace, f"--timeout={timeout}", "--ignore-not-found")

    def connection(self, name: str = "default", **spec: Any) -> dict[str, Any]:
        """Return a KafkaConnection to this scene's Kafka."""
        servers = [self.admin_config["bootstrap.servers"]]
        credentials = {"sasl": {"credentialsSecretRef": {"name": "kafka-admin"}}}
        return self.manifest("KafkaConnection", name, {"bootstrapServers": servers, **credentials, **spec}, self.home)

    def admin_secret(self, password: str | None = None) -> dict[str, Any]:
        """Return the Secret that the connection names."""
        words = {
            "username": self.admin_config["sasl.username"],
            "password": self.admin_config["sasl.password"] if password is None else password,
        }
        metadata = {"name": "kafka-admin", "namespace": self.home}
        return {"apiVersion": "v1", "kind": "Secret", "metadata": metadata, "stringData": words}

    def condition(self, kind: str, name: str, condition: str, namespace: str | None = None) -> dict[str, str]:
        """Return one condition of a resource; empty when it does not stand there."""
        found = self.status(kind, name, namespace).get("conditions", [])
        return next((each for each in found if each["type"] == condition), {})

    def events(self, reason: str, namespace: str | None = None) -> list[str]:
        """Return what the Events of a reason say."""
        selected = f"--field-selector=reason={reason}"
        found = self.kubectl("get", "events", "-n", namespace or self.namespace, selected, "-o", "json")
        return [event["message"] for event in json.loads(found)["items"]]

    def get(self, kind: str, name: str, namespace: str | None = None) -> dict[str, Any]:
        """Return an object as the API server has it."""
        found: dict[str, Any] = json.loads(
            self.kubectl("get", kind, name, "-n", namespace or self.namespace, "-o", "json")
        )
        return found

    def exists(self, kind: str, name: str) -> bool:
        """Say whether an object exists."""
        return bool(self.kubectl("get", kind, name, "-n", self.namespace, "--ignore-not-found", "-o", "name"))

    def status(self, kind: str, name: str, namespace: str | None = None) -> dict[str, Any]:
        """Return a resource's status."""
        found: dict[str, Any] = self.get(kind, name, namespace).get("status", {})
        return found

    def ready(self, kind: str, name: str, reason: str, namespace: str | None = None, timeout: float = 60) -> str:
        """Wait until the Ready condition has this reason for the present generation; return its message."""

        def look() -> str:
            body = self.get(kind, name, namespace)
            status = body.get("status", {})
            conditions = {each["type"]: each for each in status.get("conditions", [])}
            ready = conditions.get("Ready", {})
            said, ended = f"{kind} {name}: {status.get('conditions')}", self.process and self.process.poll()
            assert ready.get("reason") == reason, said if ended is None else f"{said}; the operator ended with {ended}"
            assert status["observedGeneration"] == body["metadata"]["generation"]
            # kstatus: one of the two while not Ready, none when Ready.
            others = sorted({"Reconciling", "Stalled"} & set(conditions))
            assert (ready["status"] == "True") == (not others), conditions
            assert len(others) <= 1, conditions
            return str(ready["message"])

        return wait_for(look, timeout=timeout, what=f"{kind} {name} has reason {reason}")

    def secret(self, name: str) -> dict[str, str]:
        """Return a Secret's content."""
        data = self.get("secret", name).get("data", {})
        return {key: base64.b64decode(value).decode() for key, value in data.items()}

    # Kafka --------------------------------------------------------------------------------------------------------

    def topics(self) -> dict[str, int]:
        """Return this scene's topics with their numbers of partitions."""
        found = self.admin.list_topics(timeout=10).topics
        return {name: len(topic.partitions) for name, topic in found.items() if name.startswith(f"{self.namespace}.")}

    def topic_config(self, topic: str) -> dict[str, str]:
        """Return what is set on a topic itself."""
        resource = ConfigResource(ResourceType.TOPIC, topic)
        entries = self.admin.describe_configs([resource])[resource].result()
        return {name: entry.value for name, entry in entries.items() if entry.source == 1}

    def users(self) -> set[str]:
        """Return this scene's SCRAM users."""
        found = self.admin.describe_user_scram_credentials().result()
        return {name for name in found if name.startswith(f"{self.namespace}.")}

    def acls(self, user: str) -> set[str]:
        """Return a user's bindings, a line each."""
        wanted = AclBindingFilter(*ANY_ACL, f"User:{user}", None, AclOperation.ANY, AclPermissionType.ANY)
        return {
            f"{acl.operation.name} {acl.restype.name} {acl.resource_pattern_type.name} {acl.name} {acl.host}"
            for acl in self.admin.describe_acls(wanted).result()
        }


MakeScene = Callable[..., Scene]


def environment_of(kubeconfig: Path) -> dict[str, str]:
    """Return the environment of an operator process: no FINK_ settings of the caller's."""
    kept = {key: value for key, value in os.environ.items() if not key.startswith("FINK_")}
    return {**kept, "KUBECONFIG": str(kubeconfig)}
