"""Manifests, names and what is kept."""

import random
from datetime import UTC, datetime, timedelta

import pytest

from payments.backup.manifest import InvalidManifest, Manifest, name_at, parse
from payments.backup.retention import surplus
from payments.backup.versions import later_than_ours, newest

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)


def backup(taken_at: datetime, **revisions: str) -> Manifest:
    facts = {"revisions": revisions, "ledger": {"USD": {"customers": 5}}}
    return Manifest(name_at(taken_at), taken_at, "0.1.0", facts, 10, "ab")


def test_a_manifest_comes_back_as_it_was() -> None:
    whole = backup(NOON + timedelta(microseconds=17), kyc="0002")
    assert parse(whole.as_json()) == whole
    assert whole.name == "20261123t120000z"


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"format": 2}', '{"format": 1, "name": "x"}'])
def test_anything_else_is_refused(text: str) -> None:
    with pytest.raises(InvalidManifest):
        parse(text)


def test_what_is_kept() -> None:
    days = [backup(NOON - timedelta(days=age)) for age in range(10)]
    random.Random(7).shuffle(days)

    def ages(count: int | None, limit: int | None) -> list[int]:
        return [(NOON - item.taken_at).days for item in surplus(days, count=count, days=limit, now=NOON)]

    assert ages(None, None) == []
    assert ages(7, None) == [9, 8, 7]
    assert ages(None, 3) == [9, 8, 7, 6, 5, 4]
    assert ages(7, 8) == [9, 8, 7]
    assert ages(1, None) == ages(1, 1) == list(range(9, 0, -1))
    old = [backup(NOON - timedelta(days=age)) for age in (40, 50)]
    assert surplus(old, count=5, days=30, now=NOON) == [old[1]], "the newest stays, however old"


def test_versions() -> None:
    assert newest()["payments"] >= "0007"
    assert later_than_ours(backup(NOON, **newest())) == []
    assert later_than_ours(backup(NOON, kyc="0001", other="0001", audit="9999")) == [
        "audit 9999",
        "other 0001",
    ]
