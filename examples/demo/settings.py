"""Which cluster, which Kafka, which images."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

_NEEDED = {
    "KAFKA_BOOTSTRAP": "the brokers' addresses, reachable from the cluster's pods and from here: host:port,host:port",
    "KAFKA_ADMIN_CONFIG": "a file with the login of a Kafka super user, as librdkafka's clients take it: "
    "security.protocol=, sasl.mechanism=, sasl.username=, sasl.password=, each on a line",
    "OPERATOR_IMAGE": "the operator's image, where the cluster's nodes find it (operator/Dockerfile)",
    "JOB_IMAGE": "the distribution job's image, where the cluster's nodes find it (jobs/Dockerfile)",
}


class MissingSettings(Exception):  # noqa: N818  named for what is missing
    """What has to be set, and is not."""


@dataclass(frozen=True)
class Settings:
    """Where the demo runs.

    `flags` are kubectl's and Helm's that choose the cluster. `science` is a folder of this machine that is also the node's,
    for volumes of the type hostPath; without it the claims are left to the cluster's default storage class. `hint` is how a
    person's shell gets at the cluster.
    """

    kubectl: str
    helm: str
    kubectl_flags: tuple[str, ...]
    helm_flags: tuple[str, ...]
    kafka_bootstrap: str
    kafka_admin_config: Path
    operator_image: str
    job_image: str
    science: Path | None
    hint: str = ""

    @classmethod
    def of_context(cls, context: str, environment: Mapping[str, str]) -> Settings:
        """The settings for an existing cluster; raises MissingSettings with all that has to be set."""
        missing = [f"  {name}  {meaning}" for name, meaning in _NEEDED.items() if not environment.get(name)]
        if missing:
            lines = "\n".join(missing)
            raise MissingSettings(f"For the cluster {context}, set these in the environment as well:\n{lines}")
        config = Path(environment["KAFKA_ADMIN_CONFIG"]).expanduser()
        if not config.is_file():
            raise MissingSettings(
                f"KAFKA_ADMIN_CONFIG: there is no file {config}. It is {_NEEDED['KAFKA_ADMIN_CONFIG']}."
            )
        science = environment.get("SCIENCE_DIR")
        return cls(
            kubectl=environment.get("KUBECTL") or "kubectl",
            helm=environment.get("HELM") or "helm",
            kubectl_flags=("--context", context),
            helm_flags=("--kube-context", context),
            kafka_bootstrap=environment["KAFKA_BOOTSTRAP"],
            kafka_admin_config=config,
            operator_image=environment["OPERATOR_IMAGE"],
            job_image=environment["JOB_IMAGE"],
            science=Path(science) if science else None,
            hint=f"kubectl config use-context {context}",
        )


def split_image(image: str) -> dict[str, str]:
    """An image's reference as the chart's values: repository, and tag or digest."""
    name, _, digest = image.partition("@")
    if digest:
        # The tag of a reference with a digest says nothing any more.
        return {"repository": _without_tag(name)[0], "digest": digest}
    repository, tag = _without_tag(name)
    return {"repository": repository, "tag": tag or "latest"}


def _without_tag(name: str) -> tuple[str, str]:
    # A colon before the last slash is that of a registry's port.
    folder, slash, last = name.rpartition("/")
    last, _, tag = last.partition(":")
    return f"{folder}{slash}{last}", tag
