"""What a person does with the API server: plain requests, dicts in and out."""

from __future__ import annotations

import os
import ssl
import time
from collections.abc import Callable
from typing import Any

import httpx

from hack.controlplane.servers import PERSON, ControlPlane, User
from payment_operator.kinds import BY_KIND, PLATFORM

Object = dict[str, Any]
TIMEOUT = 30.0
#: Kinds that only a person handles: group and version, plural, whether in a namespace.
OTHERS = {
    "Namespace": ("v1", "namespaces", False),
    "CustomResourceDefinition": ("apiextensions.k8s.io/v1", "customresourcedefinitions", False),
    "ClusterRole": ("rbac.authorization.k8s.io/v1", "clusterroles", False),
    "ClusterRoleBinding": ("rbac.authorization.k8s.io/v1", "clusterrolebindings", False),
    "Role": ("rbac.authorization.k8s.io/v1", "roles", True),
    "RoleBinding": ("rbac.authorization.k8s.io/v1", "rolebindings", True),
}


class Api:
    """Requests of one user. Raises httpx.HTTPStatusError with the server's answer."""

    def __init__(self, plane: ControlPlane, user: User = PERSON) -> None:
        self._client = httpx.Client(
            base_url=plane.url,
            verify=ssl.create_default_context(cafile=str(plane.ca)),
            headers={"Authorization": f"Bearer {user.token}"},
            timeout=TIMEOUT,
            limits=httpx.Limits(max_connections=20),
        )

    def __enter__(self) -> Api:
        return self

    def __exit__(self, *_: object) -> None:
        self._client.close()

    def get(self, kind: str, namespace: str, name: str) -> Object | None:
        """The object, or None."""
        answer = self._client.get(path(kind, namespace, name))
        return None if answer.status_code == 404 else _checked(answer)

    def there(self, kind: str, namespace: str, name: str) -> Object:
        """The object, which must be there."""
        return _checked(self._client.get(path(kind, namespace, name)))

    def list(self, kind: str, namespace: str = "") -> list[Object]:
        """All of a namespace, or of the cluster."""
        items: list[Object] = _checked(self._client.get(path(kind, namespace)))["items"]
        return items

    def apply(self, body: Object, manager: str = "person") -> Object:
        """Server-side apply."""
        metadata = body["metadata"]
        answer = self._client.patch(
            path(body["kind"], metadata.get("namespace", ""), metadata["name"]),
            json=body,
            params={"fieldManager": manager, "force": "true"},
            headers={"Content-Type": "application/apply-patch+yaml"},
        )
        return _checked(answer)

    def replace(self, body: Object) -> Object:
        """Put the object in the place of the one that was read."""
        metadata = body["metadata"]
        place = path(body["kind"], metadata.get("namespace", ""), metadata["name"])
        return _checked(self._client.put(place, json=body))

    def patch(self, kind: str, namespace: str, name: str, body: Object, manager: str = "person") -> Object:
        """Merge patch."""
        answer = self._client.patch(
            path(kind, namespace, name),
            json=body,
            params={"fieldManager": manager},
            headers={"Content-Type": "application/merge-patch+json"},
        )
        return _checked(answer)

    def delete(self, kind: str, namespace: str, name: str) -> None:
        """Delete; nobody collects what it owns, for there is no garbage collector."""
        _checked(
            self._client.request(
                "DELETE", path(kind, namespace, name), json={"propagationPolicy": "Background"}
            )
        )

    def namespace(self, name: str) -> None:
        """Make a namespace, or keep it."""
        self.apply({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}})

    def declare(
        self, namespace: str, annotations: dict[str, str] | None = None, name: str = "payments", **spec: Any
    ) -> Object:
        """A PaymentPlatform, of profile dev unless said otherwise."""
        metadata = {"name": name, "namespace": namespace, "annotations": annotations or {}}
        document = {"apiVersion": PLATFORM.api_version, "kind": PLATFORM.kind, "metadata": metadata}
        return self.apply({**document, "spec": {"profile": "dev"} | spec})

    def conditions(self, namespace: str, name: str = "payments") -> dict[str, Object]:
        """The platform's conditions by their type."""
        status = self.there("PaymentPlatform", namespace, name).get("status", {})
        return {item["type"]: item for item in status.get("conditions", [])}

    def is_ready(self, namespace: str, name: str = "payments") -> bool:
        """All of the present generation is rolled out and a payment could be made."""
        platform = self.there("PaymentPlatform", namespace, name)
        found = {item["type"]: item for item in platform.get("status", {}).get("conditions", [])}
        present = found.get("Ready", {}).get("observedGeneration") == platform["metadata"]["generation"]
        complete = found.get("Progressing", {}).get("reason") == "Complete"
        return present and complete and bool(found["Ready"]["status"] == "True")


def path(kind: str, namespace: str, name: str = "") -> str:
    """The path of a kind's objects, or of one."""
    if kind in OTHERS:
        version, plural, namespaced = OTHERS[kind]
    else:
        known = BY_KIND[kind]
        version, plural, namespaced = known.api_version, known.plural, True
    root = f"/apis/{version}" if "/" in version else f"/api/{version}"
    place = f"/namespaces/{namespace}" if namespaced and namespace else ""
    return f"{root}{place}/{plural}" + (f"/{name}" if name else "")


def wait(check: Callable[[], bool], seconds: float, what: str, pause: float = 0.1) -> float:
    """Seconds until `check` holds. Raises AssertionError after `seconds`, or more on a busy machine."""
    began, limit = time.monotonic(), 0.0
    while not check():
        limit = max(limit, seconds * crowding())
        if time.monotonic() - began > limit:
            raise AssertionError(f"{what}: not within {limit:.0f} s")
        time.sleep(pause)
    return time.monotonic() - began


def crowding() -> float:
    """By how much longer all takes than on a machine with nothing else to do: processes that want a core, for
    each core, over the last minute; 1 to 10.
    """
    return min(10.0, max(1.0, os.getloadavg()[0] / (os.cpu_count() or 1)))


def _checked(answer: httpx.Response) -> Object:
    if answer.is_error:
        raise httpx.HTTPStatusError(
            f"{answer.status_code}: {answer.text[:1000]}", request=answer.request, response=answer
        )
    parsed: Object = answer.json()
    return parsed
