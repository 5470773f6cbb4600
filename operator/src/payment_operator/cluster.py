"""Reading from the API server: paths from the table of kinds, plain dicts, a timeout on every call.

Discovery is not needed, for the kinds are known; so nothing is cached on disk and no rights for it are asked.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

import urllib3.exceptions
from kubernetes import client, config
from kubernetes.client.exceptions import ApiException
from kubernetes.dynamic import DynamicClient
from kubernetes.dynamic.resource import Resource

from payment_operator.errors import ApiError
from payment_operator.kinds import BY_KIND, SECRET, Kind
from payment_operator.recent import Recent
from payment_operator.settings import FIELD_MANAGER

Object = dict[str, Any]
Item = TypeVar("Item")
Result = TypeVar("Result")
PAGE = 500
METADATA_ONLY = "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1"


class _NoDiscovery:
    """Takes the place of the client's discovery, which would ask for every group of the cluster."""

    def __init__(self, *_: object) -> None:
        self.version: dict[str, str] = {}


def connect(threads: int) -> DynamicClient:
    """A client with the pod's service account, or the user's kubeconfig outside of a cluster."""
    configuration = client.Configuration()
    try:
        config.load_incluster_config(client_configuration=configuration)  # type: ignore[no-untyped-call]
    except config.ConfigException:
        config.load_kube_config(client_configuration=configuration)  # type: ignore[no-untyped-call]
    configuration.connection_pool_maxsize = threads
    configuration.retries = 1
    api = client.ApiClient(configuration)
    api.user_agent = FIELD_MANAGER
    return DynamicClient(api, discoverer=_NoDiscovery)  # type: ignore[no-untyped-call]


def resource(kind: Kind) -> Resource:
    """The client's notion of a kind, made by hand."""
    return Resource(  # type: ignore[no-untyped-call]
        prefix="apis" if kind.group else "api",
        group=kind.group,
        api_version=kind.version,
        kind=kind.kind,
        namespaced=True,
        name=kind.plural,
    )


class Cluster:
    """Calls of the API server; raises ApiError. Thread-safe."""

    def __init__(self, dynamic: DynamicClient, *, timeout: float, threads: int, keep: float = 0.0) -> None:
        """``keep``: seconds for which Secrets and what the cluster says of itself are not read again."""
        self.dynamic = dynamic
        self.secrets: Recent[tuple[str, str], Object] = Recent(keep, time.monotonic, _version)
        """To be told by `forget` when one changed."""
        self._raw: Recent[str, Object] = Recent(keep, time.monotonic)
        self._timeout = timeout
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix="api")
        self._resources = {name: resource(kind) for name, kind in BY_KIND.items()}

    @property
    def configuration(self) -> client.Configuration:
        """Address and credentials of the API server."""
        configuration: client.Configuration = self.dynamic.configuration
        return configuration

    def call(self, operation: Callable[..., Any], kind: Kind, **arguments: Any) -> Object:
        """One operation of the client (get, create, …) on a kind."""

        def ask() -> Object:
            return self._checked(operation, self._resources[kind.kind], **arguments)

        if operation == self.dynamic.get or kind != SECRET:
            return ask()
        name = arguments.get("name") or arguments["body"]["metadata"]["name"]
        answer = self.secrets.anew((arguments["namespace"], name), ask)
        assert answer is not None
        return answer

    def get(self, kind: Kind, namespace: str, name: str) -> Object | None:
        """The object, or None. A Secret may be some seconds old; who changes it gives its version along."""
        if kind == SECRET:
            return self.secrets.get((namespace, name), lambda: self._get(kind, namespace, name))
        return self._get(kind, namespace, name)

    def _get(self, kind: Kind, namespace: str, name: str) -> Object | None:
        try:
            return self.call(self.dynamic.get, kind, namespace=namespace, name=name)
        except ApiError as error:
            if error.not_found:
                return None
            raise

    def list(self, kind: Kind, namespace: str | None, selector: str | None = None) -> list[Object]:
        """All objects of a namespace (None: of the cluster) that the label selector matches, page by page."""
        items: list[Object] = []
        token: str | None = None
        while True:
            page = self.call(
                self.dynamic.get,
                kind,
                namespace=namespace,
                label_selector=selector,
                limit=PAGE,
                _continue=token,
            )
            for item in page["items"]:
                items.append({"apiVersion": kind.api_version, "kind": kind.kind} | item)
            token = page["metadata"].get("continue")
            if not token:
                return items

    def names(self, kind: Kind, namespace: str) -> set[str]:
        """The names of all objects of a namespace, whoever they belong to; nothing else of them is sent."""
        path = self._resources[kind.kind].path(namespace=namespace)  # type: ignore[no-untyped-call]
        found: set[str] = set()
        token: str | None = None
        while True:
            page = self._checked(
                self.dynamic.request,
                "get",
                path,
                query_params=[("limit", PAGE), *([("continue", token)] if token else [])],
                header_params={"Accept": METADATA_ONLY},
            )
            found |= {item["metadata"]["name"] for item in page["items"] or ()}
            token = page["metadata"].get("continue")
            if not token:
                return found

    def apply(
        self,
        kind: Kind,
        namespace: str,
        name: str,
        body: Object,
        *,
        subresource: str = "",
        manager: str = FIELD_MANAGER,
        dry_run: bool = False,
    ) -> Object:
        """Server-side apply; the fields of the body become the manager's. A dry run only answers."""
        path = self._resources[kind.kind].path(  # type: ignore[no-untyped-call]
            name=name, namespace=namespace
        )
        return self._checked(
            self.dynamic.request,
            "patch",
            f"{path}/{subresource}" if subresource else path,
            body=body,
            content_type="application/apply-patch+yaml",
            field_manager=manager,
            force_conflicts=True,
            dry_run="All" if dry_run else None,
        )

    def raw(self, path: str) -> Object:
        """A path outside of the resources, such as /version; the answer may be some seconds old."""

        def read() -> Object:
            return self._checked(
                self.dynamic.request, "get", path, header_params={"Accept": "application/json, */*"}
            )

        found = self._raw.get(path, read)
        assert found is not None
        return found

    def parallel(self, function: Callable[[Item], Result], items: Iterable[Item]) -> Iterator[Result]:
        """``function`` over the items on the shared threads; the first error is raised."""
        return self._pool.map(function, items)

    def _checked(self, operation: Callable[..., Any], *positional: Any, **arguments: Any) -> Object:
        try:
            answer = operation(*positional, serialize=False, _request_timeout=self._timeout, **arguments)
            parsed: Object = json.loads(answer.data)
        except ApiException as error:
            raise ApiError(error.status or 0, _message(error)) from error
        except (urllib3.exceptions.HTTPError, OSError) as error:
            raise ApiError(0, f"the API server did not answer: {error}") from error
        return parsed


def _version(obj: Object) -> str:
    return str(obj["metadata"].get("resourceVersion", ""))


def _message(error: ApiException) -> str:
    """The server's own words, which name the field."""
    try:
        return str(json.loads(error.body or "")["message"])
    except (TypeError, ValueError, KeyError):
        return str(error.reason or error)
