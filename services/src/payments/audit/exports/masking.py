"""What of an event's data may stand where people search. Standard library only.

The services mask account numbers and leave out secrets before an event is written; this is the second line,
for what customers write into free text and for events of services to come.
"""

import json
import re
from typing import Any

HIDDEN = "[hidden]"
_ACCOUNTS = frozenset(
    "account account_number card_number from_account iban number pan payee_account payer_account"
    " to_account".split()
)
_SECRETS = frozenset(
    "access_token api_key authorization client_secret cookie current_password cvv id_token new_password"
    " one_time_password otp passphrase password pin private_key refresh_token secret token".split()
)
# Names of things, not text that somebody wrote.
_NAMES = re.compile(r"(.*_)?(id|ids|at|on|hash|version|reference|transfer|routing_number|traceparent|claim)")
_TOKEN = re.compile(r"\bey[A-Za-z0-9_-]{8,}(?:\.[A-Za-z0-9_-]*){2,4}|(?i:\b(bearer|basic)\s+[\w.~+/=-]{8,})")
_IBAN = re.compile(r"(?<![\w-])[A-Z]{2}\d{2}(?: ?[A-Z0-9]{4}){2,7}(?: ?[A-Z0-9]{1,4})?(?![\w-])")
_DIGITS = re.compile(r"(?<![\w-])\d(?:[ -]?\d){8,33}(?![\w-])")
_LETTERS_AND_DIGITS = re.compile(r"(?<![\w-])(?=(?:[A-Z]*\d){6})[A-Z0-9]{8,34}(?![\w-])")


def mask(number: str) -> str:
    """An account number with all but its last four characters hidden."""
    return "*" * max(0, len(number) - 4) + number[-4:]


def masked(payload: str) -> str:
    """The JSON text with account numbers masked and secrets hidden; as it was, to the letter, without any."""
    try:
        before = json.loads(payload)
        after = _value("", before)
    except (RecursionError, ValueError):  # nested too deep, or a number of thousands of digits
        return json.dumps(HIDDEN)
    return payload if after == before else json.dumps(after, separators=(",", ":"))


def _value(name: str, value: Any) -> Any:
    if isinstance(value, dict):
        return {_text(key): _value(key.lower(), inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [_value(name, inner) for inner in value]
    if not isinstance(value, str):
        return value
    if name in _SECRETS:
        return HIDDEN
    if name in _ACCOUNTS:
        return mask(value)
    return value if _NAMES.fullmatch(name) else _text(value)


def _text(text: str) -> str:
    text = _TOKEN.sub(HIDDEN, text)
    for pattern in (_IBAN, _DIGITS, _LETTERS_AND_DIGITS):
        text = pattern.sub(lambda found: mask(found[0]), text)
    return text
