"""Bodies and queries that the public API takes: what is validated is what the documentation shows."""

from datetime import date, datetime
from decimal import Decimal
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

from payments.common.money import CURRENCIES, MAX_MINOR

# What of amounts in decimals holds for every currency.
_DECIMAL: dict[str, Any] = {
    "exclusiveMinimum": 0,
    "maximum": MAX_MINOR,
    "multipleOf": 0.001,
    "pattern": r"^(?=.*[1-9])[0-9]{1,12}(\.[0-9]{1,3})?\Z",
}
# Free text takes everything but control characters. `\Z`, because `$` would let a final line break pass.
_TEXT = r"^[^\x00-\x1f\x7f]*\Z"

Id = Annotated[str, Meta(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}\Z")]
AccountNumber = Annotated[
    str,
    Meta(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}\Z", description="Account number.", examples=["ACC001"]),
]
Currency = Annotated[
    str,
    Meta(
        pattern=r"^[A-Z]{3}\Z",
        description="ISO 4217 code of the accounts.",
        examples=["USD"],
        extra_json_schema={"enum": sorted(CURRENCIES)},
    ),
]
MinorUnits = Annotated[
    int,
    Meta(ge=1, le=MAX_MINOR, description="Integer minor units: 1234 USD is 12.34.", examples=[1234]),
]
Note = Annotated[str, Meta(max_length=500, pattern=_TEXT)]
Limit = Annotated[int, Meta(ge=1, le=100, description="How many to return.")]
Moment = Annotated[datetime, Meta(tz=True, description="RFC 3339 time with its zone.")]


class _Strict(msgspec.Struct, forbid_unknown_fields=True, kw_only=True, omit_defaults=True):
    """Unknown members are refused: a misspelt `desciption` must not be lost in silence."""


class LoginRequest(msgspec.Struct, kw_only=True, omit_defaults=True):
    """A user's name and password."""

    username: Annotated[str, Meta(max_length=128, pattern=_TEXT, examples=["demo"])] | None = None
    password: Annotated[str, Meta(max_length=1024, examples=["password123"])] | None = None


class RefreshRequest(_Strict):
    """The refresh token of the login or of the latest refresh."""

    refresh_token: Annotated[str, Meta(pattern=r"^[A-Za-z0-9_-]{1,128}\Z")]


UserName = Annotated[
    str,
    Meta(
        pattern=r"^[a-z0-9][a-z0-9._@-]{2,127}\Z",
        description="Lower case letters, digits and `._@-`.",
        examples=["ada@example.com"],
    ),
]
Role = Literal["customer", "operator", "auditor"]
Password = Annotated[
    str,
    Meta(
        max_length=256,
        description="12 to 256 characters, none of those that are tried first.",
        extra_json_schema={"minLength": 12},
    ),
]


class PasswordRequest(_Strict):
    """One's own password, and what it is to be."""

    current_password: Annotated[str, Meta(max_length=1024)]
    new_password: Password


class CreateUserRequest(_Strict):
    """A user; without a password one is made and answered, this once."""

    username: UserName
    role: Role
    customer_id: Annotated[Id, Meta(description="Of customers, and of these alone.")] | None = None
    password: Password | None = None


class ChangeUserRequest(_Strict):
    """What is to change. Another role, like disabling, ends all of the user's sessions at once."""

    status: Literal["active", "disabled"] | None = None
    role: Role | None = None
    customer_id: Annotated[Id, Meta(description="With the role `customer`, and only then.")] | None = None


class ResetPasswordRequest(_Strict):
    """The new password; without it one is made and answered, this once."""

    password: Password | None = None


class ConfirmPaymentRequest(msgspec.Struct, kw_only=True, omit_defaults=True):
    """The transaction, its customer and its amount as a decimal; accounts, when given, must be its own."""

    transaction_id: Annotated[Id, Meta(examples=["txn_001"])] | None = None
    customer_id: Annotated[Id, Meta(examples=["cust_001"])] | None = None
    amount: (
        Annotated[
            Decimal,
            Meta(
                description="In the account's currency, with no more decimals than it has.",
                examples=[1000.00],
                extra_json_schema={"type": ["number", "string"], **_DECIMAL},
            ),
        ]
        | None
    ) = None
    from_account: AccountNumber | None = None
    to_account: Annotated[AccountNumber, Meta(examples=["ACC002"])] | None = None
    otp: Annotated[str, Meta(max_length=64, description="Once OTP_REQUIRED was the answer.")] | int | None = (
        None
    )


class CreatePaymentRequest(_Strict):
    """A transfer from one of the customer's accounts."""

    amount: MinorUnits
    currency: Currency
    from_account: AccountNumber
    to_account: Annotated[AccountNumber, Meta(examples=["ACC002"])]
    to_routing_number: (
        Annotated[
            str,
            Meta(
                pattern=r"^[0-9A-Za-z]{4,34}\Z",
                description="Another bank's; without it `to_account` must be one of ours.",
                examples=["021000021"],
            ),
        ]
        | None
    ) = None
    to_name: (
        Annotated[
            str,
            Meta(min_length=1, max_length=140, pattern=_TEXT, description="Needed with a routing number."),
        ]
        | None
    ) = None
    description: Note | None = None
    metadata: (
        Annotated[
            dict[Annotated[str, Meta(min_length=1, max_length=40, pattern=_TEXT)], Note],
            Meta(
                max_length=50, description="Kept with the payment, yours to use.", examples=[{"order": "7"}]
            ),
        ]
        | None
    ) = None


class ConfirmRequest(_Strict):
    """The one-time password, once `next_action` asked for it."""

    otp: (
        Annotated[str, Meta(pattern=r"^[0-9]{6}\Z", description="Six digits.", examples=["123456"])] | None
    ) = None


class RefundRequest(_Strict):
    """How much to give back; all that is left when no amount is named."""

    amount: MinorUnits | None = None
    reason: Note | None = None


class Nothing(_Strict):
    """No members; the body may be absent."""


class NoQuery(_Strict):
    """No parameters."""


class PageQuery(_Strict):
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
    created_gte: Moment | None = None
    created_lte: Moment | None = None
    amount_gte: MinorUnits | None = None
    amount_lte: MinorUnits | None = None
    currency: Currency | None = None
    account: Annotated[Id, Meta(description="Account number of the payer or the payee.")] | None = None
    customer_id: Annotated[Id, Meta(description="Whose payments; for operators and auditors.")] | None = None


class EntriesQuery(_Strict):
    """A page of an account's entries, newest first."""

    limit: Limit = 10
    starting_after: (
        Annotated[str, Meta(pattern=r"^[0-9]{1,18}\Z", description="Id of the last entry.")] | None
    ) = None


class StatementQuery(_Strict, rename={"first": "from", "last": "to"}):
    """Which days, in UTC, and which page of their entries, oldest first."""

    first: (
        Annotated[date, Meta(description="First day; of the month when missing.", examples=["2026-01-01"])]
        | None
    ) = None
    last: (
        Annotated[date, Meta(description="Last day; today when missing.", examples=["2026-01-31"])] | None
    ) = None
    limit: Annotated[int, Meta(ge=1, le=1000, description="How many entries to return.")] = 100
    starting_after: (
        Annotated[str, Meta(pattern=r"^[0-9]{1,18}\Z", description="Id of the last entry.")] | None
    ) = None
    format: Annotated[Literal["json", "csv"], Meta(description="Instead of `Accept: text/csv`.")] | None = (
        None
    )


class AuditQuery(_Strict):
    """Which events, oldest first."""

    limit: Limit = 50
    starting_after: Annotated[str, Meta(pattern=r"^[0-9]{1,18}\Z", description="The last `seq`.")] | None = (
        None
    )
    payment_id: Id | None = None
    type: Annotated[str, Meta(pattern=r"^[a-z_.]{1,64}\Z", examples=["payment.succeeded"])] | None = None
