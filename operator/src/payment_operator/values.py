"""From the spec as stored to the chart's values. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import ValidationError

from payment_operator.errors import InvalidSpec
from payment_operator.spec import PaymentPlatformSpec


def parse(spec: Mapping[str, Any]) -> PaymentPlatformSpec:
    """The typed spec. Raises InvalidSpec with field and reason (the API server refuses such ones already)."""
    try:
        return PaymentPlatformSpec.model_validate(spec)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        field = ".".join(str(part) for part in ("spec", *first["loc"]))
        raise InvalidSpec(
            f"{field}: {first['msg']}: correct it, or update the CRD with the operator"
        ) from None


def values_of(
    spec: PaymentPlatformSpec, secret_hashes: Mapping[str, str], metrics: str = "", *, restored: bool = False
) -> dict[str, Any]:
    """The values; pauses, rotation and advice are the operator's own affair, in no manifest.

    ``metrics`` is where the operator's own metrics are, as host:port.
    """
    values = spec.model_dump(by_alias=True, exclude_none=True, mode="json")
    for name in ("paused", "resourceAdvice"):
        values.pop(name, None)
    for name in ("keyRotation", "passwordRotation"):
        values.get("security", {}).pop(name, None)
    values["operator"] = {"managed": True, "secretHashes": dict(secret_hashes), "restored": restored}
    if metrics:
        values["operator"]["metrics"] = metrics
    return values


def release_of(spec: PaymentPlatformSpec, version: str) -> str:
    """What a rollout in waves is about: the version and where its images come from."""
    image = spec.image
    registry = f"{image.registry.rstrip('/')}/" if image and image.registry else ""
    tag = (image.tag if image else None) or version
    return f"{version} ({registry}*:{tag})" if registry or tag != version else version


def recorded(version: str, release: str, spec: PaymentPlatformSpec) -> dict[str, Any]:
    """As ``status.lastGood``."""
    content = spec.model_dump(by_alias=True, exclude_none=True, mode="json")
    content.pop("paused", None)
    return {"version": version, "release": release, "spec": content}
