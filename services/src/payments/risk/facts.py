"""What is known when a payment is assessed: the words that rules may use. Pure."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from decimal import Decimal, InvalidOperation
from typing import Any, Literal

SanctionsDecision = Literal["clear", "possible_match", "match"]
Kind = Literal["number", "count", "text", "truth"]

COUNTED_UP_TO = 100  # the windows' counts go no further, so that a busy customer costs no more than others


@dataclass(frozen=True, slots=True)
class Facts:
    """A payment, its customer and what both did before. None: not known; no condition on it holds.

    Amounts are in major units of the payment's currency. The windows tell of the customer's other payments:
    `payments_*` counts those created (up to 100), `sum_*` adds up those that succeeded, in the same currency
    and by clock hours, so that a window may reach back up to an hour further. `sanctions` is the gravest
    decision over everybody the payment concerns.
    """

    amount: Decimal
    currency: str
    verified: bool
    sanctions: SanctionsDecision
    payments_24h: int
    over_review_limit: bool = False
    to_other_bank: bool = False
    kyc_level: str | None = None
    country: str | None = None
    payments_1h: int | None = None
    payments_7d: int | None = None
    sum_1h: Decimal | None = None
    sum_24h: Decimal | None = None
    sum_7d: Decimal | None = None
    new_payee: bool | None = None

    def known(self) -> dict[str, Any]:
        """What is known, as it is stored with the assessment: amounts as decimal text."""
        return {
            name: str(value) if isinstance(value, Decimal) else value
            for name, value in asdict(self).items()
            if value is not None
        }


class FactError(ValueError):
    """A stored fact is unknown, missing or of the wrong kind; the message names it."""


KINDS: dict[str, Kind] = {
    "amount": "number",
    "currency": "text",
    "verified": "truth",
    "sanctions": "text",
    "over_review_limit": "truth",
    "to_other_bank": "truth",
    "kyc_level": "text",
    "country": "text",
    "payments_1h": "count",
    "payments_24h": "count",
    "payments_7d": "count",
    "sum_1h": "number",
    "sum_24h": "number",
    "sum_7d": "number",
    "new_payee": "truth",
}
_NEEDED = ("amount", "currency", "verified", "sanctions", "payments_24h")
assert set(KINDS) == {field.name for field in fields(Facts)}


def read(stored: Mapping[str, Any]) -> Facts:
    """Facts as `known` gave them. Raises FactError."""
    unknown = [name for name in stored if name not in KINDS]
    missing = [name for name in _NEEDED if name not in stored]
    if unknown or missing:
        raise FactError(
            f"unknown facts: {', '.join(unknown) or 'none'}; missing: {', '.join(missing) or 'none'}"
        )
    values = {name: _value(name, value) for name, value in stored.items() if value is not None}
    if values["sanctions"] not in ("clear", "possible_match", "match"):
        raise FactError("sanctions: must be clear, possible_match or match")
    return Facts(**values)


def _value(name: str, value: Any) -> Any:
    kind = KINDS[name]
    if kind == "number" and isinstance(value, str | int | Decimal) and not isinstance(value, bool):
        try:
            number = Decimal(value)
        except InvalidOperation as error:
            raise FactError(f"{name}: must be a number") from error
        if number.is_finite():
            return number
    if kind == "count" and isinstance(value, int) and not isinstance(value, bool):
        return value
    if (kind == "text" and isinstance(value, str)) or (kind == "truth" and isinstance(value, bool)):
        return value
    raise FactError(f"{name}: must be a {kind}")
