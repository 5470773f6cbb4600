"""Looking at the children of a platform and touching them, as somebody else would."""

import json
import random
from typing import Any

from hack.controlplane.api import Api, Object, wait
from hack.controlplane.audit import Audit
from payment_operator.kinds import CHILDREN, PLATFORM_LABEL

WORKLOADS = ("Deployment", "StatefulSet")
Child = tuple[str, str]


def children(api: Api, namespace: str) -> dict[Child, Object]:
    """All children by kind and name."""
    found: dict[Child, Object] = {}
    for kind in CHILDREN:
        for item in api.list(kind.kind, namespace):
            if PLATFORM_LABEL in item["metadata"].get("labels", {}):
                found[kind.kind, item["metadata"]["name"]] = item
    return found


def templates(api: Api, namespace: str) -> dict[Child, Object]:
    """The pod templates of Deployments and StatefulSets."""
    return {
        (kind, item["metadata"]["name"]): item["spec"]["template"]
        for kind in WORKLOADS
        for item in api.list(kind, namespace)
    }


def mentions(value: Any, secret: str) -> bool:
    """Whether a pod template takes anything from a Secret, by its name in a reference or a volume."""
    if isinstance(value, dict):
        named = value.get("secretName") == secret
        referred = any(
            isinstance(value.get(key), dict) and value[key].get("name") == secret
            for key in ("secretKeyRef", "secretRef", "secret")
        )
        return named or referred or any(mentions(item, secret) for item in value.values())
    return isinstance(value, list) and any(mentions(item, secret) for item in value)


def settle(api: Api, audit: Audit, namespace: str, seconds: float = 180) -> None:
    """Wait until the platform is Ready and nothing is written any more."""
    wait(lambda: api.is_ready(namespace), seconds, f"{namespace} Ready")

    def still() -> bool:
        audit.mark()
        looks = resyncs(audit, namespace)
        wait(lambda: resyncs(audit, namespace) >= looks + 2, 30, "two looks")
        return not any(call.writes for call in audit.calls(namespace))

    wait(still, seconds, f"{namespace} at rest")


def resyncs(audit: Audit, namespace: str) -> int:
    """How often the operator looked at a platform: each time it lists its Deployments once."""
    return sum(call.verb == "list" and call.resource == "deployments" for call in audit.calls(namespace))


def delete_and_wait(api: Api, namespace: str, chosen: list[Child], limit: float) -> list[float]:
    """Delete all; seconds of each until it is back as another object."""
    import time

    before = children(api, namespace)
    began = {}
    for kind, name in chosen:
        api.delete(kind, namespace, name)
        began[kind, name] = time.monotonic()
    took: dict[Child, float] = {}

    def back() -> bool:
        live = {
            (kind, item["metadata"]["name"]): item["metadata"]["uid"]
            for kind in sorted({kind for kind, name in began if (kind, name) not in took})
            for item in api.list(kind, namespace)
        }
        for child, start in began.items():
            uid = live.get(child)
            if child not in took and uid is not None and uid != before[child]["metadata"]["uid"]:
                took[child] = time.monotonic() - start
        return len(took) == len(chosen)

    wait(back, limit, f"{len(chosen)} children back", pause=0.1)
    return list(took.values())


def some(found: dict[Child, Object], count: int, chance: random.Random) -> list[Child]:
    """So many different children."""
    return chance.sample(sorted(found), count)


def same(first: Object, second: Object) -> bool:
    """Equal as JSON."""
    return json.dumps(first, sort_keys=True) == json.dumps(second, sort_keys=True)
