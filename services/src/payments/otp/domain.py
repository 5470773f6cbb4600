"""Codes and what binds them. Standard library only."""

import hashlib
import hmac
import json
import secrets
from dataclasses import dataclass

DIGITS = 6


@dataclass(frozen=True, slots=True)
class Binding:
    """What a code is good for, and nothing else (PSD2 RTS 5); `amount` in minor units, `payee` as shown."""

    payment_id: str
    customer_id: str
    amount: int
    currency: str
    payee: str


def new_code() -> str:
    """Six digits, each code equally likely."""
    return f"{secrets.randbelow(10**DIGITS):0{DIGITS}d}"


def code_mac(key: bytes, code: str, binding: Binding) -> bytes:
    """HMAC-SHA256 over the code and everything it is bound to.

    The database stores SHA-256 of this and the challenge's id, so equal codes of two challenges differ, and a
    copy of the table without the key tells nothing.
    """
    return _mac(key, "code", code, binding)


def binding_mac(key: bytes, binding: Binding) -> bytes:
    """Tells whether two challenges are bound to the same, without storing to what."""
    return _mac(key, "binding", "", binding)


def _mac(key: bytes, purpose: str, code: str, binding: Binding) -> bytes:
    # A JSON array cannot be read in two ways, as joined strings could.
    parts = [
        purpose,
        code,
        binding.payment_id,
        binding.customer_id,
        binding.amount,
        binding.currency,
        binding.payee,
    ]
    return hmac.new(key, json.dumps(parts, separators=(",", ":")).encode(), hashlib.sha256).digest()
