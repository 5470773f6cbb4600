"""Payments, refunds and reviews: checked here, done by confirm-service."""

from payments.common.errors import Problem
from payments.common.money import MAX_MINOR, AmountError, exponent
from payments.gateway import models
from payments.gateway.body import missing_fields
from payments.gateway.operations import Operation
from payments.gateway.passthrough import Passthrough

_MOST_DECIMALS = 3


def operations(confirm: Passthrough) -> list[Operation]:
    """What confirm-service does for people."""
    post, get = confirm.post, confirm.get
    return [
        Operation(
            method="POST",
            path="/payment/confirm",
            summary="Confirm a payment",
            tag="Payments",
            endpoint=post(
                "/payment/confirm",
                models.ConfirmPaymentRequest,
                key_required=True,
                original=True,
                check=check_confirmation,
            ),
        ),
        Operation(
            method="POST",
            path="/v1/payments",
            summary="Create a payment",
            tag="Payments",
            endpoint=post(
                "/v1/payments", models.CreatePaymentRequest, key_required=True, check=check_payment
            ),
        ),
        Operation(
            method="GET",
            path="/v1/payments",
            summary="List payments",
            tag="Payments",
            endpoint=get("/v1/payments", models.PaymentsQuery),
        ),
    ]


def check_confirmation(body: models.ConfirmPaymentRequest) -> None:
    """Raises Problem for missing fields and for what is no amount in any currency."""
    missing_fields(body, ("transaction_id", "customer_id", "amount"))
    assert body.amount is not None
    if not body.amount.is_finite() or not 0 < body.amount <= MAX_MINOR:
        raise _invalid("amount", "must be a positive number")
    digits, scale = body.amount.as_tuple()[1:]
    assert isinstance(scale, int)
    if scale < -_MOST_DECIMALS and any(digits[scale + _MOST_DECIMALS :]):
        raise _invalid("amount", f"has more than {_MOST_DECIMALS} decimals, the most any currency has")


def check_payment(body: models.CreatePaymentRequest) -> None:
    """Raises Problem for an unknown currency, or a payer who is the payee."""
    try:
        exponent(body.currency)
    except AmountError as error:
        raise _invalid("currency", str(error)) from error
    if body.to_routing_number is None and body.from_account == body.to_account:
        errors = [{"field": "to_account", "message": "is the payer's own account"}]
        raise Problem("self_transfer", errors=errors)


def _invalid(field: str, message: str) -> Problem:
    return Problem("validation_failed", errors=[{"field": field, "message": message}])
