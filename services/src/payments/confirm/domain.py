"""The states of a payment and everything that may happen in them. The standard library only."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Any


class Status(StrEnum):
    """States of a payment; the names are Stripe's (PaymentIntent)."""

    REQUIRES_CONFIRMATION = "requires_confirmation"
    REQUIRES_ACTION = "requires_action"
    REQUIRES_REVIEW = "requires_review"
    PROCESSING = "processing"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELED = "canceled"


class Action(StrEnum):
    """What happens to a payment: by its customer, an operator, the clock or the service itself."""

    CONFIRM = "confirm"
    CANCEL = "cancel"
    EXPIRE = "expire"
    APPROVE = "approve"
    REJECT = "reject"
    ASK_OTP = "ask_otp"
    ASK_REVIEW = "ask_review"
    RELEASE = "release"
    SUCCEED = "succeed"
    FAIL = "fail"
    RESEND_OTP = "resend_otp"
    REFUND = "refund"


_UNCONFIRMED = (Status.REQUIRES_CONFIRMATION, Status.REQUIRES_ACTION)

# The one table: from which states an action may start, and to which it leads. Everything else is refused.
TRANSITIONS: dict[Action, tuple[tuple[Status, ...], Status]] = {
    Action.CONFIRM: (_UNCONFIRMED, Status.PROCESSING),
    Action.CANCEL: ((*_UNCONFIRMED, Status.REQUIRES_REVIEW), Status.CANCELED),
    Action.EXPIRE: (_UNCONFIRMED, Status.CANCELED),
    Action.APPROVE: ((Status.REQUIRES_REVIEW,), Status.PROCESSING),
    Action.REJECT: ((Status.REQUIRES_REVIEW,), Status.FAILED),
    Action.ASK_OTP: ((Status.PROCESSING,), Status.REQUIRES_ACTION),
    Action.ASK_REVIEW: ((Status.PROCESSING,), Status.REQUIRES_REVIEW),
    Action.RELEASE: ((Status.PROCESSING,), Status.REQUIRES_CONFIRMATION),
    Action.SUCCEED: ((Status.PROCESSING,), Status.SUCCEEDED),
    Action.FAIL: ((Status.PROCESSING,), Status.FAILED),
    # These leave the payment in its state.
    Action.RESEND_OTP: ((Status.REQUIRES_ACTION,), Status.REQUIRES_ACTION),
    Action.REFUND: ((Status.SUCCEEDED,), Status.SUCCEEDED),
}

TERMINAL = frozenset({Status.SUCCEEDED, Status.FAILED, Status.CANCELED})


class IllegalTransition(Exception):
    """The payment's state does not allow the action."""

    def __init__(self, status: Status, action: Action) -> None:
        super().__init__(f"a payment that is {status} cannot {action}")
        self.status = status
        self.action = action


def sources(action: Action) -> list[str]:
    """States from which `action` may start, as the database's conditional updates want them."""
    return [str(status) for status in TRANSITIONS[action][0]]


def target(action: Action) -> str:
    """The state to which `action` leads."""
    return str(TRANSITIONS[action][1])


def event_type(action: Action) -> str:
    """Type of the event that tells of `action`."""
    return f"payment.{target(action)}"


def after(status: Status, action: Action) -> Status:
    """The state after `action`. Raises IllegalTransition."""
    allowed, result = TRANSITIONS[action]
    if status not in allowed:
        raise IllegalTransition(status, action)
    return result


class Stage(StrEnum):
    """Recovery point of a payment in processing: what is certain, whoever goes on with it."""

    NEW = "new"  # nothing was checked yet
    AUTHORIZED = "authorized"  # every check was passed, the one-time password included
    SUBMITTED = "submitted"  # the funds are held and the partner bank may have been told


@dataclass(frozen=True, slots=True)
class Payment:
    """A payment as the orchestration needs it. Amounts in minor units of `currency`."""

    id: str
    status: Status
    customer_id: str
    from_account: str
    to_account: str
    amount: int
    fee: int
    currency: str
    claim: str | None = None
    stage: Stage = Stage.NEW
    otp_required: bool = False
    reviewed: bool = False
    checks: int = 0
    payments_24h: int = 0
    velocity: dict[str, Any] | None = None
    to_routing_number: str | None = None
    to_name: str | None = None
    bank_reference: str | None = None
    confirm_route: str | None = None
    next_action: dict[str, Any] | None = None

    @property
    def off_us(self) -> bool:
        """True when the payee's account is at another bank."""
        return self.to_routing_number is not None

    @property
    def release(self) -> Action:
        """How an attempt without effect gives the payment back: a demanded password stays demanded."""
        return Action.ASK_OTP if self.otp_required and self.stage is Stage.NEW else Action.RELEASE


@dataclass(frozen=True, slots=True)
class Refund:
    """A refund as the orchestration needs it. It moves money from the payee back to the payer.

    Args:
        bank_reference: under which the partner bank is asked for it, when the payment went there;
            `original_reference` is the payment's own.
        checks: how often the janitor has looked at it; 0 in the request that made it.
    """

    id: str
    payment_id: str
    amount: int
    currency: str
    payer_account: str
    payee_account: str
    route: str
    claim: str
    checks: int = 0
    bank_reference: str | None = None
    original_reference: str | None = None

    @property
    def off_us(self) -> bool:
        """True when the money has to come back from another bank."""
        return self.bank_reference is not None
