"""The bodies of the public routes. Unknown members are refused on /v1, ignored on the original's route."""

import re
from decimal import Decimal
from typing import Annotated

import msgspec

from payments.common.errors import Problem
from payments.common.money import MAX_MINOR, AmountError, check_minor, exponent

Text = Annotated[str, msgspec.Meta(min_length=1, max_length=64, pattern=r"^[^\x00-\x1f\x7f]+\Z")]
Number = Annotated[str, msgspec.Meta(pattern=r"^[A-Za-z0-9._-]{1,64}\Z")]
LongText = Annotated[str, msgspec.Meta(max_length=500, pattern=r"^[^\x00]*\Z")]
_OTP = re.compile(r"[0-9]{6}")


class CreatePayment(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """POST /v1/payments. `amount` in minor units; `to_routing_number` names another bank."""

    amount: int
    currency: str
    from_account: Number
    to_account: Number
    to_routing_number: Annotated[str, msgspec.Meta(pattern=r"^[0-9A-Za-z]{4,34}\Z")] | None = None
    to_name: (
        Annotated[str, msgspec.Meta(min_length=1, max_length=140, pattern=r"^[^\x00-\x1f]+\Z")] | None
    ) = None
    description: LongText | None = None
    metadata: (
        dict[Annotated[str, msgspec.Meta(min_length=1, max_length=40, pattern=r"^[^\x00]+\Z")], LongText]
        | None
    ) = None


class ConfirmPayment(msgspec.Struct, forbid_unknown_fields=True):
    """POST /v1/payments/{id}/confirm."""

    otp: str | None = None


class Nothing(msgspec.Struct, forbid_unknown_fields=True):
    """Body of the actions that take no arguments: {} or nothing at all."""


class RejectReview(msgspec.Struct, forbid_unknown_fields=True):
    """POST /v1/reviews/{id}/reject and approve."""

    note: LongText | None = None


class CreateRefund(msgspec.Struct, forbid_unknown_fields=True):
    """POST /v1/payments/{id}/refunds. Without `amount`, all that is left is refunded."""

    amount: Annotated[int, msgspec.Meta(ge=1, le=MAX_MINOR)] | None = None
    reason: LongText | None = None


class OriginalConfirm(msgspec.Struct):
    """POST /payment/confirm, as the original had it. `amount` in decimals of the payment's currency."""

    transaction_id: Text | None = None
    customer_id: Text | None = None
    amount: Decimal | None = None
    from_account: Text | None = None
    to_account: Text | None = None
    otp: str | int | None = None


def check_create(body: CreatePayment) -> None:
    """What the types cannot say. Raises Problem(validation_failed | self_transfer)."""
    errors = []
    try:
        exponent(body.currency)
    except AmountError as error:
        errors.append({"field": "currency", "message": str(error)})
    try:
        check_minor(body.amount)
    except AmountError as error:
        errors.append({"field": "amount", "message": str(error)})
    if body.to_routing_number is not None and body.to_name is None:
        errors.append({"field": "to_name", "message": "is required for a payment to another bank"})
    if body.metadata is not None and len(body.metadata) > 50:
        errors.append({"field": "metadata", "message": "takes at most 50 entries"})
    if errors:
        raise Problem("validation_failed", errors=errors)
    if body.to_routing_number is None and body.from_account == body.to_account:
        raise Problem(
            "self_transfer", errors=[{"field": "to_account", "message": "must not be from_account"}]
        )


class Confirmation(msgspec.Struct, frozen=True):
    """A request to confirm, whichever route it came by. `expected` is what it says of the payment."""

    payment_id: str
    otp: str | None
    expected: dict[str, str] | None = None


def read_original(body: OriginalConfirm, customer_id: str) -> Confirmation:
    """The original's body, checked as far as the stored payment is not needed.

    Raises:
        Problem(missing_required_fields): 400, with `missing_fields` as the original had it.
        Problem(validation_failed | payment_mismatch): 422.
    """
    required = ("transaction_id", "customer_id", "amount")
    if missing := [name for name in required if getattr(body, name) in (None, "")]:
        raise Problem(
            "missing_required_fields",
            errors=[{"field": name, "message": "is required"} for name in missing],
            members={"missing_fields": missing},
        )
    assert body.transaction_id is not None and body.amount is not None
    if body.customer_id != customer_id:
        raise Problem(
            "payment_mismatch", errors=[{"field": "customer_id", "message": "is not the token's customer"}]
        )
    expected = {"amount": _plain(body.amount)}
    if body.from_account is not None:
        expected["from_account"] = body.from_account
    if body.to_account is not None:
        expected["to_account"] = body.to_account
    otp = None if body.otp in (None, "") else read_otp(str(body.otp), "invalid_otp")
    return Confirmation(body.transaction_id, otp, expected)


def _plain(amount: Decimal) -> str:
    """The amount without an exponent. Raises Problem when it can be no amount of any currency."""
    places = amount.as_tuple().exponent
    if not isinstance(places, int) or not 0 < amount <= MAX_MINOR or places < -9 or places > 12:
        raise Problem("validation_failed", errors=[{"field": "amount", "message": "is not a valid amount"}])
    return format(amount, "f")


def read_otp(otp: str, code: str) -> str:
    """The password when it is six digits. Raises Problem(code), before a try is counted."""
    if not _OTP.fullmatch(otp):
        raise Problem(code, errors=[{"field": "otp", "message": "takes six digits"}])
    return otp
