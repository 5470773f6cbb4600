"""Rules between fields of the spec: in CEL for the API server and, where possible, in JSON Schema for Helm.

The API server evaluates the CEL ones, so a wrong PaymentPlatform is refused with the operator down.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

RULES_KEY = "x-kubernetes-validations"
VALUES_KEY = "x-values-schema"


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule of an object.

    ``cel`` must be true; ``message`` names the fix; ``path`` is the blamed field below the object (".mode").
    ``schema`` says the same in JSON Schema for ``helm install``, when it can.
    """

    cel: str
    message: str
    path: str = ""
    schema: Mapping[str, Any] | None = None

    def as_crd(self) -> dict[str, str]:
        entry = {"rule": self.cel, "message": self.message, "reason": "FieldValueInvalid"}
        if self.path:
            entry["fieldPath"] = self.path
        return entry


def rules(*entries: Rule) -> dict[str, Any]:
    """The ``json_schema_extra`` that carries the rules of a model; the generator splits the two languages."""
    return {
        RULES_KEY: [entry.as_crd() for entry in entries],
        VALUES_KEY: [dict(entry.schema) for entry in entries if entry.schema is not None],
    }


def when(condition: Mapping[str, Any], then: Mapping[str, Any]) -> dict[str, Any]:
    """JSON Schema: when these properties have these values, the rest must hold."""
    constants = {key: {"const": value} for key, value in condition.items()}
    return {"if": {"required": list(constants), "properties": constants}, "then": dict(then)}


def external_or_builtin(dependency: str, *builtin_only: str) -> dict[str, Any]:
    """Exactly one branch: ``external`` with mode External, the builtin settings with mode Builtin."""
    external = "has(self.mode) && self.mode == 'External'"
    entries = [
        Rule(
            f"!({external}) || has(self.external)",
            f"mode External needs {dependency}.external: say where it runs",
            ".external",
            when({"mode": "External"}, {"required": ["external"]}),
        ),
        Rule(
            f"!has(self.external) || ({external})",
            f"{dependency}.external is set but mode is Builtin: set mode to External or remove external",
            ".external",
            {
                "if": {"required": ["external"]},
                "then": {"required": ["mode"], "properties": {"mode": {"const": "External"}}},
            },
        ),
    ]
    for name in builtin_only:
        entries.append(
            Rule(
                f"!({external} && has(self.{name}))",
                f"{name} belongs to the builtin {dependency}: remove it or set mode to Builtin",
                f".{name}",
                when({"mode": "External"}, {"not": {"required": [name]}}),
            )
        )
    return rules(*entries)


def mode_is_fixed(dependency: str) -> Rule:
    """Data would be left behind in the other one, so the mode never changes."""
    mode = f".?{dependency}.?mode.orValue('Builtin')"
    return Rule(
        f"self{mode} == oldSelf{mode}",
        f"{dependency}.mode cannot change: create a new PaymentPlatform and move the data",
        f".{dependency}",
    )


def storage_only_grows(dependency: str) -> Rule:
    """Volumes cannot shrink; a size once given is not taken back, for the default may be smaller."""
    size = f".?{dependency}.?storage.?size.orValue('0')"
    return Rule(
        f"quantity(self{size}).compareTo(quantity(oldSelf{size})) >= 0",
        f"{dependency}.storage.size can only grow: give the present size or more",
        f".{dependency}",
    )


def storage_class_is_fixed(dependency: str) -> Rule:
    """A volume stays in the class that it was made in."""
    name = f".?{dependency}.?storage.?className.orValue('')"
    return Rule(
        f"self{name} == oldSelf{name}",
        f"{dependency}.storage.className cannot change: volumes stay in the class they were made in",
        f".{dependency}",
    )


def brokers_are_fixed() -> Rule:
    """A KRaft quorum cannot be resized in place; the profile decides when nothing is set."""
    brokers = ".?kafka.?brokers.orValue({0}.profile == 'production' ? 3 : 1)"
    return Rule(
        f"self{brokers.format('self')} == oldSelf{brokers.format('oldSelf')}",
        "the number of brokers cannot change (default 3 in production, else 1): set kafka.brokers to the old one",
        ".kafka",
    )


def no_demo_in_production() -> Rule:
    """Everybody knows the demo customers' passwords."""
    return Rule(
        "self.profile != 'production' || !self.?demo.?enabled.orValue(false)",
        "demo customers are refused in production: remove demo.enabled",
        ".demo",
        _in_production("demo", {"properties": {"enabled": {"const": False}}}),
    )


def no_sandbox_in_production(channel: str) -> Rule:
    """The sandbox shows what it was to send to anybody in the namespace."""
    provider = {"properties": {"provider": {"not": {"const": "sandbox"}}}}
    return Rule(
        f"self.profile != 'production' || self.?notifications.?{channel}.?provider.orValue('') != 'sandbox'",
        f"the sandbox provider is refused in production: give notifications.{channel} a real one",
        ".notifications",
        _in_production("notifications", {"properties": {channel: provider}}),
    )


def tls_in_production() -> Rule:
    """Tokens and passwords cross the Ingress."""
    return Rule(
        "self.profile != 'production' || !self.?loadBalancer.?ingress.hasValue()"
        " || has(self.loadBalancer.ingress.tlsSecretName)",
        "production needs TLS: set loadBalancer.ingress.tlsSecretName",
        ".loadBalancer",
        _in_production("loadBalancer", {"properties": {"ingress": {"required": ["tlsSecretName"]}}}),
    )


def _in_production(key: str, schema: Mapping[str, Any]) -> dict[str, Any]:
    return when({"profile": "production"}, {"properties": {key: schema}})
