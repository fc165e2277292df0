"""Objects of the Kubernetes API as plain dictionaries: get, create, server-side apply, delete."""

from __future__ import annotations

import json
import logging
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from typing import Any
from urllib.request import getproxies

import aiohttp
from kubernetes.aio import client, config
from kubernetes.aio.client.exceptions import ApiException

from fink_distribution.errors import Reason, Stalled, Waiting

FIELD_MANAGER = "fink-distribution-operator"

Object = dict[str, Any]

_OPERATORS_REMEDY = (
    "Give the operator's ServiceAccount this right; the chart does when it is installed with rights for this namespace."
)
_RETRY_SECONDS = 5.0
_PAGE = 500
_PLURALS = {
    "ConfigMap": "configmaps",
    "Deployment": "deployments",
    "Event": "events",
    "PersistentVolumeClaim": "persistentvolumeclaims",
    "Pod": "pods",
    "Role": "roles",
    "RoleBinding": "rolebindings",
    "Secret": "secrets",
    "ServiceAccount": "serviceaccounts",
    "StatefulSet": "statefulsets",
}


class AlreadyExists(Exception):  # noqa: N818 - as the API server calls it
    """An object of that name exists."""


class Gone(Exception):  # noqa: N818 - as the API server calls it
    """The object does not exist (any more)."""


class NotConfigured(Exception):  # noqa: N818 - nothing went wrong
    """There is no kubeconfig, or it is none."""


def path_of(
    api_version: str, kind: str, namespace: str | None, name: str | None = None, subresource: str | None = None
) -> str:
    """Return the URL path of namespaced objects, without a namespace of those in all of them."""
    prefix = f"/apis/{api_version}" if "/" in api_version else f"/api/{api_version}"
    plural = _PLURALS.get(kind, f"{kind.lower()}s")
    where = ["namespaces", namespace] if namespace else []
    return "/".join([prefix, *where, plural, *(part for part in (name, subresource) if part)])


class Cluster:
    """The Kubernetes API.

    Every call raises `Waiting` (KubernetesUnreachable as DependencyNotReady) when the API server is away, `Stalled` when it
    forbids or refuses the request, `Gone` and `AlreadyExists` where these are answers.

    Parameters
    ----------
    before_write
        Called before each request that may change something; what it raises stops the request.
    remedy
        What to do about a right that lacks.
    """

    def __init__(
        self,
        api: client.ApiClient,
        timeout_seconds: float,
        before_write: Callable[[], None] = lambda: None,
        remedy: str = _OPERATORS_REMEDY,
    ) -> None:
        self._api = api
        self._timeout = timeout_seconds
        self._before_write = before_write
        self._remedy = remedy

    @classmethod
    @asynccontextmanager
    async def connect(
        cls,
        timeout_seconds: float,
        kubeconfig: str | None = None,
        before_write: Callable[[], None] = lambda: None,
        remedy: str = _OPERATORS_REMEDY,
    ) -> AsyncIterator[Cluster]:
        """Connect as the pod's ServiceAccount, or by a kubeconfig: the one that is given, or $KUBECONFIG, or the usual one.

        Raises NotConfigured.
        """
        configuration = client.Configuration()
        try:
            config.load_incluster_config(client_configuration=configuration)
        except config.ConfigException:
            # That there is none is an answer, not a warning.
            logging.getLogger("kubernetes.aio.config").setLevel(logging.ERROR)
            try:
                await config.load_kube_config(config_file=kubeconfig, client_configuration=configuration)
            except config.ConfigException as error:
                raise NotConfigured(str(error)) from error
        # With it, each request looks for proxies and in ~/.netrc, in a thread: a third of the time that a small request takes.
        configuration.client_session_kwargs = {"trust_env": bool(getproxies())}
        async with client.ApiClient(configuration) as api:
            yield cls(api, timeout_seconds, before_write, remedy)

    async def ask(self, path: str, question: Mapping[str, Any] | None = None) -> Object:
        """Read what stands at a path; or have a question answered there, which nobody keeps (a review of access, for one)."""
        return await self._request("GET" if question is None else "POST", path, question)

    async def get(self, api_version: str, kind: str, namespace: str | None, name: str) -> Object | None:
        """Read an object, or None; without a namespace, one of the whole cluster."""
        try:
            return await self._request("GET", path_of(api_version, kind, namespace, name))
        except Gone:
            return None

    async def log(self, namespace: str, pod: str, last_lines: int | None = None) -> str:
        """Read what a pod of one container has logged, or the last lines of it; raises Gone when there is no such pod."""
        query = [] if last_lines is None else [("tailLines", str(last_lines))]
        data = await self._answer("GET", path_of("v1", "Pod", namespace, pod, "log"), query=query)
        return data.decode(errors="replace")

    async def listing(
        self,
        api_version: str,
        kind: str,
        namespace: str | None,
        label_selector: str = "",
        field_selector: str = "",
    ) -> AsyncIterator[Object]:
        """List the objects of a namespace, or of all, that carry the labels; page by page, all as they were at the first one.

        Raises Gone when there is no such kind.
        """
        query = [("labelSelector", label_selector), ("fieldSelector", field_selector), ("limit", str(_PAGE))]
        following = ""
        while True:
            found = await self._request(
                "GET", path_of(api_version, kind, namespace), query=[*query, ("continue", following)]
            )
            for item in found["items"]:
                yield {"apiVersion": api_version, "kind": kind, **item}
            following = found["metadata"].get("continue") or ""
            if not following:
                return

    async def create(self, manifest: Mapping[str, Any]) -> Object:
        """Create an object; raises AlreadyExists."""
        path = path_of(manifest["apiVersion"], manifest["kind"], manifest["metadata"]["namespace"])
        return await self._request("POST", path, manifest, query=[("fieldManager", FIELD_MANAGER)])

    async def replace(self, manifest: Mapping[str, Any]) -> Object:
        """Write an object as a whole; raises AlreadyExists when it is no longer at the manifest's resourceVersion, Gone when it
        is deleted."""
        metadata = manifest["metadata"]
        path = path_of(manifest["apiVersion"], manifest["kind"], metadata["namespace"], metadata["name"])
        return await self._request("PUT", path, manifest, query=[("fieldManager", FIELD_MANAGER)])

    async def apply(self, manifest: Mapping[str, Any], subresource: str | None = None) -> Object:
        """Apply an object, or its status, on the server, as our field manager."""
        metadata = manifest["metadata"]
        path = path_of(manifest["apiVersion"], manifest["kind"], metadata["namespace"], metadata["name"], subresource)
        query = [("fieldManager", FIELD_MANAGER), ("force", "true")]
        return await self._request("PATCH", path, manifest, query=query, content_type="application/apply-patch+yaml")

    async def replace_status(self, body: Mapping[str, Any], status: Mapping[str, Any]) -> Object:
        """Write an object's whole status.

        It costs the API server less than half of an apply. Raises AlreadyExists when the object has changed since it was read.
        """
        metadata = {name: body["metadata"][name] for name in ("name", "namespace", "uid", "resourceVersion")}
        path = path_of(body["apiVersion"], body["kind"], metadata["namespace"], metadata["name"], "status")
        manifest = {**body, "metadata": metadata, "status": status}
        return await self._request("PUT", path, manifest, query=[("fieldManager", FIELD_MANAGER)])

    async def set_finalizers(self, body: Mapping[str, Any], finalizers: list[str]) -> Object:
        """Write an object's finalizers; raises AlreadyExists when the object has changed since it was read, Gone when it is gone."""
        return await self.merge(body, {"metadata": {"finalizers": finalizers}})

    async def merge(self, body: Mapping[str, Any], changes: Mapping[str, Any]) -> Object:
        """Merge changes into exactly this object, as it was read (RFC 7386: null removes); raises AlreadyExists when it has changed."""
        metadata = body["metadata"]
        path = path_of(body["apiVersion"], body["kind"], metadata["namespace"], metadata["name"])
        guard = {"uid": metadata["uid"], "resourceVersion": metadata["resourceVersion"]}
        patch = {**changes, "metadata": {**(changes.get("metadata") or {}), **guard}}
        query = [("fieldManager", FIELD_MANAGER)]
        return await self._request("PATCH", path, patch, query=query, content_type="application/merge-patch+json")

    async def delete(self, body: Mapping[str, Any], api_version: str, kind: str) -> None:
        """Delete exactly this object, not another of its name that came after it; gone already is fine."""
        metadata = body["metadata"]
        options = {
            "apiVersion": "v1",
            "kind": "DeleteOptions",
            "propagationPolicy": "Background",
            "preconditions": {"uid": metadata["uid"]},
        }
        try:
            await self._request("DELETE", path_of(api_version, kind, metadata["namespace"], metadata["name"]), options)
        except (Gone, AlreadyExists):
            # A conflict here is the uid: another object has the name by now, which is not ours to delete.
            return

    async def _request(
        self,
        method: str,
        path: str,
        body: Mapping[str, Any] | None = None,
        *,
        query: list[tuple[str, str]] | None = None,
        content_type: str = "application/json",
    ) -> Object:
        found: Object = json.loads(await self._answer(method, path, body, query=query, content_type=content_type))
        return found

    async def _answer(
        self,
        method: str,
        path: str,
        body: Mapping[str, Any] | None = None,
        *,
        query: list[tuple[str, str]] | None = None,
        content_type: str = "application/json",
    ) -> bytes:
        arguments = await self._api.param_serialize(
            method,
            path,
            query_params=query or [],
            header_params={"Accept": "application/json", "Content-Type": content_type},
            body=body,
            auth_settings=["BearerToken"],
        )
        if method != "GET":
            self._before_write()
        try:
            response = await self._api.call_api(*arguments, _request_timeout=self._timeout)
            data: bytes = await response.read()
            if response.status >= 400:
                raise ApiException.from_response(http_resp=response, body=data.decode(), data=None)
        except ApiException as error:
            raise _explain(error, method, path, self._remedy) from error
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise Waiting(
                Reason.DEPENDENCY_NOT_READY,
                f"no answer from the Kubernetes API server ({method} {path}): {type(error).__name__}.",
                _RETRY_SECONDS,
            ) from error
        return data


def _explain(error: ApiException, method: str, path: str, remedy: str) -> Exception:
    try:
        message = json.loads(error.body or "{}").get("message", error.reason)
    except ValueError:
        message = error.reason
    if error.status == 404:
        return Gone(message)
    if error.status == 409:
        return AlreadyExists(message)
    if error.status == 403:
        return Stalled(
            Reason.NOT_AUTHORIZED,
            f"Kubernetes does not allow to {method} {path}: {message}. {remedy}",
        )
    if error.status in (400, 422):
        return Stalled(Reason.INVALID_CONFIG, f"Kubernetes refuses {path}: {message}.")
    return Waiting(
        Reason.DEPENDENCY_NOT_READY, f"the Kubernetes API server answers {error.status}: {message}.", _RETRY_SECONDS
    )
