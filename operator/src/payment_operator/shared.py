"""What the operator's administrator sets for all platforms: defaults of the spec, and quotas.

Precedence: what a platform declares, then these defaults, then its profile.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from payment_operator.errors import InvalidDefaults, InvalidSpec, QuotaExceeded
from payment_operator.values import parse

Object = Mapping[str, Any]
#: What each platform says itself: which it is, where its data is and comes from.
ITS_OWN = frozenset({"profile", "paused", "postgres", "redis", "kafka", "restoreFrom"})
QUOTAS = ("pods", "platforms")
SCALED, PODS = ("Deployment", "StatefulSet"), "HorizontalPodAutoscaler"


@dataclass(frozen=True, slots=True)
class Shared:
    """``spec`` as in a PaymentPlatform; ``pods`` of one platform at the most, autoscaling included.

    ``platforms``: how many of them there may be, all namespaces together.
    """

    spec: Object = field(default_factory=dict)
    pods: int | None = None
    platforms: int | None = None


class SharedFile:
    """The settings in a file that may appear, change and go: a mounted ConfigMap. Thread-safe."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._known: tuple[str, Shared] = ("", Shared())

    def __call__(self) -> Shared:
        """As it is now. Raises InvalidDefaults."""
        try:
            text = self._path.read_text()
        except FileNotFoundError:
            return Shared()
        known = self._known
        if text != known[0]:
            known = self._known = (text, read(text))
        return known[1]


def read(text: str) -> Shared:
    """The settings. Raises InvalidDefaults with field and reason."""
    try:
        document = yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise InvalidDefaults(f"the defaults are no YAML: {' '.join(str(error).split())}") from None
    document = {} if document is None else document
    if not isinstance(document, dict) or document.keys() - {"spec", "quota"}:
        raise InvalidDefaults("the defaults have the members spec and quota and no other")
    spec, quota = document.get("spec") or {}, document.get("quota") or {}
    if not isinstance(spec, dict) or not isinstance(quota, dict) or quota.keys() - set(QUOTAS):
        raise InvalidDefaults("spec is as in a PaymentPlatform, quota has the members pods and platforms")
    if own := sorted(ITS_OWN & spec.keys()):
        raise InvalidDefaults(f"spec.{own[0]} has no default: each platform declares it")
    limits = {name: quota.get(name) for name in QUOTAS}
    for name, limit in limits.items():
        if limit is not None and (type(limit) is not int or limit < 1):
            raise InvalidDefaults(f"quota.{name} must be a whole number from 1 on")
    try:
        parse({"profile": "dev"} | spec)
    except InvalidSpec as error:
        raise InvalidDefaults(f"the defaults do not fit: {error}") from None
    return Shared(spec, **limits)


def merged(defaults: Object, spec: Object) -> dict[str, Any]:
    """The spec over the defaults, member by member. A part of another mode takes nothing from its default."""
    result = dict(defaults)
    for key, value in spec.items():
        default = defaults.get(key)
        if isinstance(value, Mapping) and isinstance(default, Mapping) and _alike(default, value):
            result[key] = merged(default, value)
        else:
            result[key] = value
    return result


def _alike(default: Object, value: Object) -> bool:
    mode = default.get("mode")
    return bool(value.get("mode", mode) == mode)


def check_quota(shared: Shared, desired: Iterable[Object], live: Iterable[Object]) -> None:
    """Raises QuotaExceeded when a platform would grow beyond it; a lower quota takes nothing away."""
    if shared.pods is None:
        return
    wanted, present = pods(desired), pods(live)
    if wanted > max(shared.pods, present):
        raise QuotaExceeded(
            f"the platform would have up to {wanted} pods, the operator's quota is {shared.pods}: lower"
            " services.*.replicas or autoscaling.maxReplicas, or have quota.pods raised"
        )


def check_platforms(shared: Shared, own: Object, all_: Iterable[Object]) -> None:
    """Raises QuotaExceeded when a platform that is not installed yet would be one too many.

    Those that run, and older ones, go before it. Of each namespace the oldest one counts: there is no other.
    """
    if shared.platforms is None:
        return
    first: dict[str, Object] = {}
    for item in sorted(all_, key=_age):
        if "deletionTimestamp" not in item["metadata"]:
            first.setdefault(item["metadata"]["namespace"], item)
    first.pop(own["metadata"]["namespace"], None)
    ahead = [
        item for item in first.values() if _age(item) < _age(own) or (item.get("status") or {}).get("release")
    ]
    if len(ahead) >= shared.platforms:
        raise QuotaExceeded(
            f"the operator's quota is {shared.platforms} platforms and {len(ahead)} come before this one:"
            " delete one that is not needed, or have quota.platforms raised"
        )


def _age(platform: Object) -> tuple[str, str, str]:
    metadata = platform["metadata"]
    return metadata["creationTimestamp"], metadata["namespace"], metadata["name"]


def pods(objects: Iterable[Object]) -> int:
    """How many pods there may be at the most."""
    counts: dict[tuple[str, str], int] = {}
    # The ceiling of an autoscaler counts, whatever the number is now.
    for item in objects:
        name = item["metadata"]["name"]
        if item["kind"] == PODS:
            counts["Deployment", name] = int(item["spec"]["maxReplicas"])
        elif item["kind"] in SCALED:
            counts.setdefault((item["kind"], name), int(item["spec"].get("replicas", 1)))
    return sum(counts.values())
