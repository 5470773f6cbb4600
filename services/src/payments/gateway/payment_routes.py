"""Payments, refunds and reviews: checked here, done by confirm-service."""

from payments.common.errors import Problem
from payments.common.money import MAX_MINOR, AmountError, exponent
from payments.gateway import answers, models
from payments.gateway.body import missing_fields
from payments.gateway.domain import AUDITOR, OPERATOR
from payments.gateway.operations import Operation
from payments.gateway.passthrough import Passthrough

_MOST_DECIMALS = 3
_REFUSALS = (
    "payment_not_found",
    "insufficient_funds",
    "bank_declined",
    "payment_refused",
    "illegal_state",
    "already_succeeded",
    "account_frozen",
    "account_closed",
)
_LATER = (202, "It is being reviewed or processed; `Location` tells where to ask.")


def operations(confirm: Passthrough) -> list[Operation]:
    """What confirm-service does for people."""
    return [*_payments(confirm), *_actions(confirm), *_reviews(confirm)]


def _payments(confirm: Passthrough) -> list[Operation]:
    return [
        Operation(
            method="POST",
            path="/payment/confirm",
            summary="Confirm a payment by its transaction id",
            description="With `OTP_REQUIRED`, send it again with `otp` under the same Idempotency-Key.",
            tag="Payments",
            endpoint=confirm.post(
                "/payment/confirm",
                models.ConfirmPaymentRequest,
                original=True,
                check=check_confirmation,
            ),
            request=models.ConfirmPaymentRequest,
            response=answers.Confirmed | answers.OtpRequired | answers.InReview | answers.Processing,
            also=(_LATER,),
            errors=(
                "missing_required_fields",
                "invalid_otp",
                "access_token_required",
                "token_revoked",
                "invalid_token",
                "payment_mismatch",
                *_REFUSALS,
            ),
            key=True,
            encryptable=True,
        ),
        Operation(
            method="POST",
            path="/v1/payments",
            summary="Create a payment",
            description="It moves nothing until it is confirmed, and expires unconfirmed after 24 hours.",
            tag="Payments",
            endpoint=confirm.post("/v1/payments", models.CreatePaymentRequest, check=check_payment),
            request=models.CreatePaymentRequest,
            response=answers.Payment,
            status=201,
            errors=(
                "forbidden",
                "account_not_found",
                "account_frozen",
                "account_closed",
                "currency_mismatch",
                "self_transfer",
            ),
            key=True,
            encryptable=True,
        ),
        Operation(
            method="GET",
            path="/v1/payments",
            summary="List payments",
            tag="Payments",
            endpoint=confirm.get("/v1/payments", models.PaymentsQuery),
            query=models.PaymentsQuery,
            response=answers.Page[answers.Payment],
        ),
        Operation(
            method="GET",
            path="/v1/payments/{id}",
            summary="Read a payment",
            tag="Payments",
            endpoint=confirm.get("/v1/payments/{id}", models.NoQuery),
            response=answers.Payment,
            errors=("payment_not_found",),
        ),
        Operation(
            method="GET",
            path="/v1/payments/{id}/events",
            summary="Read a payment's history",
            tag="Payments",
            endpoint=confirm.get("/v1/payments/{id}/events", models.NoQuery),
            response=answers.Page[answers.PaymentEvent],
            errors=("payment_not_found",),
        ),
    ]


def _actions(confirm: Passthrough) -> list[Operation]:
    return [
        Operation(
            method="POST",
            path="/v1/payments/{id}/confirm",
            summary="Confirm a payment",
            description="When `status` is `requires_action`, send the one-time password under the same key.",
            tag="Payments",
            endpoint=confirm.post("/v1/payments/{id}/confirm", models.ConfirmRequest),
            request=models.ConfirmRequest,
            response=answers.Payment,
            also=(_LATER,),
            errors=("forbidden", "otp_invalid", "otp_restart", *_REFUSALS),
            key=True,
            encryptable=True,
        ),
        Operation(
            method="POST",
            path="/v1/payments/{id}/cancel",
            summary="Cancel a payment that has not been confirmed",
            tag="Payments",
            endpoint=confirm.post("/v1/payments/{id}/cancel", models.Nothing),
            request=models.Nothing,
            response=answers.Payment,
            errors=("forbidden", "payment_not_found", "illegal_state", "already_succeeded"),
            key=True,
        ),
        Operation(
            method="POST",
            path="/v1/payments/{id}/otp",
            summary="Send the one-time password again",
            tag="Payments",
            endpoint=confirm.post("/v1/payments/{id}/otp", models.Nothing),
            request=models.Nothing,
            response=answers.Payment,
            errors=("forbidden", "payment_not_found", "illegal_state", "otp_restart", "otp_send_limit"),
            key=True,
        ),
        Operation(
            method="POST",
            path="/v1/payments/{id}/refunds",
            summary="Refund a payment, in full or in part",
            tag="Refunds",
            endpoint=confirm.post("/v1/payments/{id}/refunds", models.RefundRequest),
            request=models.RefundRequest,
            response=answers.Refund,
            status=201,
            also=((202, "Another bank has not answered yet; `Location` tells where to ask."),),
            errors=(
                "forbidden",
                "payment_not_found",
                "refund_exceeds_payment",
                "illegal_state",
                "insufficient_funds",
                "bank_declined",
            ),
            key=True,
            encryptable=True,
        ),
        Operation(
            method="GET",
            path="/v1/refunds/{id}",
            summary="Read a refund",
            tag="Refunds",
            endpoint=confirm.get("/v1/refunds/{id}", models.NoQuery),
            response=answers.Refund,
        ),
    ]


def _reviews(confirm: Passthrough) -> list[Operation]:
    decisions = [
        Operation(
            method="POST",
            path=f"/v1/reviews/{{id}}/{decision}",
            summary=f"{decision.capitalize()} a payment under review",
            description="Operators only; `id` is the payment's.",
            tag="Reviews",
            endpoint=confirm.post(f"/v1/reviews/{{id}}/{decision}", models.Nothing, roles=(OPERATOR,)),
            request=models.Nothing,
            response=answers.Payment,
            errors=("forbidden", "payment_not_found", "illegal_state"),
            key=True,
        )
        for decision in ("approve", "reject")
    ]
    listing = Operation(
        method="GET",
        path="/v1/reviews",
        summary="List payments under review",
        description="Operators and auditors only.",
        tag="Reviews",
        endpoint=confirm.get("/v1/reviews", models.PageQuery, roles=(OPERATOR, AUDITOR)),
        query=models.PageQuery,
        response=answers.Page[answers.Payment],
        errors=("forbidden",),
    )
    return [listing, *decisions]


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
