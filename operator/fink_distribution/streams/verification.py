"""The Job that recounts what a stream has published: the driver's own pod, but that it only reads."""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from fink_distribution.resources.distribution_stream import DistributionStream, Pods
from fink_distribution.resources.keys import GROUP, Body, owner_reference
from fink_distribution.streams import layout
from fink_distribution.streams.job_config import driver_heap
from fink_distribution.streams.manifest import Manifest
from fink_distribution.streams.pods import Advice

VERIFY_LABEL = f"{GROUP}/verify"
"""On the pod, in place of the stream's own label: it is none of the pods that run the stream."""

CONTAINER = "verify"
_KEPT_SECONDS = 3600
"""How long a Job lasts that has ended and that nobody could delete."""

_GRACE_SECONDS = 60
"""How much longer than who waits for it."""

_NAME_LENGTH = 63 - len("-verify-xxxxxx")
_WRITABLE = {"tmp"}
_VARIABLES_LEFT_OUT = {"FINK_READY_FILE"}
_VOLUMES_LEFT_OUT = {"database", "registry"}
"""Logins that nothing is asked for."""


@dataclass(frozen=True)
class Question:
    """What is to be verified, and how.

    Attributes
    ----------
    since
        A time (RFC 3339).
    outputs
        The names of outputs; none for all.
    limit
        How many differences of each kind are listed of a topic.
    memory
        Of the pod, in Mi or Gi; that of the stream's driver if None.
    timeout
        Seconds after which it is ended.
    """

    since: str
    outputs: Sequence[str] = ()
    limit: int = 20
    memory: str | None = None
    timeout: int = 3600


def verification_job(
    owner: Body, stateful_set: Mapping[str, Any], question: Question, suffix: str, *, beside_driver: bool
) -> Manifest:
    """Return the Job, made from the live StatefulSet, so that it has what the driver has.

    It has no token of a ServiceAccount, no login but that to Kafka, starts no executors, and mounts all but its scratch space for reading.

    Parameters
    ----------
    owner
        The stream, with which it goes.
    suffix
        What no other Job of the stream has in its name; six letters or digits.
    beside_driver
        Whether it has to be on the driver's node, as a volume that one node alone may mount demands.
    """
    stream = DistributionStream.of(owner)
    labels = {**layout.MANAGED_BY, VERIFY_LABEL: stream.name}
    reference = {**owner_reference(owner), "controller": False, "blockOwnerDeletion": False}
    name = f"{stream.name[:_NAME_LENGTH].rstrip('-.')}-verify-{suffix}"
    return {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": {"name": name, "namespace": stream.namespace, "labels": labels, "ownerReferences": [reference]},
        "spec": {
            "backoffLimit": 0,
            "activeDeadlineSeconds": question.timeout + _GRACE_SECONDS,
            "ttlSecondsAfterFinished": _KEPT_SECONDS,
            "template": {
                "metadata": {"labels": labels},
                "spec": _pod(stream, stateful_set["spec"]["template"]["spec"], question, beside_driver),
            },
        },
    }


def advice(stream: DistributionStream, question: Question) -> Advice:
    """Return what a sentence about the Job's pod has to know."""
    return Advice("the stream's spec.image", "--memory", question.memory or stream.driver.memory, "ends")


def _pod(
    stream: DistributionStream, driver: Mapping[str, Any], question: Question, beside_driver: bool
) -> dict[str, Any]:
    pod = copy.deepcopy(dict(driver))
    pod |= {"restartPolicy": "Never", "automountServiceAccountToken": False, "terminationGracePeriodSeconds": 5}
    pod["volumes"] = [volume for volume in pod["volumes"] if volume["name"] not in _VOLUMES_LEFT_OUT]
    pod["containers"] = [_container(stream, pod["containers"][0], question)]
    if beside_driver:
        affinity = pod.setdefault("affinity", {}).setdefault("podAffinity", {})
        rules = affinity.setdefault("requiredDuringSchedulingIgnoredDuringExecution", [])
        selector = {"matchLabels": layout.labels(stream, "driver")}
        rules.append({"labelSelector": selector, "topologyKey": "kubernetes.io/hostname"})
    return pod


def _container(stream: DistributionStream, driver: Mapping[str, Any], question: Question) -> dict[str, Any]:
    container = {key: value for key, value in driver.items() if key != "ports" and not key.endswith("Probe")}
    memory = question.memory or stream.driver.memory
    resources = copy.deepcopy(container.get("resources") or {})
    for kind in ("requests", "limits"):
        resources.setdefault(kind, {})["memory"] = memory
    mounts = [
        {**mount, **({} if mount["name"] in _WRITABLE else {"readOnly": True})}
        for mount in container["volumeMounts"]
        if mount["name"] not in _VOLUMES_LEFT_OUT
    ]
    words = ["python", "-m", "distribution_job.verify"]
    words += ["--config", f"{layout.JOB_DIRECTORY}/{layout.CONFIG_FILE}", "--since", question.since]
    words += ["--limit", str(question.limit), "--driver-memory", f"{driver_heap(Pods('', memory))}m"]
    words += [word for output in question.outputs for word in ("--only", output)]
    return {
        **container,
        "name": CONTAINER,
        "args": words,
        "env": [each for each in container.get("env") or [] if each["name"] not in _VARIABLES_LEFT_OUT],
        "resources": resources,
        "volumeMounts": mounts,
    }
