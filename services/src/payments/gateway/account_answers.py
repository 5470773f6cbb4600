"""What the account-service answers people, documented here."""

from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from payments.gateway.answers import Amount, Moment


class Balance(msgspec.Struct):
    """Minor units: `available` is `posted` minus `held`."""

    posted: Annotated[int, Meta(examples=[1500000])]
    held: Annotated[int, Meta(examples=[0])]
    available: Annotated[int, Meta(examples=[1500000])]


class Account(msgspec.Struct):
    """An account of the customer's."""

    object: Literal["account"]
    account_number: Annotated[str, Meta(examples=["ACC001"])]
    customer_id: Annotated[str, Meta(examples=["cust_001"], description="Null: internal.")] | None
    kind: Literal["customer", "internal"]
    account_type: Annotated[str, Meta(examples=["CHECKING"])]
    name: str | None
    currency: Annotated[str, Meta(examples=["USD"])]
    status: Literal["open", "frozen", "closed"]
    balance: Balance
    created_at: Moment


class Entry(msgspec.Struct):
    """One side of a transfer, as posted on an account."""

    object: Literal["entry"]
    id: Annotated[str, Meta(examples=["42"])]
    account_number: Annotated[str, Meta(examples=["ACC001"])]
    amount: Annotated[int, Meta(description="Minor units; negative when money went out.", examples=[-1234])]
    balance_after: Annotated[int, Meta(examples=[1498766])]
    currency: Annotated[str, Meta(examples=["USD"])]
    kind: Annotated[str, Meta(examples=["payment"])]
    counterparty: Annotated[str, Meta(description="Masked.", examples=["**C002"])] | None
    transfer_id: str
    payment_id: Annotated[str, Meta(examples=["txn_001"])] | None
    refund_id: str | None
    created_at: Moment


class BookedBalance(msgspec.Struct):
    """A balance as ISO 20022 names it: opening, closing, or interim while the last day goes on."""

    type: Annotated[Literal["OPBD", "CLBD", "ITBD"], Meta(examples=["OPBD"])]
    amount: Annotated[
        int, Meta(description="Minor units, booked; holds are not part of it.", examples=[1234])
    ]
    date: Annotated[str, Meta(extra_json_schema={"format": "date"}, examples=["2026-01-01"])]


class Sum(msgspec.Struct):
    """How many entries, and their sum in minor units."""

    count: Annotated[int, Meta(examples=[3])]
    amount: Annotated[int, Meta(examples=[4500])]


class StatementTotals(msgspec.Struct):
    """Of the whole period, whichever page is shown."""

    entries: Annotated[int, Meta(examples=[5])]
    credits: Sum
    debits: Sum


class StatementEntry(msgspec.Struct):
    """One booking: `amount` is positive, `credit_debit` tells its direction."""

    object: Literal["statement_entry"]
    id: Annotated[str, Meta(examples=["42"])]
    booked_at: Moment
    credit_debit: Annotated[Literal["CRDT", "DBIT"], Meta(examples=["DBIT"])]
    amount: Amount
    currency: Annotated[str, Meta(examples=["USD"])]
    balance_after: Annotated[int, Meta(examples=[1498766])]
    kind: Annotated[str, Meta(examples=["payment"])]
    counterparty: Annotated[str, Meta(description="Masked.", examples=["**C002"])] | None
    payment_id: Annotated[str, Meta(examples=["txn_001"])] | None
    refund_id: str | None
    transfer_id: str


class Statement(msgspec.Struct, rename={"first": "from", "last": "to"}):
    """What was booked on an account, in the words of ISO 20022's camt.053.

    The opening balance plus credits minus debits is the closing balance; each period opens with the balance
    that the one before has closed with.
    """

    object: Literal["statement"]
    account_number: Annotated[str, Meta(examples=["ACC001"])]
    customer_id: Annotated[str, Meta(examples=["cust_001"])]
    currency: Annotated[str, Meta(examples=["USD"])]
    first: Annotated[str, Meta(extra_json_schema={"format": "date"}, examples=["2026-01-01"])]
    last: Annotated[str, Meta(extra_json_schema={"format": "date"}, examples=["2026-01-31"])]
    created_at: Moment
    opening_balance: BookedBalance
    closing_balance: BookedBalance
    totals: StatementTotals
    data: list[StatementEntry]
    has_more: bool
