"""Bodies of the bank's routes. Amounts are integer minor units."""

from typing import Annotated

import msgspec

from payments.common.money import MAX_MINOR
from payments.partner_bank.faults import MAX_SECONDS, FaultName, OrderKind

REFERENCE = r"^[A-Za-z0-9._:-]{1,128}\Z"

Reference = Annotated[str, msgspec.Meta(pattern=REFERENCE)]
Number = Annotated[str, msgspec.Meta(pattern=r"^[A-Za-z0-9._ -]{1,64}\Z")]
Amount = Annotated[int, msgspec.Meta(ge=1, le=MAX_MINOR)]
Currency = Annotated[str, msgspec.Meta(pattern=r"^[A-Z]{3}\Z")]
# Names and reasons are of any script; only control characters are refused.
Text = Annotated[str, msgspec.Meta(pattern=r"^[^\x00-\x1f\x7f]{1,140}\Z")]


class TransferRequest(msgspec.Struct):
    """An order to pay."""

    reference: Reference
    from_account: Number
    to_account: Number
    routing_number: Number
    amount: Amount
    currency: Currency
    to_name: Text | None = None


class ReturnRequest(msgspec.Struct):
    """Ask money of a completed order back, all or a part."""

    reference: Reference
    original_reference: Reference
    amount: Amount
    currency: Currency
    reason: Text | None = None


class CancelRequest(msgspec.Struct):
    """Take no order with this reference any more."""

    reference: Reference


class BalanceRequest(msgspec.Struct):
    """Whose balance is asked for."""

    account_number: Number


class FaultRequest(msgspec.Struct):
    """Show a fault to the next `count` orders (0 clears all faults) that fit the further members.

    Each of these orders shows it with `probability`; the same `seed` picks the same ones of a sequence.
    """

    fault: FaultName = "delay"
    seconds: Annotated[float, msgspec.Meta(ge=0, le=MAX_SECONDS)] = 0.0
    count: Annotated[int, msgspec.Meta(ge=0, le=1_000_000)] = 1
    order: OrderKind | None = None
    reference: Reference | None = None
    reference_prefix: Reference | None = None
    probability: Annotated[float, msgspec.Meta(gt=0, le=1)] = 1.0
    seed: Annotated[int, msgspec.Meta(ge=0, le=2**53)] | None = None
