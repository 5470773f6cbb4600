"""Rules between fields of the spec, in CEL.

The API server evaluates them, so a wrong PaymentPlatform is refused with the operator down. The chart refuses
the same for ``helm install``, with words of its own.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

RULES_KEY = "x-kubernetes-validations"


@dataclass(frozen=True, slots=True)
class Rule:
    """``cel`` must be true; ``message`` names the fix; ``path`` is the blamed field, such as ".mode"."""

    cel: str
    message: str
    path: str = ""

    def as_crd(self) -> dict[str, str]:
        """As the CRD has it."""
        entry = {"rule": self.cel, "message": self.message, "reason": "FieldValueInvalid"}
        return entry | ({"fieldPath": self.path} if self.path else {})


def rules(*entries: Rule) -> dict[str, Any]:
    """The ``json_schema_extra`` that carries the rules of a model."""
    return {RULES_KEY: [entry.as_crd() for entry in entries]}


def external_or_builtin(dependency: str, *builtin_only: str) -> dict[str, Any]:
    """Exactly one branch: ``external`` with mode External, the builtin settings with mode Builtin."""
    external = "(has(self.mode) && self.mode == 'External')"
    entries = [
        Rule(
            f"!{external} || has(self.external)",
            f"mode External needs {dependency}.external: say where it runs",
            ".external",
        ),
        Rule(
            f"!has(self.external) || {external}",
            f"{dependency}.external is set but mode is Builtin: set mode to External or remove external",
            ".external",
        ),
    ]
    return rules(*entries, *_only_builtin(dependency, builtin_only))


def only_builtin(part: str, *names: str) -> dict[str, Any]:
    """With mode External none of the builtin one's settings."""
    return rules(*_only_builtin(part, names))


def _only_builtin(part: str, names: Sequence[str]) -> list[Rule]:
    return [
        Rule(
            f"!(has(self.mode) && self.mode == 'External' && has(self.{name}))",
            f"{name} belongs to the builtin {part}: remove it or set mode to Builtin",
            f".{name}",
        )
        for name in names
    ]


def _has(root: str, path: str) -> str:
    """CEL: the path exists. (Optionals would be shorter, but hide the sizes from the cost estimate.)"""
    parts = path.split(".")
    return " && ".join(f"has({root}.{'.'.join(parts[: n + 1])})" for n in range(len(parts)))


def _or(root: str, path: str, default: str) -> str:
    return f"({_has(root, path)} ? {root}.{path} : {default})"


def mode_is_fixed(dependency: str) -> Rule:
    """Data would be left behind in the other one, so the mode never changes."""
    old, new = (_or(root, f"{dependency}.mode", "'Builtin'") for root in ("oldSelf", "self"))
    return Rule(
        f"{new} == {old}",
        f"{dependency}.mode cannot change: create a new PaymentPlatform and move the data",
        f".{dependency}",
    )


def storage_only_grows(dependency: str) -> Rule:
    """Volumes cannot shrink; a size once given is not taken back, for the default may be smaller."""
    size = f"{dependency}.storage.size"
    return Rule(
        f"!({_has('oldSelf', size)}) || ({_has('self', size)}"
        f" && quantity(self.{size}).compareTo(quantity(oldSelf.{size})) >= 0)",
        f"{size} can only grow: give the present size or more",
        f".{dependency}",
    )


def storage_class_is_fixed(dependency: str) -> Rule:
    """A volume stays in the class that it was made in."""
    name = f"{dependency}.storage.className"
    old, new = (_or(root, name, "''") for root in ("oldSelf", "self"))
    return Rule(
        f"{new} == {old}",
        f"{name} cannot change: volumes stay in the class they were made in",
        f".{dependency}",
    )


def brokers_are_fixed() -> Rule:
    """A KRaft quorum cannot be resized in place; the profile decides when nothing is set."""
    old, new = (
        _or(root, "kafka.brokers", f"({root}.profile == 'production' ? 3 : 1)")
        for root in ("oldSelf", "self")
    )
    return Rule(
        f"{new} == {old}",
        "the number of brokers cannot change (default 3 in production, else 1): set kafka.brokers to that",
        ".kafka",
    )


def volume_is_kept(part: str) -> Rule:
    """A volume cannot shrink and stays in its class; switched off and on, a part may get a new one."""
    root = f"observability.{part}"
    size, name = f"{root}.storage.size", f"{root}.storage.className"
    both = [f"({_has('oldSelf', path)} && {_has('self', path)})" for path in (size, name)]
    return Rule(
        f"(!{both[0]} || quantity(self.{size}).compareTo(quantity(oldSelf.{size})) >= 0)"
        f" && (!{both[1]} || self.{name} == oldSelf.{name})",
        f"{root}.storage: the size can only grow, the class cannot change: give the present ones",
        ".observability",
    )


def external_collector_is_named() -> Rule:
    """Where a collector of somebody else is, is said with the traces."""
    mode = _or("self", "observability.collector.mode", "'Builtin'")
    endpoint = _has("self", "observability.tracing.endpoint")
    return Rule(
        f"{mode} != 'External' || ({endpoint} && self.observability.tracing.endpoint != '')",
        "collector.mode External needs observability.tracing.endpoint: say where the collector runs",
        ".observability",
    )


def restored_once() -> Rule:
    """A backup is restored when the database is made, never into one that lives."""
    return Rule(
        "!has(self.restoreFrom) || (has(oldSelf.restoreFrom) && self.restoreFrom == oldSelf.restoreFrom)",
        "restoreFrom is for a new platform only and cannot change: create one in another namespace",
        ".restoreFrom",
    )


def archive_has_backups() -> list[Rule]:
    """A recovery begins from a backup, and the log is the builtin server's."""
    on = _or("self", "backup.pointInTime.enabled", "false")
    backups = _or("self", "backup.enabled", "(self.profile != 'dev')")
    mode = _or("self", "postgres.mode", "'Builtin'")
    return [
        Rule(
            f"!{on} || {backups}",
            "backup.pointInTime needs backups to begin from: set backup.enabled, or remove it",
            ".backup",
        ),
        Rule(
            f"!{on} || {mode} == 'Builtin'",
            "backup.pointInTime is for the builtin PostgreSQL, an External one archives by itself: remove it",
            ".backup",
        ),
    ]


_PRODUCTION = "self.profile == 'production'"


def no_demo_in_production() -> Rule:
    """Everybody knows the demo customers' passwords."""
    return Rule(
        f"!({_PRODUCTION} && {_or('self', 'demo.enabled', 'false')})",
        "demo customers are refused in production, for their passwords are public: remove demo.enabled",
        ".demo",
    )


def no_private_webhooks_in_production() -> Rule:
    """Customers choose where webhooks go."""
    return Rule(
        f"!({_PRODUCTION} && {_or('self', 'webhooks.allowPrivateAddresses', 'false')})",
        "webhooks to private addresses are refused in production: remove webhooks.allowPrivateAddresses",
        ".webhooks",
    )


def real_provider_in_production(channel: str) -> Rule:
    """The sandbox delivers nothing, and shows what it was to send to anybody in the namespace."""
    provider = _or("self", f"notifications.{channel}.provider", "'sandbox'")
    return Rule(
        f"!({_PRODUCTION} && {provider} == 'sandbox')",
        f"production needs a real provider: set provider and credentialsSecretRef of notifications.{channel}",
    )


_TYPE = _or("self", "loadBalancer.type", "'ClusterIP'")
_HOST = _has("self", "loadBalancer.ingress.host")


def tls_in_production() -> Rule:
    """Tokens and passwords go through the entrance."""
    return Rule(
        f"!({_PRODUCTION} && ({_TYPE} != 'ClusterIP' || ({_HOST})))"
        f" || ({_has('self', 'loadBalancer.ingress.tlsSecretName')})",
        "an entrance needs TLS in production: set loadBalancer.ingress.tlsSecretName",
        ".loadBalancer",
    )


def one_entrance_in_production() -> Rule:
    """A node port beside an Ingress would be a way in without TLS."""
    return Rule(
        f"!({_PRODUCTION} && {_TYPE} != 'ClusterIP' && {_HOST})",
        "beside an Ingress the type is ClusterIP in production: remove loadBalancer.type or ingress.host",
        ".loadBalancer",
    )


_NO_ORIGINS = f"!({_has('self', 'security.cors.allowedOrigins')})"


def cors_with_tls_in_production() -> Rule:
    """A page fetched without TLS may be anybody's."""
    https = "self.security.cors.allowedOrigins.all(o, o.startsWith('https://'))"
    return Rule(
        f"!({_PRODUCTION}) || {_NO_ORIGINS} || {https}",
        "origins are https:// in production: correct security.cors.allowedOrigins",
        ".security",
    )
