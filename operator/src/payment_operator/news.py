"""The findings about upgrades and synthetic payments. Pure."""

from __future__ import annotations

from payment_operator.finding import Finding
from payment_operator.kinds import COMPONENT_LABEL
from payment_operator.payment_path import fresh, last_payment, speed
from payment_operator.requests import RETRY_ANNOTATION
from payment_operator.upgrade import Phase, Upgrade
from payment_operator.view import View
from payment_operator.wedged import Verdict, told


def payment_path(view: View) -> Finding:
    """PaymentPathReady."""
    interval = view.synthetic_interval
    if interval is None:
        fix = "spec.health.syntheticPayment.enabled switches them on"
        return Finding("Unknown", "Disabled", f"no synthetic payments are made: {fix}")
    paid = last_payment(view.observed.pods)
    if paid is None:
        return Finding("Unknown", "Waiting", f"the first synthetic payment comes within {interval}")
    look = f"kubectl -n {view.namespace} logs -l {COMPONENT_LABEL}=payment-path"
    if not fresh(paid, interval, view.now):
        return Finding("Unknown", "Stale", f"no synthetic payment was made for long: see {look}")
    if paid.ok:
        return Finding("True", "Paid", f"the last synthetic payment took {speed(paid.latency or 0)}")
    return Finding("False", "PaymentFailed", f"the last synthetic payment failed: {paid.message}: see {look}")


def moving(record: Upgrade, waits: str) -> Finding:
    """Progressing during an upgrade."""
    waits = f": {waits}" if waits else ""
    if record.phase is Phase.ROLLING_BACK:
        return Finding("True", "RollingBack", f"back to {record.origin}, for {record.reason}{waits}")
    return Finding("True", "Upgrading", f"{record.phase}, from {record.origin} to {record.to}{waits}")


def failed_upgrade(view: View, record: Upgrade) -> Finding:
    """Degraded after one that was rolled back."""
    again = f"kubectl -n {view.namespace} annotate pp {RETRY_ANNOTATION}={record.attempts} --overwrite --all"
    text = f"{record.to} did not come up ({record.reason}); the services run {record.origin}"
    fix = f"put right what it says and try again with {again}, or change spec.version back"
    return Finding("True", "UpgradeFailed", f"{text}: {fix}")


def failed_restarts(view: View, verdict: Verdict) -> Finding:
    """Degraded when a service hangs and restarts did not help."""
    look = f"kubectl -n {view.namespace} logs deployment/{verdict.name}"
    return Finding("True", "ServiceHangs", f"{told(verdict)} did not help: see {look}")
