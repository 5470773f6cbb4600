"""Bodies of the internal routes. Amounts are integer minor units of `currency`."""

from datetime import datetime
from typing import Annotated, Any

import msgspec

from payments.account.domain import TransferKind
from payments.common.money import MAX_MINOR

ID = r"^[A-Za-z0-9._:-]{1,128}\Z"
NUMBER = r"^[A-Za-z0-9._-]{1,64}\Z"

Id = Annotated[str, msgspec.Meta(pattern=ID)]
Number = Annotated[str, msgspec.Meta(pattern=NUMBER)]
Currency = Annotated[str, msgspec.Meta(pattern=r"^[A-Z]{3}\Z")]
Amount = Annotated[int, msgspec.Meta(ge=1, le=MAX_MINOR)]
Fee = Annotated[int, msgspec.Meta(ge=0, le=MAX_MINOR)]


class TransferRequest(msgspec.Struct):
    """Move `amount` between two customers' accounts. A refund names the payment and itself."""

    payment_id: Id
    from_account: Number
    to_account: Number
    amount: Amount
    currency: Currency
    kind: TransferKind = "payment"
    refund_id: Id | None = None


class TransferReply(msgspec.Struct):
    """What was posted, now or by an earlier call."""

    transfer_id: str
    payment_id: str
    kind: TransferKind
    refund_id: str | None
    posted_at: datetime


class ReserveRequest(msgspec.Struct):
    """Hold `amount` and `fee` on a customer's account until the bank has answered.

    `bank_reference`: the one under which the bank will be asked; without it the hold never expires.
    """

    payment_id: Id
    account_number: Number
    amount: Amount
    currency: Currency
    fee: Fee = 0
    bank_reference: Id | None = None


class HoldReply(msgspec.Struct, omit_defaults=True):
    """A hold and where it stands: held, posted or voided."""

    hold_id: str
    payment_id: str
    status: str
    expires_at: datetime | None = None
    transfer_id: str | None = None
    resolved_at: datetime | None = None


class PostRequest(msgspec.Struct):
    """The bank has moved the money under this reference."""

    bank_reference: Id


class VoidRequest(msgspec.Struct):
    """The bank has not moved the money and never will."""


class ReturnRequest(msgspec.Struct):
    """The bank has returned `amount` of a payment for a refund, under this reference."""

    refund_id: Id
    amount: Amount
    currency: Currency
    bank_reference: Id


class ValidateRequest(msgspec.Struct):
    """May this customer pay from this account (to that one, that much)? Changes nothing."""

    customer_id: Id
    from_account: Number
    to_account: Number | None = None
    amount: Amount | None = None
    currency: Currency | None = None


class ValidateReply(msgspec.Struct):
    """`reason` is one of the problem codes of POST /transfers, `field` what it is about."""

    valid: bool
    reason: str | None
    field: str | None
    account: dict[str, Any] | None
