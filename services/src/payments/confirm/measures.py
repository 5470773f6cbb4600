"""What becomes of payments and refunds, counted where it is certain: after the commit, by who made it."""

from typing import Any

from payments.common import metrics, money
from payments.confirm.domain import Payment, Refund

CREATED = metrics.counter("payments_created_total", "Payments created.", ["currency", "transfer"])
OUTCOMES = metrics.counter(
    "payments_outcomes_total",
    "How attempts on payments ended. succeeded, failed and canceled are final, once a payment; after the"
    " others it goes on. `code` is the problem's, empty without one.",
    ["outcome", "risk_level", "transfer", "code"],
)
REFUNDS = metrics.counter("payments_refunds_total", "Refunds that ended.", ["outcome", "transfer"])
AMOUNT = metrics.histogram(
    "payments_moved_amount",
    "Amounts of payments and refunds that succeeded, in units of their currency (not minor ones).",
    ["kind", "currency"],
    buckets=(1, 10, 50, 100, 500, 1_000, 5_000, 10_000, 50_000, 100_000, 1_000_000),
)
_LEVELS = frozenset({"LOW", "HIGH"})
_TRANSFERS = ("on_us", "off_us")
metrics.from_zero(OUTCOMES, ["succeeded"], sorted(_LEVELS), _TRANSFERS, [""])
metrics.from_zero(OUTCOMES, ["failed"], sorted(_LEVELS), _TRANSFERS, ["payment_refused"])
metrics.from_zero(OUTCOMES, ["unknown"], ["none"], _TRANSFERS, [""])
metrics.from_zero(REFUNDS, ("succeeded", "failed"), _TRANSFERS)


def transfer(off_us: bool) -> str:
    """on_us within the platform, off_us to another bank."""
    return "off_us" if off_us else "on_us"


def created(currency: str, *, off_us: bool) -> None:
    """A payment was created."""
    CREATED.labels(currency, transfer(off_us)).inc()


def ended(payment: Payment, outcome: str, changes: dict[str, Any], code: str = "") -> None:
    """An attempt on a payment ended; `changes` may hold the assessment that it made."""
    OUTCOMES.labels(outcome, level(changes), transfer(payment.off_us), code).inc()
    if outcome == "succeeded":
        _moved("payment", payment.amount, payment.currency)


def canceled(count: int = 1, *, code: str) -> None:
    """Payments ended before any attempt on them did."""
    OUTCOMES.labels("canceled", "none", "none", code).inc(count)


def rejected() -> None:
    """An operator has refused a payment under review."""
    OUTCOMES.labels("failed", "none", "none", "payment_refused").inc()


def refunded(refund: Refund, outcome: str) -> None:
    """A refund ended."""
    REFUNDS.labels(outcome, transfer(refund.off_us)).inc()
    if outcome == "succeeded":
        _moved("refund", refund.amount, refund.currency)


def level(changes: dict[str, Any]) -> str:
    """LOW or HIGH; none when the attempt ended before its assessment."""
    found = ((changes.get("assessment") or {}).get("public") or {}).get("level")
    return found if found in _LEVELS else "none"


def _moved(kind: str, minor: int, currency: str) -> None:
    AMOUNT.labels(kind, currency).observe(float(money.to_decimal(minor, currency)))
