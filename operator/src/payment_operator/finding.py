"""What is said of a condition."""

from __future__ import annotations

from typing import NamedTuple


class Finding(NamedTuple):
    """Status, reason and message of a condition."""

    status: str
    reason: str
    message: str


NOT_LOOKED = Finding("Unknown", "Reconciling", "not looked at yet")
