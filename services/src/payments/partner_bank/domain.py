"""Rules of the partner bank's sandbox. Amounts are integer minor units."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import ROUND_CEILING, Decimal
from typing import Literal

# In units of the currency, whichever it is.
LIMIT = Decimal("50000.00")
FEE = Decimal("2.50")
SETTLEMENT = timedelta(hours=24)
LIMIT_EXCEEDED = "AMOUNT_EXCEEDS_LIMIT"
DECLINED = "DECLINED"
CANCELED = "CANCELED"
MESSAGES = {
    LIMIT_EXCEEDED: "Transfer amount exceeds daily limit",
    DECLINED: "The payee's side has declined",
    CANCELED: "The order was canceled before it came in",
    "ORIGINAL_NOT_FOUND": "There is no order with the original reference",
    "ORIGINAL_NOT_COMPLETED": "The original order has not moved any money",
    "CURRENCY_MISMATCH": "The original order is in another currency",
    "RETURN_EXCEEDS_ORIGINAL": "The returns would exceed the original order",
}

Status = Literal["PENDING", "COMPLETED", "REJECTED"]


@dataclass(frozen=True, slots=True)
class Order:
    """What a sender asks for, under a reference of their own."""

    reference: str
    from_account: str
    to_account: str
    to_name: str | None
    routing_number: str
    amount: int
    currency: str


@dataclass(frozen=True, slots=True)
class Entry:
    """An order in the bank's book, with its outcome. `error_code` is None when it was accepted."""

    order: Order
    reference_number: str
    fee: int
    error_code: str | None
    received_at: datetime
    completes_at: datetime
    estimated_settlement: datetime

    def status(self, now: datetime) -> Status:
        """Where the order stands: the outcome is told from `completes_at` on."""
        return _status(self.completes_at, self.error_code, now)


@dataclass(frozen=True, slots=True)
class Return:
    """Money of a completed order that its sender asks back, under a reference of their own."""

    reference: str
    original_reference: str
    amount: int
    currency: str
    reason: str | None


@dataclass(frozen=True, slots=True)
class ReturnEntry:
    """A return in the bank's book, with its outcome."""

    order: Return
    reference_number: str
    error_code: str | None
    received_at: datetime
    completes_at: datetime

    def status(self, now: datetime) -> Status:
        """Where the return stands: the outcome is told from `completes_at` on."""
        return _status(self.completes_at, self.error_code, now)


def _status(completes_at: datetime, error_code: str | None, now: datetime) -> Status:
    if now < completes_at:
        return "PENDING"
    return "COMPLETED" if error_code is None else "REJECTED"


def minor(units: Decimal, exponent: int) -> int:
    """Minor units of a decimal amount in a currency of `exponent` decimals, rounded up: 2.50 JPY is 3."""
    return int(units.scaleb(exponent).to_integral_value(ROUND_CEILING))


def decide(amount: int, exponent: int) -> tuple[str | None, int]:
    """Error code (None: accepted) and fee for an amount in a currency of `exponent` decimals."""
    if amount >= minor(LIMIT, exponent):
        return LIMIT_EXCEEDED, 0
    return None, minor(FEE, exponent)


def reference_number(milliseconds: int, token: str) -> str:
    """The bank's own number for an order, e.g. BNK17000000000005F3A9C21."""
    return f"BNK{milliseconds}{token.upper()}"


def balance(account_number: str) -> int:
    """The sandbox's balance in cents: ten dollars times the last four digits, 0 when they are not digits."""
    digits = account_number[-4:]
    return int(digits) * 10 * 100 if len(digits) == 4 and digits.isascii() and digits.isdigit() else 0
