"""Several operators behind one Lease: the leader is killed or stopped, another one takes over."""

from __future__ import annotations

import signal
import time
from collections.abc import Sequence
from dataclasses import dataclass

from hack.controlplane.api import Api, crowding, wait
from hack.controlplane.audit import Audit, Call
from hack.controlplane.operators import Operator
from hack.controlplane.servers import OPERATOR_NAMESPACE, ControlPlane

LEASE = "payment-operator"
#: Seconds: for a start, for a takeover at the latest, and for a released Lease.
START, TAKEOVER = 90.0, 20.0
#: Exit status of an operator that finds that another one leads.
LOST = 75


@dataclass(frozen=True)
class Takeover:
    """Seconds until another operator held the Lease and until it wrote; all that was written meanwhile."""

    seconds: float
    work: float
    writes: Sequence[Call]

    @property
    def turns(self) -> list[str]:
        """The operators in the order of their writes, each as often as it began anew."""
        order: list[str] = []
        for call in sorted(self.writes, key=lambda item: item.at):
            if order[-1:] != [call.operator]:
                order.append(call.operator)
        return order


def lease_rights(api: Api, namespace: str) -> None:
    """Let operators hold a Lease of another namespace too, as a chart installed there would."""
    for kind in ("Role", "RoleBinding"):
        source = api.there(kind, OPERATOR_NAMESPACE, "payment-operator-lease")
        metadata = {"name": "payment-operator-lease", "namespace": namespace}
        kept = {key: source[key] for key in ("rules", "roleRef", "subjects") if key in source}
        api.apply({"apiVersion": "rbac.authorization.k8s.io/v1", "kind": kind, "metadata": metadata} | kept)


def group(plane: ControlPlane, namespace: str, numbers: Sequence[int]) -> list[Operator]:
    """Operators of one namespace and its Lease, not started."""
    return [
        Operator(plane, number=number, namespaces=[namespace], lease=namespace, resync=3600)
        for number in numbers
    ]


def leader(api: Api, namespace: str, operators: Sequence[Operator]) -> Operator | None:
    """Who holds the Lease."""
    lease = api.get("Lease", namespace, LEASE)
    holder = (lease or {"spec": {}})["spec"].get("holderIdentity") or ""
    return next((item for item in operators if item.uid == holder.rpartition("_")[0]), None)


def take_over(
    plane: ControlPlane, api: Api, namespace: str, operators: Sequence[Operator], how: signal.Signals
) -> Takeover:
    """End or stop the leader in the middle of its work; one that was stopped goes on when another leads.

    All have ended after that. Raises AssertionError when nobody takes over in time.
    """
    try:
        return _take_over(plane, api, namespace, operators, how)
    finally:
        for operator in operators:
            operator.stop()


def _take_over(
    plane: ControlPlane, api: Api, namespace: str, operators: Sequence[Operator], how: signal.Signals
) -> Takeover:
    wait(lambda: leader(api, namespace, operators) is not None, START, f"a leader of {namespace}")
    first = leader(api, namespace, operators)
    assert first is not None
    audit = Audit(plane.audit_log)
    audit.mark()
    api.declare(namespace)
    wait(lambda: len(_writes(audit, namespace)) > 20, START, "the leader at work")
    first.process.send_signal(how)
    began = time.monotonic()
    wait(lambda: leader(api, namespace, operators) not in (None, first), TAKEOVER + 5, "a takeover")
    seconds = time.monotonic() - began
    second = leader(api, namespace, operators)
    assert second is not None
    wait(lambda: _wrote(audit, namespace, second), START, "work of the second leader")
    work = time.monotonic() - began
    if how == signal.SIGSTOP:
        first.process.send_signal(signal.SIGCONT)
        assert first.process.wait(START * crowding()) == LOST
    wait(lambda: api.is_ready(namespace), START, f"{namespace} Ready")
    return Takeover(seconds, work, _writes(audit, namespace))


def _wrote(audit: Audit, namespace: str, operator: Operator) -> bool:
    return any(call.operator == operator.uid for call in _writes(audit, namespace))


def _writes(audit: Audit, namespace: str) -> list[Call]:
    """What was changed, but for the Lease, which candidates may try for.

    A request that a stopped operator had begun to send comes to nothing: the API server gave it up.
    """
    found = audit.calls(namespace)
    return [call for call in found if call.writes and call.resource != "leases" and call.code < 400]
