"""Faults that the sandbox shows on request, so that callers can be tested against them."""

import re
from dataclasses import dataclass
from typing import Literal, NamedTuple, get_args

FaultName = Literal[
    "delay",  # takes the order, answers `seconds` later
    "late",  # takes the order only after `seconds`, then answers
    "lost_request",  # the connection breaks, the order was never taken
    "lost_reply",  # takes the order, the connection breaks instead of an answer
    "unreadable_reply",  # takes the order, answers 200 with half a JSON document
    "error_before",  # 500, the order was not taken
    "error_after",  # takes the order, answers 500
    "duplicate",  # the order comes in twice at once, as a network may deliver it
    "reject",  # takes the order and decides against it
]
NAMES: tuple[str, ...] = get_args(FaultName)
OrderKind = Literal["transfer", "return"]
MAX_SECONDS = 120.0
_HEADER = re.compile(r"([a-z_]{1,32})(?:=([0-9]{1,3}(?:\.[0-9]{1,3})?))?")


class Fault(NamedTuple):
    """A fault and how long it lasts (delay and late only)."""

    name: str
    seconds: float = 0.0

    @property
    def prevents(self) -> bool:
        """True when the order is never taken."""
        return self.name in ("lost_request", "error_before")


@dataclass(frozen=True, slots=True)
class FaultPlan:
    """Which orders show a fault.

    Args:
        count: how often it is shown.
        order: only to this kind of order.
        reference, reference_prefix: only to these references.
        probability: from above 0 to 1; below 1, `seed` decides which of the orders show it.
    """

    fault: str
    seconds: float
    count: int
    order: OrderKind | None
    reference: str | None
    reference_prefix: str | None
    probability: float
    seed: int


def parse(text: str) -> Fault:
    """The fault of an X-Sandbox-Fault header: `lost_reply`, `delay=2.5`.

    Raises:
        ValueError: no such fault, or too long.
    """
    match = _HEADER.fullmatch(text.strip())
    if match is None or match[1] not in NAMES or float(match[2] or 0) > MAX_SECONDS:
        raise ValueError(f"must be one of {', '.join(NAMES)}, with =SECONDS up to {MAX_SECONDS:.0f}")
    return Fault(match[1], float(match[2] or 0))
