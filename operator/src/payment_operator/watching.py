"""The condition ObservabilityReady from one look at a platform. Pure."""

from __future__ import annotations

from payment_operator.finding import NOT_LOOKED, Finding
from payment_operator.readiness import unready
from payment_operator.view import View

_WORKLOADS = ("Deployment", "StatefulSet")


def observability(view: View) -> Finding:
    """Whether every enabled part does what it is for; no payment depends on any."""
    if view.spec is None:
        return NOT_LOOKED
    if not view.parts:
        return Finding("Unknown", "Disabled", "no part of spec.observability is enabled")
    if not view.desired:
        return NOT_LOOKED
    silent = sorted(view.parts_unreachable)
    if silent:
        why = "; ".join(f"{name}: {view.parts_unreachable[name]}" for name in silent)
        text = f"{why}: check spec.observability.{silent[0]} and what stands between"
        return Finding("False", "Unreachable", text)
    missing, late, ready = [], [], []
    for item in view.desired:
        if not item.part or item.ref.kind not in _WORKLOADS:
            continue
        live = view.observed.live.get(item.ref)
        if live is None:
            missing.append(item.ref.name)
        elif unready(live, item.body) is None:
            ready.append(item.ref.name)
        else:
            late.append(item.ref.name)
    if missing or late:
        names = [*missing, *late]
        look = f"see kubectl -n {view.namespace} describe pod -l app.kubernetes.io/name={names[0]}"
        reason = "Missing" if missing else "NotReady"
        return Finding("False", reason, f"not ready: {', '.join(names)}: {look}; payments go on")
    return Finding("True", "Ready", f"{', '.join(view.parts)}: {len(ready)} workloads are ready")
