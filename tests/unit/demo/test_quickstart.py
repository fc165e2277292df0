from __future__ import annotations

import re

import pytest
import yaml

from demo import quickstart


def connection(bootstrap: str) -> dict[str, object]:
    loaded: dict[str, object] = yaml.safe_load(quickstart.connection(bootstrap))["spec"]
    return loaded


def test_the_placeholder_is_there_to_be_replaced_and_is_an_address_itself() -> None:
    text = (quickstart.FOLDER / "admin" / "connection.yaml").read_text()
    assert text.count(quickstart.PLACEHOLDER) == 1
    assert yaml.safe_load(text)["spec"]["bootstrapServers"] == [quickstart.PLACEHOLDER]


def test_one_broker_takes_its_place() -> None:
    assert connection("10.0.0.1:9092")["bootstrapServers"] == ["10.0.0.1:9092"]


def test_several_brokers_become_a_list() -> None:
    assert connection("a:1, b:2,[::1]:3,")["bootstrapServers"] == ["a:1", "b:2", "[::1]:3"]


@pytest.mark.parametrize("bootstrap", ["", " , ", "kafka", "http://kafka:9092", 'a:1"]\nkind: Secret'])
def test_what_is_no_address_is_refused(bootstrap: str) -> None:
    with pytest.raises(ValueError, match="KAFKA_BOOTSTRAP"):
        quickstart.connection(bootstrap)


def test_all_names_that_the_demo_uses_are_in_the_manifests() -> None:
    names = {(body["kind"], body["metadata"]["name"]) for body in quickstart.objects()}
    assert ("KafkaUser", quickstart.USER) in names
    assert ("DistributionStream", quickstart.STREAM) in names
    assert ("AlertTopic", quickstart.EMBARGOED) in names
    assert {("PersistentVolumeClaim", claim) for claim in quickstart.CLAIMS} <= names


def test_the_manifests_can_be_applied_to_any_namespace_and_hold_no_secret() -> None:
    for body in quickstart.objects():
        assert "namespace" not in body["metadata"]
        assert body["kind"] != "Secret"


def test_the_community_is_granted_what_the_stream_publishes_and_not_the_embargoed_topic() -> None:
    (acl,) = [body for body in quickstart.objects() if body["kind"] == "KafkaAcl"]
    granted = {topic["topicRef"]["name"] for topic in acl["spec"]["consumer"]["topics"]}
    published = {output["topicRef"]["name"] for output in quickstart.stream()["spec"]["outputs"]}
    assert granted == published
    assert quickstart.EMBARGOED not in granted
    assert acl["spec"]["consumer"]["group"]["name"] == quickstart.GROUP_PREFIX


def test_outputs_carry_the_topics_name_in_kafka() -> None:
    topics = [output.topic for output in quickstart.outputs()]
    assert topics == ["fink_all_ztf", "fink_sn_candidates_ztf", "fink_sso_ztf_candidates_ztf"]
    assert all(re.fullmatch(r"fink_\w+", topic) for topic in topics)
