"""Manifests are read as kubectl reads them, checked by the schemas, and put together."""

from __future__ import annotations

import io
from pathlib import Path

import pytest

from fink_distribution.manifests.bundle import Bundle
from fink_distribution.manifests.problems import ManifestError
from fink_distribution.manifests.reading import read
from fink_distribution.resources.keys import Key, Kind

REPOSITORY = Path(__file__).parents[3]
ACCEPTED = sorted((REPOSITORY / "tests/cluster/accepted").glob("*-full.yaml"))
HEAD = "apiVersion: distribution.fink-broker.org/v1alpha1\n"


def problems_of(text: str) -> list[str]:
    """What is said of manifests on standard input, without the place that is the same for all."""
    with pytest.raises(ManifestError) as refused:
        Bundle.of(read(["-"], io.StringIO(text)), "ns")
    return [str(problem).removeprefix("<stdin>, ") for problem in refused.value.problems]


@pytest.mark.parametrize("file", ACCEPTED, ids=lambda file: file.stem)
def test_what_the_api_server_accepts_is_accepted(file: Path) -> None:
    try:
        Bundle.of(read([str(file)], io.StringIO()), "ns")
    except ManifestError as error:
        assert all("which is not among the manifests" in problem.message for problem in error.problems)  # noqa: PT017


def test_the_examples_make_one_bundle_with_the_streams_children() -> None:
    found = Bundle.of(read([str(REPOSITORY / "examples")], io.StringIO(), recursive=True), "ztf")
    kinds = [key.kind for key, _ in found.planned()]
    assert kinds == [Kind.ALERT_TOPIC] * 5 + [Kind.KAFKA_USER] * 4 + [Kind.KAFKA_ACL] * 4
    assert Key(Kind.KAFKA_USER, "ztf", "bright-slack") in found.bodies
    assert found.connections() == {"default"}
    assert found.left_out > 0
    assert list(found.of_connection("another").planned()) == []


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (
            "kind: AlertTopic\nmetadata: {name: t}\nspec: {partition: 3}",
            (
                "document 1: AlertTopic t: spec.partition: there is no such field; there are: adoptionPolicy, config, connectionRef, "
                "deletionPolicy, grants, mode, partitions, replicationFactor, topicName. Did you mean partitions?"
            ),
        ),
        (
            'kind: AlertTopic\nmetadata: {name: t}\nspec: {partitions: "3"}',
            'document 1: AlertTopic t: spec.partitions: "3" is of type string; it has to be of type integer.',
        ),
        (
            "kind: AlertTopic\nmetadata: {name: t}\nspec: {config: {preallocate: true}}",
            "document 1: AlertTopic t: spec.config.preallocate: true is of type boolean; it has to be of type string. Write it in quotes.",
        ),
        (
            "kind: AlertTopic\nmetadata: {name: fink_all}\nspec: {}",
            (
                'document 1: AlertTopic fink_all: metadata.name: "fink_all" is not allowed; it has to match '
                "^[a-z0-9]([-a-z0-9]*[a-z0-9])?([.][a-z0-9]([-a-z0-9]*[a-z0-9])?)*$."
            ),
        ),
        ("kind: AlertTopic\nmetadata: {name: t}", "document 1: AlertTopic t: spec: it is missing; it is required."),
        (
            "kind: AlertTopic\nmetadata: {name: t}\nspec: {adoptionPolicy: adopt}",
            'document 1: AlertTopic t: spec.adoptionPolicy: "adopt" is not allowed; it is one of: Refuse, Adopt. Did you mean Adopt?',
        ),
        (
            "kind: Alerttopic\nmetadata: {name: t}",
            (
                "document 1: Alerttopic t: kind: not known; it is one of: KafkaConnection, AlertTopic, KafkaUser, KafkaAcl, "
                "DistributionStream. Did you mean AlertTopic?"
            ),
        ),
        (
            "kind: KafkaAcl\nmetadata: {name: r}\nspec: {userRef: {name: u}, rules: [{name: x, resource: {type: Cluster}, operations: [Create]}]}",
            (
                "document 1: KafkaAcl ns/r: it names KafkaUser ns/u, which is not among the manifests. Give its file too (-f), or correct "
                "the reference."
            ),
        ),
        (
            f"kind: KafkaUser\nmetadata: {{name: u}}\nspec: {{}}\n---\n{HEAD}kind: KafkaUser\nmetadata: {{name: u}}\nspec: {{}}",
            "document 2: KafkaUser ns/u: it stands in <stdin>, document 1 already; keep one of the two.",
        ),
        (
            "kind: KafkaUser\nkind: AlertTopic",
            "document 1: this is no YAML: the key kind stands twice (line 3, column 1).",
        ),
        ("---\na: b", "document 2: this is no Kubernetes object; it needs apiVersion and kind."),
    ],
)
def test_what_is_wrong_is_said_with_its_place(text: str, said: str) -> None:
    assert said in problems_of(HEAD + text)


def test_all_problems_are_said_at_once_and_of_items_of_a_list_too() -> None:
    item = (
        "{apiVersion: distribution.fink-broker.org/v1alpha1, kind: KafkaUser, metadata: {name: u}, spec: {mode: Off}}"
    )
    text = f"apiVersion: v1\nkind: List\nitems:\n- {item}\n- {item}\n"
    assert [said.partition(": KafkaUser")[0] for said in problems_of(text)] == [
        "document 1, item 1",
        "document 1, item 2",
    ]


def test_null_is_as_left_out_and_a_date_is_text() -> None:
    text = f"{HEAD}kind: AlertTopic\nmetadata: {{name: t}}\nspec: {{partitions: null, config: {{retention.ms: 2024-01-01}}}}"
    (body,) = Bundle.of(read(["-"], io.StringIO(text)), "ns").bodies.values()
    assert body["spec"] == {"config": {"retention.ms": "2024-01-01"}}
    assert body["metadata"] == {"name": "t", "namespace": "ns"}


def test_folders_are_read_as_kubectl_reads_them(tmp_path: Path) -> None:
    (tmp_path / "below").mkdir()
    (tmp_path / "a.yaml").write_text("---\n---\napiVersion: v1\nkind: Secret\n")
    (tmp_path / "below" / "b.json").write_text('{"apiVersion": "v1", "kind": "Secret"}')
    (tmp_path / "README.md").write_text("no manifest")
    assert len(read([str(tmp_path)], io.StringIO())) == 1
    assert len(read([str(tmp_path)], io.StringIO(), recursive=True)) == 2
    for wrong, said in (("none.yaml", "no such file"), ("empty", "holds no .yaml")):
        (tmp_path / "empty").mkdir(exist_ok=True)
        with pytest.raises(ManifestError, match=said):
            read([str(tmp_path / wrong)], io.StringIO())
