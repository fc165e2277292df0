"""What a look at Kubernetes finds: whether it answers, has our kinds as this version has them, and allows what is needed."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from fink_distribution.cli.doctor.findings import Area, Finding, State
from fink_distribution.errors import ReconcileError
from fink_distribution.resources.keys import GROUP, VERSION, Kind

if TYPE_CHECKING:
    from fink_distribution.cluster.inspection import Inspection

OLDEST = (1, 30)
VERBS = ("list", "create", "patch", "delete")
"""What who declares topics, users, permissions and streams needs; connections are the administrator's."""

WANTED: Mapping[Kind, Sequence[str]] = {kind: VERBS for kind in Kind if kind is not Kind.KAFKA_CONNECTION}
_INSTALL = "install the chart of this version: helm upgrade --install fink-distribution charts/fink-distribution -n fink-system"


def look(kubeconfig: str | None, namespace: str, timeout: float) -> list[Finding]:
    """Look at the cluster of the kubeconfig, or of the pod's ServiceAccount.

    Parameters
    ----------
    namespace
        Where the rights are asked for.
    timeout
        Seconds that one call may take.
    """
    # The Kubernetes client takes a second to import, and jsonschema some time too.
    from fink_distribution.cluster.api import NotConfigured
    from fink_distribution.cluster.inspection import inspect
    from fink_distribution.manifests.schemas import packaged

    try:
        found = asyncio.run(inspect(kubeconfig, namespace, WANTED, timeout))
    except NotConfigured:
        mend = "name a kubeconfig by --kubeconfig or KUBECONFIG (only the operator's side needs Kubernetes)"
        return [Finding(Area.KUBERNETES, "kubernetes", State.ABSENT, "there is no kubeconfig", mend)]
    except ReconcileError as error:
        mend = "check the server and the login of the kubeconfig: kubectl cluster-info"
        return [Finding(Area.KUBERNETES, "API server", State.BAD, error.message, mend)]
    return list(judged(found, {kind: packaged(kind) for kind in Kind}, namespace))


def judged(found: Inspection, own: Mapping[Kind, Mapping[str, Any]], namespace: str) -> Iterator[Finding]:
    """Hold what was found against this version.

    Parameters
    ----------
    own
        The schema of each kind as this version has it.
    """
    yield _server(found.version)
    for kind in Kind:
        yield _definition(kind, found, own[kind])
    for kind, verbs in found.forbidden.items():
        what, text = f"rights: {kind.plural}", f"in {namespace}: {', '.join(VERBS)}"
        if verbs:
            role = "fink-distribution-access-edit" if kind in (Kind.KAFKA_USER, Kind.KAFKA_ACL) else "edit"
            mend = f"have a RoleBinding to the ClusterRole {role} made for you in {namespace}"
            yield Finding(Area.KUBERNETES, what, State.BAD, f"in {namespace} you may not {', '.join(verbs)}", mend)
        else:
            yield Finding(Area.KUBERNETES, what, State.OK, text)


def _server(version: str) -> Finding:
    major, minor = (int("".join(filter(str.isdigit, part))) for part in version.lstrip("v").split(".")[:2])
    if (major, minor) < OLDEST:
        mend = f"upgrade it to {'.'.join(map(str, OLDEST))} or newer"
        return Finding(Area.KUBERNETES, "API server", State.BAD, f"Kubernetes {version} is too old", mend)
    return Finding(Area.KUBERNETES, "API server", State.OK, f"Kubernetes {version}")


def _definition(kind: Kind, found: Inspection, own: Mapping[str, Any]) -> Finding:
    def finding(state: State, text: str, mend: str = "") -> Finding:
        return Finding(Area.KUBERNETES, kind.value, state, text, mend)

    is_there = kind in (found.served if found.definitions is None else found.definitions)
    if not is_there:
        return finding(State.BAD, "the kind is not installed", _INSTALL)
    if kind not in found.served:
        return finding(State.BAD, "the kind is not served", f"kubectl describe crd {kind.plural}.{GROUP}")
    if found.definitions is None:
        return finding(State.OK, f"{VERSION}; only administrators may read its schema")
    if _schema(found.definitions[kind]) != own:
        return finding(State.BAD, "the kind's schema is not that of this version", _INSTALL)
    return finding(State.OK, f"{VERSION}, as this version has it")


def _schema(definition: Mapping[str, Any]) -> Mapping[str, Any] | None:
    versions = (each for each in definition["spec"]["versions"] if each["name"] == VERSION)
    return next((each["schema"]["openAPIV3Schema"] for each in versions), None)
