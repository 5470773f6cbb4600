"""Spec of what becomes of the advice about requests; the words are VerticalPodAutoscaler's."""

from __future__ import annotations

from typing import Literal

from pydantic import ConfigDict, Field

from payment_operator.rules import Rule, rules
from payment_operator.spec_types import Model, ResourceList


def _ordered(resource: str) -> Rule:
    low, high = (f"self.{bound}.{resource}" for bound in ("minAllowed", "maxAllowed"))
    there = " && ".join(
        f"has(self.{bound}) && has(self.{bound}.{resource})" for bound in ("minAllowed", "maxAllowed")
    )
    return Rule(
        f"!({there}) || quantity(string({low})).compareTo(quantity(string({high}))) <= 0",
        f"minAllowed.{resource} must not be above maxAllowed.{resource}",
        ".minAllowed",
    )


class ResourceAdvice(Model):
    """What services should ask for, by what they used, is told in status.advice; it can be applied, too."""

    model_config = ConfigDict(json_schema_extra=rules(_ordered("cpu"), _ordered("memory")))
    update_mode: Literal["Off", "Auto"] | None = Field(
        None,
        description='Auto: applied, to one service at a time and to each once a day. Default "Off" (with the'
        " quotes, for YAML). What services.*.resources declares is never changed. Needs the operator and"
        " observability.prometheus.",
    )
    min_allowed: ResourceList | None = Field(
        None, description="The least that is applied as a request; default 10m and 32Mi."
    )
    max_allowed: ResourceList | None = Field(
        None, description="The most that is applied as a request; default 2 cores and 2Gi."
    )
