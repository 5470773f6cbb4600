"""What customers are told, and where. Standard library only."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

Channel = Literal["sms", "email", "push"]
CHANNELS: tuple[Channel, ...] = ("sms", "email", "push")

_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]+")
_MAX_FIELD = 200


@dataclass(frozen=True, slots=True)
class Text:
    """A message; `subject` is the e-mail's subject and the push message's title."""

    subject: str
    body: str


@dataclass(frozen=True, slots=True)
class Notification:
    """Something to tell a customer. The same `dedupe_key` reaches each channel once."""

    dedupe_key: str
    customer_id: str
    type: str
    channels: tuple[Channel, ...]
    text: Text


# Fields that a type's body needs; without them the customer gets the plain sentence.
_BODIES: dict[str, tuple[str, str, str]] = {
    "PAYMENT_CONFIRMED": (
        "Payment Notification",
        "Payment of {amount} confirmed. Transaction ID: {transaction_id}",
        "Your payment was confirmed.",
    ),
    "PAYMENT_FAILED": (
        "Payment Notification",
        "Payment of {amount} failed; you were not charged. Transaction ID: {transaction_id}",
        "Your payment failed; you were not charged.",
    ),
    "REFUND_SUCCEEDED": (
        "Refund Notification",
        "Refund of {amount} for transaction {transaction_id} was credited to your account.",
        "A refund was credited to your account.",
    ),
    "OTP_REQUIRED": (
        "Your one-time password",
        "{otp} is your one-time password to pay {amount} to {payee}. It is valid for {valid_minutes} minutes."
        " Never tell it to anybody.",
        "OTP verification required for your payment transaction.",
    ),
}


def compose(type_: str, fields: Mapping[str, str]) -> Text:
    """The message of a type; an unknown type gets a general sentence."""
    if type_ not in _BODIES:
        return Text("Payment Notification", "Payment system notification")
    subject, body, plain = _BODIES[type_]
    clean = {name: _CONTROL.sub(" ", value)[:_MAX_FIELD] for name, value in fields.items()}
    try:
        return Text(subject, body.format_map(clean))
    except KeyError:
        return Text(subject, plain)
