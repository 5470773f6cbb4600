"""Words of the ledger, free of any technology."""

from typing import Literal, NamedTuple

TransferKind = Literal["payment", "refund"]

# The one service that moves money and asks about any account; the gateway acts for its actors only.
PAYMENTS = "confirm-service"

# An operator acts for the platform; an auditor reads everything and changes nothing.
SEES_ALL = frozenset({"operator", "auditor"})

_MESSAGES = {
    "account_not_found": "There is no such account",
    "account_frozen": "The account is frozen",
    "account_closed": "The account is closed",
    "currency_mismatch": "The account is kept in another currency",
    "self_transfer": "Payer and payee are the same account",
    "insufficient_funds": "The account does not hold enough",
    "payment_not_found": "Nothing was posted or held for this payment",
    "payment_mismatch": "This was posted or held before with other data",
    "refund_exceeds_payment": "The refunds would exceed the payment",
    "illegal_state": "The hold was already posted or voided",
}


class Refusal(NamedTuple):
    """Why the ledger did nothing: a problem code, the field that it is about, and a sentence."""

    code: str
    field: str
    message: str


def refusal(text: str) -> Refusal:
    """The refusal that the ledger's functions write as `<code>/<field>`.

    Raises:
        ValueError: the code is not known.
    """
    code, _, field = text.partition("/")
    if code not in _MESSAGES:
        raise ValueError(f"unknown refusal {code}")
    return Refusal(code, field, _MESSAGES[code])


def owner(role: str, customer_id: str) -> str | None:
    """Whose accounts this role may use: a customer's own, None for all."""
    return None if role in SEES_ALL else customer_id


def may_change(role: str) -> bool:
    """True when the role may move money."""
    return role in ("customer", "operator")


class Postings(NamedTuple):
    """A payment to another bank as one side has it; amounts in minor units."""

    amount: int
    fee: int
    currency: str


def difference(ours: Postings, bank: Postings | None, status: str | None) -> str | None:
    """What differs between a posted payment and the bank's book, None when they agree.

    Args:
        bank: None when the bank does not know the reference.
        status: of the bank's entry; only COMPLETED means that the money has moved.
    """
    if bank is None:
        return "the bank does not know it"
    if status != "COMPLETED":
        return f"the bank says {status}"
    pairs = zip(Postings._fields, ours, bank, strict=True)
    wrong = [f"{name} {own} here, {theirs} there" for name, own, theirs in pairs if own != theirs]
    return "; ".join(wrong) or None
