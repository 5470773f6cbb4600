"""The hash chain. Standard library only.

Each entry holds SHA-256, in lower-case hex, over the UTF-8 bytes of a JSON object with these members, sorted
by name, without white space and with no escapes but the necessary ones (the form of RFC 8785):

    customer_id      string or null
    event_id         string
    payload          string: the event's `data` exactly as it came, as text
    payment_id       string or null
    prev_hash        string: the hash of the entry before, 64 zeros for the first
    seq              number: 1, 2, 3 … without gaps
    source           string: the service that tells it
    source_sequence  number: counts without gaps what each source sends to payment-events
    time             string: UTC with six decimals, 2026-01-31T12:00:00.123000Z
    type             string

These are the columns of `audit.events` without `hash`, so anybody who may read the table can recompute it.
"""

import hashlib
import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime

GENESIS = "0" * 64


@dataclass(frozen=True, slots=True)
class Fact:
    """What an event says, before it has a place in the chain."""

    event_id: str
    payment_id: str | None
    customer_id: str | None
    source: str
    source_sequence: int
    type: str
    time: datetime
    payload: str


@dataclass(frozen=True, slots=True)
class Head:
    """The last entry of a chain; `seq` 0 and GENESIS for an empty one."""

    seq: int = 0
    hash: str = GENESIS


@dataclass(frozen=True, slots=True)
class Entry:
    """A fact in its place."""

    seq: int
    fact: Fact
    prev_hash: str
    hash: str


def entry_hash(seq: int, fact: Fact, prev_hash: str) -> str:
    """The hash as the module describes it."""
    record = {
        "customer_id": fact.customer_id,
        "event_id": fact.event_id,
        "payload": fact.payload,
        "payment_id": fact.payment_id,
        "prev_hash": prev_hash,
        "seq": seq,
        "source": fact.source,
        "source_sequence": fact.source_sequence,
        "time": fact.time.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ"),
        "type": fact.type,
    }
    text = json.dumps(record, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


def extend(head: Head, facts: Iterable[Fact]) -> list[Entry]:
    """The facts as entries behind `head`, in the order given."""
    entries = []
    for fact in facts:
        seq = head.seq + 1
        entry = Entry(seq, fact, head.hash, entry_hash(seq, fact, head.hash))
        entries.append(entry)
        head = Head(seq, entry.hash)
    return entries


def check(head: Head, entries: Iterable[Entry]) -> tuple[list[tuple[int, str]], Head]:
    """Recompute the entries behind `head`.

    Returns:
        faults as (seq, what is wrong), and the last entry as it stands.
    """
    faults = []
    for entry in entries:
        if entry.seq != head.seq + 1:
            faults.append((entry.seq, f"follows entry {head.seq}: entries are missing or out of place"))
        elif entry.prev_hash != head.hash:
            faults.append((entry.seq, "does not continue the entry before"))
        if entry.hash != entry_hash(entry.seq, entry.fact, entry.prev_hash):
            faults.append((entry.seq, "its content does not fit its hash"))
        head = Head(entry.seq, entry.hash)
    return faults, head
