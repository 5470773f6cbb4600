"""What the events of confirm-service carry in `data`: the payment or the refund as it is after the change.

Every change of state is one event on payment-events, written in the change's own transaction. What the
customer is to be told stands on notification-events too, without what only the platform may see.
"""

from datetime import datetime
from typing import Any

import msgspec

PAYMENT_TYPES = (
    "payment.created",
    "payment.processing",
    "payment.requires_confirmation",  # an attempt ended without effect; last_error says why
    "payment.requires_action",
    "payment.requires_review",
    "payment.succeeded",
    "payment.failed",
    "payment.canceled",
    "payment.refunded",
)
# For those who run the platform, and in the trail; customers and merchants are not told.
PLATFORM_TYPES = ("payment.stuck",)  # nobody knows for too long what became of it
REFUND_TYPES = ("refund.succeeded", "refund.failed")
NOTIFICATION_TYPES = ("payment.succeeded", "payment.failed", "refund.succeeded")


class Risk(msgspec.Struct, forbid_unknown_fields=True):
    """A payment's risk as its customer sees it."""

    level: str
    score: int
    reasons: list[str]


class PaymentData(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """A payment, also the body of /v1/payments/{id}. Amounts in minor units of `currency`."""

    id: str
    object: str
    status: str
    amount: int
    currency: str
    fee: int
    customer_id: str
    from_account: str
    to_account: str
    to_routing_number: str | None
    to_name: str | None
    description: str | None
    metadata: dict[str, str]
    reference: str | None
    risk: Risk | None
    next_action: dict[str, Any] | None
    last_error: dict[str, str] | None
    failure: dict[str, str] | None
    cancellation_reason: str | None
    amount_refunded: int
    created_at: datetime
    updated_at: datetime
    confirmed_at: datetime | None
    canceled_at: datetime | None
    expires_at: datetime | None


class PaymentInside(PaymentData, kw_only=True, forbid_unknown_fields=True):
    """A payment on payment-events: with its assessment, which is never shown to the customer."""

    assessment: dict[str, Any] | None
    payments_24h: int
    otp_required: bool
    reviewed_by: str | None
    stage: str
    bank_reference: str | None
    bank_transfer: str | None


class RefundData(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """A refund, also the body of /v1/refunds/{id}; the event's subject is the payment."""

    id: str
    object: str
    payment: str
    status: str
    amount: int
    currency: str
    customer_id: str
    reason: str | None
    failure: dict[str, str] | None
    created_at: datetime
    updated_at: datetime
