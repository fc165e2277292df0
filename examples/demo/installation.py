"""The operator, its login to Kafka, and the quickstart's objects: put there, and taken away again."""

from __future__ import annotations

from pathlib import Path

from demo import quickstart, volumes
from demo.cluster import Cluster, ClusterError
from demo.drops import WRITER
from demo.quickstart import ADMIN_SECRET, NAMESPACE, RELEASE, SYSTEM
from demo.readiness import GROUP, KINDS
from demo.settings import Settings, split_image

CHART = Path(__file__).resolve().parents[2] / "charts" / "fink-distribution"
LABEL = "fink-demo"
DELETE_SECONDS = 150


def is_ours(cluster: Cluster, namespace: str) -> bool:
    """Whether a demo made the namespace."""
    labels = cluster.get("namespace", namespace).get("metadata", {}).get("labels") or {}
    return LABEL in labels


def refuse_foreign(cluster: Cluster) -> None:
    """Raise ClusterError when somebody else's installation is in the way: it would be replaced, and then removed."""
    if not is_ours(cluster, NAMESPACE):
        if cluster.helm("list", "--namespace", SYSTEM, "--all", "--filter", f"^{RELEASE}$", "--short").strip():
            raise ClusterError(
                f"The release {RELEASE} is installed in {SYSTEM} already, and the demo would replace it. Use another cluster."
            )
        if _kinds_exist(cluster) and cluster.get(f"kafkaconnections.{GROUP}", "default", "--namespace", SYSTEM):
            raise ClusterError(
                f"KafkaConnection {SYSTEM}/default is there already, and the demo would replace it. Use another cluster."
            )
    if cluster.get("namespace", NAMESPACE) and not is_ours(cluster, NAMESPACE):
        raise ClusterError(
            f"The namespace {NAMESPACE} is there already, and no demo made it. Delete it, if it is not needed: "
            f"kubectl delete namespace {NAMESPACE}"
        )


def namespaces(cluster: Cluster) -> None:
    """Make both, the tenant's under the restricted Pod Security Standard."""
    security = {"pod-security.kubernetes.io/enforce": "restricted"}
    for name, labels in ((SYSTEM, {}), (NAMESPACE, security)):
        if not cluster.get("namespace", name):
            metadata = {"name": name, "labels": {LABEL: "true", **labels}}
            cluster.apply({"apiVersion": "v1", "kind": "Namespace", "metadata": metadata})


def operator(cluster: Cluster, settings: Settings) -> None:
    """Install the chart, without waiting for the pod."""
    values = {f"image.{key}": value for key, value in split_image(settings.operator_image).items()}
    values |= {
        "image.pullPolicy": "IfNotPresent",
        "job.image": settings.job_image,
        "job.imagePullPolicy": "IfNotPresent",
    }
    words = [word for key, value in values.items() for word in ("--set-string", f"{key}={value}")]
    # Only for the demo's namespace, so that an operator that is there already for others is not disturbed.
    words += ["--set", f"watchNamespaces={{{NAMESPACE}}}"]
    if _kinds_exist(cluster) and not _kinds_are_charts(cluster):
        # Somebody applied crds/ by hand; Helm would refuse to take them over.
        words += ["--set", "crds.enabled=false"]
    cluster.helm("upgrade", "--install", RELEASE, str(CHART), "--namespace", SYSTEM, *words)


def connection(cluster: Cluster, bootstrap: str, login: tuple[str, str]) -> None:
    """The operator's login, by standard input, and the KafkaConnection."""
    name, password = login
    secret = {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": ADMIN_SECRET},
        "stringData": {"username": name, "password": password},
    }
    cluster.apply(secret, namespace=SYSTEM)
    cluster.apply(quickstart.connection(bootstrap), namespace=SYSTEM)


def objects(cluster: Cluster) -> None:
    """The tenant's manifests, as a person would."""
    cluster.kubectl("apply", "--namespace", NAMESPACE, "--filename", str(quickstart.FOLDER))


def delete_objects(cluster: Cluster) -> None:
    """All of the tenant's manifests, as a person would; waits until the operator has let go of each."""
    words = ("--ignore-not-found", f"--timeout={DELETE_SECONDS}s")
    place = ("--namespace", NAMESPACE)
    cluster.kubectl("delete", "pod", WRITER, *place, *words)
    cluster.kubectl("delete", *place, "--filename", str(quickstart.FOLDER), *words)


def delete_connection(cluster: Cluster) -> None:
    """The KafkaConnection, and the operator's login."""
    words = ("--namespace", SYSTEM, "--ignore-not-found", f"--timeout={DELETE_SECONDS}s")
    cluster.kubectl("delete", f"kafkaconnections.{GROUP}", "default", *words)
    cluster.kubectl("delete", "secret", ADMIN_SECRET, *words)


def uninstall(cluster: Cluster) -> None:
    """The release, and the namespaces that a demo made."""
    cluster.helm("uninstall", RELEASE, "--namespace", SYSTEM, "--ignore-not-found")
    for name in (NAMESPACE, SYSTEM):
        if is_ours(cluster, name):
            cluster.kubectl("delete", "namespace", name, "--ignore-not-found", f"--timeout={DELETE_SECONDS}s")


def let_go(cluster: Cluster) -> list[str]:
    """Take the finalizers off what is still being deleted, when no operator is there to do it; their names."""
    if not _kinds_exist(cluster):
        return []
    stuck = []
    for body in cluster.items(KINDS, "--all-namespaces"):
        metadata = body["metadata"]
        place = metadata["namespace"]
        if metadata.get("deletionTimestamp") and metadata.get("finalizers") and place in (SYSTEM, NAMESPACE):
            kind = f"{body['kind'].lower()}.{GROUP}"
            patch = '{"metadata": {"finalizers": null}}'
            cluster.kubectl("patch", kind, metadata["name"], "--namespace", place, "--type=merge", "--patch", patch)
            stuck.append(f"{body['kind']} {metadata['name']}")
    return stuck


def volumes_gone(cluster: Cluster, settings: Settings) -> None:
    """The demo's volumes and their files."""
    volumes.remove(cluster, settings.science)


def _kinds_exist(cluster: Cluster) -> bool:
    return bool(cluster.get("customresourcedefinition", f"kafkaconnections.{GROUP}"))


def _kinds_are_charts(cluster: Cluster) -> bool:
    metadata = cluster.get("customresourcedefinition", f"kafkaconnections.{GROUP}").get("metadata", {})
    annotations = metadata.get("annotations") or {}
    place = (annotations.get("meta.helm.sh/release-name"), annotations.get("meta.helm.sh/release-namespace"))
    return place == (RELEASE, SYSTEM)
