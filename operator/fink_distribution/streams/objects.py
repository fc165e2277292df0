"""The Kubernetes objects of a stream, each owned by it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import yaml

from fink_distribution.resources.distribution_stream import DistributionStream
from fink_distribution.resources.keys import API_VERSION, GROUP, Body
from fink_distribution.streams import layout
from fink_distribution.streams.job_config import Surroundings, job_config
from fink_distribution.streams.manifest import CONFIG_HASH_ANNOTATION, Manifest, digest, owned

HASH_ANNOTATION = f"{GROUP}/template-hash"
_GRACE_SECONDS = 120
"""How long the driver may take to end its batch when it is told to stop."""


def children(owner: Body, stream: DistributionStream) -> list[Manifest]:
    """Return the stream's own KafkaUser and KafkaAcl: on its topics Write, Describe, DescribeConfigs and Read, and for transactions more.

    The driver reads max.message.bytes: a producer's batch that is larger than its topic takes may be lost without a word. A
    transaction leaves its mark as an offset of a group, for which Kafka wants Read on the topics and on the group; and `fink verify` reads
    the topics as this user.
    """
    operations = ["Write", "Describe", "DescribeConfigs", "Read"]
    topics = sorted({output.topic for output in stream.outputs})
    return [
        owned(
            owner,
            API_VERSION,
            "KafkaUser",
            stream.child_name,
            layout.labels(stream, "user"),
            spec={"connectionRef": {"name": stream.connection}, "userName": stream.user_name},
        ),
        owned(
            owner,
            API_VERSION,
            "KafkaAcl",
            stream.child_name,
            layout.labels(stream, "acl"),
            spec={
                "userRef": {"name": stream.child_name},
                "rules": [
                    {
                        "name": f"output-{index}",
                        "resource": {"type": "Topic", "topicRef": {"name": topic.name}},
                        "operations": operations,
                    }
                    for index, topic in enumerate(topics)
                ]
                + _source_rules(stream)
                + _transaction_rules(stream),
            },
        ),
    ]


def _source_rules(stream: DistributionStream) -> list[dict[str, Any]]:
    topic = stream.source.topic
    if topic is None:
        return []
    resource = {"type": "Topic", "topicRef": {"name": topic.name}}
    return [{"name": "source", "resource": resource, "operations": ["Read", "Describe"]}]


def _transaction_rules(stream: DistributionStream) -> list[dict[str, Any]]:
    name = stream.transactional_id
    if name is None:
        return []
    return [
        {
            "name": "transactions",
            "resource": {"type": "TransactionalId", "name": name},
            "operations": ["Write", "Describe"],
        },
        {"name": "marks", "resource": {"type": "Group", "name": name}, "operations": ["Read"]},
    ]


def workload(owner: Body, stream: DistributionStream, around: Surroundings) -> list[Manifest]:
    """Return what runs the stream, in the order in which it is applied."""
    config = _config_map(owner, stream, around)
    return [
        owned(
            owner,
            "v1",
            "ServiceAccount",
            stream.child_name,
            layout.labels(stream, "driver"),
            automountServiceAccountToken=False,
        ),
        _role(owner, stream),
        owned(
            owner,
            "rbac.authorization.k8s.io/v1",
            "RoleBinding",
            stream.child_name,
            layout.labels(stream, "driver"),
            roleRef={"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": stream.child_name},
            subjects=[{"kind": "ServiceAccount", "name": stream.child_name, "namespace": stream.namespace}],
        ),
        config,
        _stateful_set(owner, stream, around, digest(config["data"])),
    ]


def template_hash(stateful_set: Mapping[str, Any]) -> str:
    """Return the hash that a pod of this StatefulSet should carry."""
    found: str = stateful_set["spec"]["template"]["metadata"]["annotations"][HASH_ANNOTATION]
    return found


def _role(owner: Body, stream: DistributionStream) -> Manifest:
    # No Secrets, no exec: what the driver needs for its executors, and to say how far it is.
    rules = [
        {
            "apiGroups": [""],
            "resources": ["pods"],
            "verbs": ["create", "delete", "deletecollection", "get", "list", "patch", "watch"],
        },
        # SparkContext.stop() deletes what it may have made by label, and says so in the log when it may not.
        {"apiGroups": [""], "resources": ["services", "configmaps"], "verbs": ["deletecollection", "list"]},
        {"apiGroups": [""], "resources": ["persistentvolumeclaims"], "verbs": ["deletecollection", "list"]},
        {
            "apiGroups": [GROUP],
            "resources": ["distributionstreams/status"],
            "resourceNames": [stream.name],
            "verbs": ["patch"],
        },
    ]
    return owned(
        owner, "rbac.authorization.k8s.io/v1", "Role", stream.child_name, layout.labels(stream, "driver"), rules=rules
    )


def _config_map(owner: Body, stream: DistributionStream, around: Surroundings) -> Manifest:
    data = {
        layout.CONFIG_FILE: json.dumps(job_config(stream, around), indent=2, sort_keys=True),
        layout.EXECUTOR_TEMPLATE: yaml.safe_dump(executor_template(stream, around), sort_keys=True),
    }
    return owned(owner, "v1", "ConfigMap", stream.config_name, layout.labels(stream, "driver"), data=data)


def executor_template(stream: DistributionStream, around: Surroundings) -> Manifest:
    """Return the pod that Spark starts each executor from; it adds image, arguments, resources and environment."""
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"labels": layout.labels(stream, "executor")},
        "spec": {
            "automountServiceAccountToken": False,
            "securityContext": layout.pod_security(),
            "containers": [
                {
                    "name": layout.EXECUTOR_CONTAINER,
                    "securityContext": layout.container_security(),
                    "volumeMounts": [*layout.shared_mounts(stream), *layout.staging_mounts(stream)],
                }
            ],
            "volumes": [
                *layout.shared_volumes(stream, has_ca=around.connection.has_ca),
                *layout.staging_volumes(stream),
            ],
        },
    }


def _stateful_set(owner: Body, stream: DistributionStream, around: Surroundings, config_hash: str) -> Manifest:
    labels = layout.labels(stream, "driver")
    template: Manifest = {
        "metadata": {"labels": labels, "annotations": {CONFIG_HASH_ANNOTATION: config_hash}},
        "spec": _driver_pod(stream, around),
    }
    template["metadata"]["annotations"][HASH_ANNOTATION] = digest(template)
    return owned(
        owner,
        "apps/v1",
        "StatefulSet",
        stream.driver_name,
        labels,
        spec={
            "replicas": 0 if stream.suspend else 1,
            "serviceName": stream.driver_name,
            "podManagementPolicy": "OrderedReady",
            # The operator replaces the pod itself, so that a broken one never blocks its own mending
            # (https://kubernetes.io/docs/concepts/workloads/controllers/statefulset/#forced-rollback).
            "updateStrategy": {"type": "OnDelete"},
            "selector": {"matchLabels": labels},
            "template": template,
        },
    )


def _driver_pod(stream: DistributionStream, around: Surroundings) -> Manifest:
    fields = {"POD_NAME": "metadata.name", "POD_IP": "status.podIP"}
    environment: list[Manifest] = [
        {"name": name, "valueFrom": {"fieldRef": {"apiVersion": "v1", "fieldPath": path}}}
        for name, path in fields.items()
    ]
    environment += [
        {"name": "FINK_JOB_CONFIG", "value": f"{layout.JOB_DIRECTORY}/{layout.CONFIG_FILE}"},
        {"name": "FINK_READY_FILE", "value": layout.READY_FILE},
    ]
    return {
        "serviceAccountName": stream.child_name,
        "automountServiceAccountToken": True,
        "terminationGracePeriodSeconds": _GRACE_SECONDS,
        "securityContext": layout.pod_security(),
        "containers": [
            {
                "name": "driver",
                "image": around.image,
                "imagePullPolicy": around.image_pull_policy,
                "args": ["driver"],
                "env": environment,
                "ports": [{"name": "metrics", "containerPort": layout.METRICS_PORT}],
                "resources": {
                    "requests": {"cpu": stream.driver.cpu, "memory": stream.driver.memory},
                    "limits": {"memory": stream.driver.memory},
                },
                "readinessProbe": {
                    "exec": {"command": ["cat", layout.READY_FILE]},
                    "periodSeconds": 2,
                    "timeoutSeconds": 5,
                },
                "terminationMessagePolicy": "FallbackToLogsOnError",
                "securityContext": layout.container_security(),
                "volumeMounts": [
                    {"name": "job", "mountPath": layout.JOB_DIRECTORY, "readOnly": True},
                    {"name": "checkpoint", "mountPath": layout.CHECKPOINT_DIRECTORY},
                    *layout.service_mounts(stream),
                    *layout.shared_mounts(stream),
                ],
            }
        ],
        "volumes": [
            {"name": "job", "configMap": {"name": stream.config_name}},
            layout.checkpoint_volume(stream),
            *layout.service_volumes(stream),
            *layout.shared_volumes(stream, has_ca=around.connection.has_ca),
        ],
    }
