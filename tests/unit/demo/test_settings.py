from __future__ import annotations

from pathlib import Path

import pytest

from demo.kafka_admin import properties
from demo.settings import MissingSettings, Settings, split_image


def environment(tmp_path: Path, **changed: str) -> dict[str, str]:
    config = tmp_path / "admin.properties"
    config.write_text("sasl.username=admin\n")
    complete = {
        "KAFKA_BOOTSTRAP": "kafka:9092",
        "KAFKA_ADMIN_CONFIG": str(config),
        "OPERATOR_IMAGE": "operator:1",
        "JOB_IMAGE": "job:1",
    }
    return {**complete, **changed}


def test_a_context_needs_four_settings_and_names_all_that_are_missing() -> None:
    with pytest.raises(MissingSettings) as refused:
        Settings.of_context("mine", {"JOB_IMAGE": "job:1"})
    text = str(refused.value)
    assert all(name in text for name in ("KAFKA_BOOTSTRAP", "KAFKA_ADMIN_CONFIG", "OPERATOR_IMAGE"))
    assert "JOB_IMAGE" not in text


def test_the_context_is_passed_to_both_programs(tmp_path: Path) -> None:
    settings = Settings.of_context("mine", environment(tmp_path))
    assert settings.kubectl_flags == ("--context", "mine")
    assert settings.helm_flags == ("--kube-context", "mine")
    assert (settings.kubectl, settings.helm, settings.science) == ("kubectl", "helm", None)


def test_a_file_that_is_not_there_is_said(tmp_path: Path) -> None:
    with pytest.raises(MissingSettings, match="there is no file"):
        Settings.of_context("mine", environment(tmp_path, KAFKA_ADMIN_CONFIG=str(tmp_path / "absent")))


@pytest.mark.parametrize(
    ("image", "values"),
    [
        ("job", {"repository": "job", "tag": "latest"}),
        ("localhost/fink/job:abc", {"repository": "localhost/fink/job", "tag": "abc"}),
        ("registry.example.org:5000/job", {"repository": "registry.example.org:5000/job", "tag": "latest"}),
        ("registry.example.org:5000/job:1", {"repository": "registry.example.org:5000/job", "tag": "1"}),
        ("job:1@sha256:00", {"repository": "job", "digest": "sha256:00"}),
    ],
)
def test_an_image_becomes_the_charts_values(image: str, values: dict[str, str]) -> None:
    assert split_image(image) == values


def test_properties_keep_what_stands_after_the_first_equals_sign(tmp_path: Path) -> None:
    file = tmp_path / "p"
    file.write_text("# a comment\n\nsasl.username = admin\nsasl.password=a=b\n")
    assert properties(file) == {"sasl.username": "admin", "sasl.password": "a=b"}
