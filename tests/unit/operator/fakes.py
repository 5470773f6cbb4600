"""A cluster in memory, in place of the one class that talks to the API server."""

import base64
import json
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from payment_operator.errors import ApiError
from payment_operator.kinds import Kind
from payment_operator.settings import FIELD_MANAGER

Object = dict[str, Any]


class FakeDynamic:
    """Names of operations, as the real client has them."""

    create, get, delete, patch = "create", "get", "delete", "patch"


class FakeCluster:
    """Objects by kind, namespace and name; ``log`` is what was written."""

    def __init__(self) -> None:
        self.dynamic = FakeDynamic()
        self.objects: dict[tuple[str, str, str], Object] = {}
        self.log: list[str] = []
        self.raws: dict[str, Object] = {}
        self.forbidden: set[str] = set()
        self.handed_over: dict[str, int] = {}
        self.refused: dict[str, ApiError] = {}

    def put(self, kind: str, namespace: str, name: str, **fields: Any) -> Object:
        """An object that was there before."""
        metadata = {"name": name, "namespace": namespace, "uid": f"uid-{kind}-{name}", "resourceVersion": "1"}
        metadata |= fields.pop("metadata", {})
        self.objects[kind, namespace, name] = {"kind": kind, "metadata": metadata} | fields
        return self.objects[kind, namespace, name]

    def put_secret(self, namespace: str, name: str, **data: str) -> None:
        """A Secret that a user made."""
        encoded = {key: base64.b64encode(value.encode()).decode() for key, value in data.items()}
        self.put("Secret", namespace, name, data=encoded)

    def get(self, kind: Kind, namespace: str, name: str) -> Object | None:
        """As the real one."""
        if name in self.forbidden:
            raise ApiError(403, "forbidden")
        return self.objects.get((kind.kind, namespace, name))

    def list(self, kind: Kind, namespace: str | None, selector: str | None = None) -> list[Object]:
        """As the real one."""
        key, _, value = (selector or "").partition("=")
        return [
            item
            for (found, place, _), item in self.objects.items()
            if found == kind.kind
            and namespace in (None, place)
            and (not key or item["metadata"].get("labels", {}).get(key) == value)
        ]

    def names(self, kind: Kind, namespace: str) -> set[str]:
        """As the real one."""
        return {item["metadata"]["name"] for item in self.list(kind, namespace)}

    def call(self, operation: str, kind: Kind, **arguments: Any) -> Object:
        """create and delete, as the real one."""
        namespace = arguments["namespace"]
        if operation == "delete":
            self.log.append(f"delete {kind.kind}/{arguments['name']}")
            return self.objects.pop((kind.kind, namespace, arguments["name"]))
        body = json.loads(json.dumps(arguments["body"]))
        if operation == "patch":
            return self._patch(kind, namespace, arguments["name"], body)
        name = body["metadata"]["name"]
        if (kind.kind, namespace, name) in self.objects:
            raise ApiError(409, "already exists")
        for key, value in body.pop("stringData", {}).items():
            body.setdefault("data", {})[key] = base64.b64encode(value.encode()).decode()
        self.log.append(f"create {kind.kind}/{name}")
        return self.put(kind.kind, namespace, name, **{k: v for k, v in body.items() if k != "kind"})

    def _patch(self, kind: Kind, namespace: str, name: str, body: Object) -> Object:
        live = self.objects[kind.kind, namespace, name]
        if body["metadata"].pop("resourceVersion") != live["metadata"]["resourceVersion"]:
            raise ApiError(409, "the object has been modified")
        self.log.append(f"patch {kind.kind}/{name}")
        annotations = live["metadata"].setdefault("annotations", {})
        annotations |= body["metadata"].get("annotations", {})
        if "ownerReferences" in body["metadata"]:
            live["metadata"]["ownerReferences"] = body["metadata"]["ownerReferences"]
        for part in ("data", "spec"):
            if part in body:
                merged = live.get(part, {}) | body[part]
                live[part] = {key: value for key, value in merged.items() if value is not None}
        live["metadata"]["resourceVersion"] += "1"
        return live

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
        """As the real one, for whole bodies of one manager."""
        if name in self.refused:
            raise self.refused[name]
        if dry_run:
            return {"status": {}} | body
        self.log.append(f"apply {kind.kind}/{name}{'/' + subresource if subresource else ''}")
        key = (kind.kind, namespace, name)
        if manager != FIELD_MANAGER:
            self.handed_over[name] = body["spec"]["replicas"]
            return self.objects[key]
        if subresource:
            self.objects[key][subresource] = body[subresource]
            return self.objects[key]
        metadata = {"uid": f"uid-{kind.kind}-{name}", "namespace": namespace} | body["metadata"]
        self.objects[key] = body | {"metadata": metadata}
        return self.objects[key]

    def raw(self, path: str) -> Object:
        """As the real one."""
        return self.raws[path]

    def parallel(self, function: Callable[[Any], Any], items: Iterable[Any]) -> Iterator[Any]:
        """One after the other."""
        return map(function, items)
