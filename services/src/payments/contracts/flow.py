"""The stages of a payment in order: read this first.

Each stage belongs to one service, which keeps its own data and answers for it. `unless` says how a payment
can end there; `events` tell what has happened (see event.py, payment.py).
"""

from typing import NamedTuple


class Stage(NamedTuple):
    """One stage: who does what, by which call; the events that tell of it; how the payment may end here."""

    name: str
    service: str
    call: str
    does: str
    events: tuple[str, ...] = ()
    unless: str = ""


STAGES = (
    Stage(
        "login",
        "api-gateway",
        "POST /auth/login",
        "checks the password and signs an access token (ES256, one hour)",
        ("user.logged_in",),
        "wrong password: user.login_failed, 401",
    ),
    Stage(
        "create",
        "confirm-service",
        "POST /v1/payments",
        "writes the payment down, once for each idempotency key",
        ("payment.created",),
        "an account is unknown, frozen, closed or of another currency: nothing is written",
    ),
    Stage(
        "begin",
        "confirm-service",
        "POST /v1/payments/{id}/confirm or /payment/confirm",
        "phase A, one call of the database: the key, the owner, the state, the velocity of 24 hours",
        ("payment.processing",),
        "the payment is not the caller's: 404; its state forbids it: 409",
    ),
    Stage(
        "verify",
        "kyc-service",
        "POST /check-status",
        "tells whether the customer is verified (risk-service asks, and caches by version)",
        (),
        "not verified: payment.failed, 403",
    ),
    Stage(
        "screen",
        "ofac-service",
        "POST /check-sanctions",
        "compares the customer's name, and a foreign payee's, with the sanctions lists",
        ("sanctions.screened",),
        "a match: payment.failed, 403; a possible match: payment.requires_review",
    ),
    Stage(
        "assess",
        "risk-service",
        "POST /assess-risk",
        "adds up the rules' points to a score",
        (),
        "over the review limit: payment.requires_review; HIGH: payment.requires_action",
    ),
    Stage(
        "step up",
        "otp-service",
        "POST /generate-otp, POST /verify-otp",
        "HIGH only: sends a one-time password and checks it, at most five tries for each payment",
        ("otp.sent", "otp.verified"),
        "wrong: otp.failed, the payment keeps waiting; five times wrong: otp.exhausted",
    ),
    Stage(
        "move",
        "account-service",
        "POST /transfers, or POST /reserve-funds and POST /holds/{payment_id}/post",
        "phase B, one call of the database: checks and posts in double entry, unique by payment",
        ("transfer.posted",),
        "not enough money: 402, the payment may be confirmed again",
    ),
    Stage(
        "transfer",
        "partner-bank-api",
        "POST /process-transfer",
        "to another bank only, between hold and posting, under a reference fixed before",
        ("hold.created", "hold.posted"),
        "declined: hold.voided, payment.failed, 402; no answer: 202, the janitor asks until it knows",
    ),
    Stage(
        "finish",
        "confirm-service",
        "–",
        "phase C, one call of the database: succeeded, the reference, the kept answer, the events",
        ("payment.succeeded",),
        "killed before: the janitor finishes within its lease",
    ),
    Stage(
        "tell",
        "notification-service",
        "topic notification-events",
        "tells the customer by SMS, e-mail and push, once for each event",
    ),
    Stage(
        "call back",
        "confirm-service",
        "POST to the merchant's URL",
        "sends each event to the customer's webhook endpoints, signed, until it is taken or a day has passed",
    ),
    Stage(
        "record",
        "audit-service",
        "topic payment-events",
        "appends every event to a hash chain and proves by the sequence numbers that none is missing",
    ),
)
