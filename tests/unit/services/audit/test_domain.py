"""The chain, recomputed here as its documentation says, and 400 ways of spoiling it."""

import hashlib
import json
import random
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from payments.audit.domain import GENESIS, Entry, Fact, Head, check, entry_hash, extend

START = datetime(2026, 1, 31, 12, 0, 0, 123000, tzinfo=UTC)


def fact(number: int) -> Fact:
    return Fact(
        event_id=f"event-{number}",
        payment_id=f"p{number % 3}" if number % 5 else None,
        customer_id="c1" if number % 2 else None,
        source="confirm-service",
        source_sequence=number,
        type="payment.created",
        time=START + timedelta(seconds=number),
        payload=f'{{"amount": {number}, "note": "Zoë"}}',
    )


def chain(length: int = 20) -> list[Entry]:
    return extend(Head(), [fact(number) for number in range(1, length + 1)])


def by_hand(entry: Entry) -> str:
    """The documented form, written without the code under test."""

    def quoted(value: str | None) -> str:
        return "null" if value is None else json.dumps(value, ensure_ascii=False)

    moment = entry.fact.time.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")
    text = (
        f'{{"customer_id":{quoted(entry.fact.customer_id)},"event_id":{quoted(entry.fact.event_id)},'
        f'"payload":{quoted(entry.fact.payload)},"payment_id":{quoted(entry.fact.payment_id)},'
        f'"prev_hash":"{entry.prev_hash}","seq":{entry.seq},"source":{quoted(entry.fact.source)},'
        f'"source_sequence":{entry.fact.source_sequence},"time":"{moment}","type":{quoted(entry.fact.type)}}}'
    )
    return hashlib.sha256(text.encode("utf-8")).hexdigest()


def test_hashes_are_as_documented() -> None:
    entries = chain()
    assert entries[0].prev_hash == GENESIS
    for entry, before in zip(entries[1:], entries, strict=False):
        assert entry.prev_hash == before.hash
    assert [entry.hash for entry in entries] == [by_hand(entry) for entry in entries]


def test_a_known_hash_never_changes() -> None:
    known = "33ec31327f5e5674503face83ba1a241556ece5067997f5706f952aed63972ce"
    assert entry_hash(1, fact(1), GENESIS) == known


def test_a_whole_chain_has_no_faults_also_in_parts() -> None:
    entries = chain()
    head = Head(20, entries[-1].hash)
    assert check(Head(), entries) == ([], head)
    assert check(Head(7, entries[6].hash), entries[7:]) == ([], head)


def spoil(random_: random.Random, entries: list[Entry]) -> list[Entry]:
    """One edit, deletion, swap, insertion or truncation."""
    spoilt = list(entries)
    i = random_.randrange(len(entries))
    kind = random_.choice(["fact", "hash", "prev_hash", "delete", "swap", "insert", "cut"])
    if kind == "fact":
        change = random_.choice(
            [
                {"event_id": "x"},
                {"payment_id": "p9"},
                {"customer_id": "c9"},
                {"source": "x"},
                {"source_sequence": 999},
                {"type": "payment.failed"},
                {"time": START - timedelta(microseconds=1)},
                {"payload": entries[i].fact.payload + " "},
            ]
        )
        spoilt[i] = replace(entries[i], fact=replace(entries[i].fact, **change))  # type: ignore[arg-type]
    elif kind in ("hash", "prev_hash"):
        spoilt[i] = replace(entries[i], **{kind: "ab" * 32})  # type: ignore[arg-type]
    elif kind == "delete":
        del spoilt[i]
    elif kind == "swap":
        j = (i + 1) % len(entries)
        spoilt[i], spoilt[j] = replace(entries[j], seq=i + 1), replace(entries[i], seq=j + 1)
    elif kind == "insert":
        spoilt.insert(i, replace(entries[i], fact=fact(500)))
    else:
        del spoilt[i:]
    return spoilt


def test_every_change_shows() -> None:
    random_ = random.Random(20260131)
    entries = chain()
    end = Head(20, entries[-1].hash)
    for _ in range(400):
        spoilt = spoil(random_, entries)
        faults, head = check(Head(), spoilt)
        assert faults or head != end


def test_a_rewritten_chain_differs_from_the_noted_end() -> None:
    entries = chain()
    forged = extend(Head(), [replace(fact(n), type="payment.failed") for n in range(1, 21)])
    faults, head = check(Head(), forged)
    assert faults == []
    assert head != Head(20, entries[-1].hash)


@given(st.text(), st.text(min_size=1))
def test_any_text_has_a_hash_of_its_own(payload: str, other: str) -> None:
    one = replace(fact(1), payload=payload)
    two = replace(one, payload=payload + other)
    assert entry_hash(1, one, GENESIS) != entry_hash(1, two, GENESIS)
    assert entry_hash(1, one, GENESIS) == by_hand(Entry(1, one, GENESIS, ""))


def test_the_zone_a_time_is_told_in_does_not_matter() -> None:
    elsewhere = replace(fact(1), time=fact(1).time.astimezone(timezone(timedelta(hours=5))))
    assert entry_hash(1, elsewhere, GENESIS) == entry_hash(1, fact(1), GENESIS)


@pytest.mark.parametrize("length", [0, 1])
def test_short_chains_are_whole(length: int) -> None:
    faults, head = check(Head(), chain(length))
    assert faults == []
    assert head.seq == length
