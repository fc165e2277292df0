"""The Job that recounts what a stream has published."""

from __future__ import annotations

import copy
import json
from typing import Any

import pytest
from stream_specs import AROUND, SPEC

from fink_distribution.resources.distribution_stream import DistributionStream
from fink_distribution.streams import layout
from fink_distribution.streams.objects import workload
from fink_distribution.streams.verification import VERIFY_LABEL, Question, verification_job

SINCE = "2026-01-31T22:00:00Z"
REGISTRY = {"url": "https://registry:8081", "credentialsSecretRef": {"name": "registry-login"}}


def body(name: str = "ztf", **more: Any) -> dict[str, Any]:
    metadata = {"namespace": "ns", "name": name, "uid": "u-1"}
    return {"apiVersion": "g/v1", "kind": "DistributionStream", "metadata": metadata, "spec": {**SPEC, **more}}


def made(owner: dict[str, Any], question: Question | None = None, *, beside: bool = True, **live: Any) -> Any:
    """The StatefulSet as the operator makes it and somebody may have changed it, and the Job."""
    stateful_set = workload(owner, DistributionStream.of(owner), AROUND)[-1]
    stateful_set["spec"]["template"]["spec"] |= live
    before = copy.deepcopy(stateful_set)
    job = verification_job(owner, stateful_set, question or Question(SINCE), "abc123", beside_driver=beside)
    assert stateful_set == before, "what was read of the cluster is not changed"
    return stateful_set["spec"]["template"]["spec"], job["spec"]["template"]["spec"], job


@pytest.mark.parametrize("more", [{}, {"executors": {"instances": 0}}, {"registry": REGISTRY}])
def test_it_has_what_the_driver_has_and_only_reads(more: dict[str, Any]) -> None:
    driver, pod, _ = made(body(**more))
    (theirs,), (ours,) = driver["containers"], pod["containers"]
    for field in ("securityContext", "serviceAccountName"):
        assert pod[field] == driver[field]
    assert pod["volumes"] == [volume for volume in driver["volumes"] if volume["name"] != "registry"]
    for field in ("image", "imagePullPolicy", "securityContext"):
        assert ours[field] == theirs[field]
    assert {mount["name"] for mount in ours["volumeMounts"] if not mount.get("readOnly")} == {"tmp"}
    places = [(mount["name"], mount["mountPath"]) for mount in theirs["volumeMounts"] if mount["name"] != "registry"]
    assert [(mount["name"], mount["mountPath"]) for mount in ours["volumeMounts"]] == places
    assert not {"readinessProbe", "ports"} & ours.keys()
    assert layout.READY_FILE not in json.dumps(ours)
    assert (pod["restartPolicy"], pod["automountServiceAccountToken"]) == ("Never", False)


def test_it_is_no_pod_of_the_stream_and_goes_with_it() -> None:
    _, _, job = made(body())
    template = job["spec"]["template"]["metadata"]["labels"]
    assert layout.STREAM_LABEL not in template
    assert template[VERIFY_LABEL] == "ztf"
    (reference,) = job["metadata"]["ownerReferences"]
    assert (reference["uid"], reference["controller"], reference["blockOwnerDeletion"]) == ("u-1", False, False)
    assert (job["spec"]["backoffLimit"], job["spec"]["ttlSecondsAfterFinished"]) == (0, 3600)
    assert job["spec"]["activeDeadlineSeconds"] == 3660


@pytest.mark.parametrize(
    ("question", "memory", "words"),
    [
        (Question(SINCE), "2Gi", ["--since", SINCE, "--limit", "20", "--driver-memory", "1024m"]),
        (Question(SINCE, memory="6Gi", limit=3), "6Gi", ["--since", SINCE, "--limit", "3", "--driver-memory", "3072m"]),
        (Question(SINCE, outputs=("sn", "sso")), "2Gi", ["--only", "sn", "--only", "sso"]),
    ],
)
def test_the_question_becomes_the_arguments_and_the_memory(question: Question, memory: str, words: list[str]) -> None:
    _, pod, _ = made(body(), question)
    (container,) = pod["containers"]
    assert container["args"][:3] == ["python", "-m", "distribution_job.verify"]
    assert container["args"][3:5] == ["--config", "/etc/fink/job/job.json"]
    assert " ".join(words) in " ".join(container["args"])
    assert {container["resources"][kind]["memory"] for kind in ("requests", "limits")} == {memory}
    assert container["resources"]["requests"]["cpu"] == "250m"


def test_it_stands_on_the_drivers_node_while_there_is_one() -> None:
    _, pod, _ = made(body())
    (rule,) = pod["affinity"]["podAffinity"]["requiredDuringSchedulingIgnoredDuringExecution"]
    owner = body()
    driver = workload(owner, DistributionStream.of(owner), AROUND)[-1]["spec"]["template"]["metadata"]["labels"]
    assert rule["labelSelector"]["matchLabels"] == driver
    _, alone, _ = made(body(), beside=False)
    assert "affinity" not in alone


def test_what_others_have_added_to_the_pod_stays() -> None:
    tolerations, zone = [{"key": "fink", "operator": "Exists"}], {"nodeAffinity": {"x": 1}}
    _, pod, _ = made(body(), tolerations=tolerations, affinity=zone, imagePullSecrets=[{"name": "pull"}])
    assert (pod["tolerations"], pod["imagePullSecrets"]) == (tolerations, [{"name": "pull"}])
    assert set(pod["affinity"]) == {"nodeAffinity", "podAffinity"}


@pytest.mark.parametrize("name", ["z", "z" * 63, "a-" * 25, "a." * 24 + "-b"])
def test_its_name_is_one_that_kubernetes_allows(name: str) -> None:
    _, _, job = made(body(name))
    found = job["metadata"]["name"]
    assert len(found) <= 63
    assert found.endswith("-verify-abc123")
    assert not {".-", "--"} & {found[position : position + 2] for position in range(len(found))}
