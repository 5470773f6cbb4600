"""Bodies and queries of the public API: what is validated is what the documentation shows."""

from datetime import datetime
from decimal import Decimal
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from payments.common.money import MAX_MINOR

# Free text takes everything but control characters.
_TEXT = r"^[^\x00-\x1f\x7f]*$"

Id = Annotated[str, Meta(pattern=r"^[A-Za-z0-9_-]+$", max_length=64)]
AccountNumber = Annotated[
    str, Meta(pattern=r"^[A-Za-z0-9-]+$", max_length=34, description="Account number.", examples=["ACC001"])
]
Currency = Annotated[
    str, Meta(pattern=r"^[A-Z]{3}$", max_length=3, description="ISO 4217 code.", examples=["USD"])
]
MinorUnits = Annotated[
    int, Meta(ge=1, le=MAX_MINOR, description="Integer minor units: 1234 USD is 12.34.", examples=[1234])
]
Otp = Annotated[
    str, Meta(pattern=r"^[0-9]{6}$", max_length=6, description="One-time password.", examples=["123456"])
]
Limit = Annotated[int, Meta(ge=1, le=100, description="How many to return.")]
Moment = Annotated[datetime, Meta(tz=True, description="RFC 3339 time with zone.")]


class _Request(msgspec.Struct, forbid_unknown_fields=True, kw_only=True, omit_defaults=True):
    """Unknown fields are refused: a misspelt `amonut` must not be ignored."""


class LoginRequest(_Request):
    """A user's name and password."""

    username: Annotated[str, Meta(max_length=128, pattern=_TEXT, examples=["demo"])] | None = None
    password: Annotated[str, Meta(max_length=1024, examples=["password123"])] | None = None


class RefreshRequest(_Request):
    """The refresh token of the login or of the latest refresh."""

    refresh_token: Annotated[str, Meta(min_length=1, max_length=128, pattern=r"^[A-Za-z0-9_-]+$")]


class ConfirmPaymentRequest(_Request):
    """`POST /payment/confirm`: the amount is a decimal in the account's currency."""

    transaction_id: Annotated[Id, Meta(examples=["txn_001"])] | None = None
    customer_id: Annotated[Id, Meta(examples=["cust_001"])] | None = None
    amount: Annotated[Decimal, Meta(examples=[1000.00])] | None = None
    from_account: AccountNumber | None = None
    to_account: AccountNumber | None = None
    otp: Annotated[str, Meta(max_length=64, examples=["123456"])] | None = None


class CreatePaymentRequest(_Request):
    """A transfer from an account of the customer's."""

    amount: MinorUnits
    currency: Currency
    from_account: AccountNumber
    to_account: AccountNumber
    to_routing_number: (
        Annotated[
            str,
            Meta(
                pattern=r"^[A-Za-z0-9-]+$",
                max_length=34,
                description="Another bank's; without it the account must be one of ours.",
                examples=["021000021"],
            ),
        ]
        | None
    ) = None
    to_name: Annotated[str, Meta(min_length=1, max_length=140, pattern=_TEXT)] | None = None
    description: Annotated[str, Meta(max_length=500, pattern=_TEXT)] | None = None
    metadata: (
        Annotated[
            dict[
                Annotated[str, Meta(min_length=1, max_length=40, pattern=_TEXT)],
                Annotated[str, Meta(max_length=500, pattern=_TEXT)],
            ],
            Meta(max_length=50, description="Kept with the payment, yours to use."),
        ]
        | None
    ) = None


class ConfirmRequest(_Request):
    """The one-time password, once one was asked for."""

    otp: Otp | None = None


class RefundRequest(_Request):
    """How much to give back; all that is left when no amount is named."""

    amount: MinorUnits | None = None
    reason: Annotated[str, Meta(max_length=500, pattern=_TEXT)] | None = None


class ReviewRequest(_Request):
    """Why the operator decided so."""

    reason: Annotated[str, Meta(max_length=500, pattern=_TEXT)] | None = None


class Empty(_Request):
    """No fields."""


class PageQuery(_Request):
    """A page of a list, newest first."""

    limit: Limit = 20
    starting_after: Annotated[Id, Meta(description="Id of the last item of the page before.")] | None = None


class PaymentsQuery(PageQuery):
    """Which payments."""

    status: (
        Literal[
            "requires_confirmation",
            "requires_action",
            "requires_review",
            "processing",
            "succeeded",
            "failed",
            "canceled",
        ]
        | None
    ) = None
    created_gt: Moment | None = None
    created_gte: Moment | None = None
    created_lt: Moment | None = None
    created_lte: Moment | None = None


class AuditQuery(_Request):
    """Which events."""

    payment_id: Id | None = None
    type: Annotated[str, Meta(pattern=r"^[a-z_.]+$", max_length=64)] | None = None
    limit: Limit = 100
    starting_after: Annotated[str, Meta(pattern=r"^[0-9]{1,18}$", max_length=18)] | None = None


class NoQuery(_Request):
    """No parameters."""


class Success(msgspec.Struct):
    """It is done."""

    success: Literal[True] = True


class TokenResponse(msgspec.Struct, kw_only=True):
    """Send the access token as `Authorization: Bearer …`."""

    success: Literal[True] = True
    access_token: Annotated[str, Meta(description="JWT, RFC 9068.")]
    token_type: Literal["Bearer"] = "Bearer"  # noqa: S105
    expires_in: Annotated[int, Meta(description="Seconds.", examples=[3600])]
    refresh_token: Annotated[str, Meta(description="Good for one refresh.")]
