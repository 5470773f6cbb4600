import json
from datetime import UTC, date, datetime, timedelta, timezone
from typing import Any

import pytest

from payments.audit.domain import Entry, Fact
from payments.audit.exports.documents import (
    TEMPLATE,
    Document,
    day_of_index,
    document,
    horizon,
    index,
)
from payments.audit.exports.search import parts

MOMENT = datetime(2026, 1, 31, 23, 30, 0, 123000, UTC)


def entry(payload: Any, moment: datetime = MOMENT) -> Entry:
    fact = Fact("e1", "p1", None, "confirm-service", 7, "payment.succeeded", moment, json.dumps(payload))
    return Entry(5, fact, "0" * 64, "f" * 64)


def test_an_entry_becomes_a_document() -> None:
    data = {
        "amount": 1500,
        "currency": "USD",
        "status": "succeeded",
        "from_account": "ACC0001",
        "assessment": {"public": {"level": "LOW"}},
    }
    made = document(entry(data))
    assert (made.id, made.day) == ("e1", date(2026, 1, 31))
    body = json.loads(made.body)
    assert json.loads(body.pop("payload")) == data | {"from_account": "***0001"}
    assert body == {
        "@timestamp": "2026-01-31T23:30:00.123000Z",
        "seq": 5,
        "event_id": "e1",
        "payment_id": "p1",
        "customer_id": None,
        "source": "confirm-service",
        "source_sequence": 7,
        "type": "payment.succeeded",
        "prev_hash": "0" * 64,
        "hash": "f" * 64,
        "status": "succeeded",
        "currency": "USD",
        "risk_level": "LOW",
        "amount": 1500,
    }
    assert set(body) | {"payload"} == set(TEMPLATE["template"]["mappings"]["properties"])  # type: ignore[index]
    assert document(entry(data)).digest == made.digest
    assert document(entry(data | {"amount": 1501})).digest != made.digest


@pytest.mark.parametrize(
    "payload",
    [
        None,
        [],
        "text",
        {"amount": 10**30, "status": "x" * 65, "currency": 7, "assessment": []},
        {"amount": True, "status": "a b", "assessment": {"public": 1}},
        {"amount": "12", "status": None, "assessment": {"public": {"level": {}}}},
        {"amount": 1.5, "status": "\ud800"},
    ],
)
def test_no_data_can_be_refused_by_the_index(payload: Any) -> None:
    body = json.loads(document(entry(payload)).body)
    assert not {"amount", "status", "currency", "risk_level"} & set(body)
    assert json.loads(body["payload"]) == payload


def test_a_day_is_that_of_utc() -> None:
    east = timezone(timedelta(hours=9))
    assert document(entry({}, datetime(2026, 2, 1, 3, tzinfo=east))).day == date(2026, 1, 31)
    for of, name in ((date(2026, 1, 31), "payment-audit-2026.01.31"), (date.min, "payment-audit-0001.01.01")):
        assert index(of) == name
        assert day_of_index(name) == of
        assert day_of_index(index(of, prefix="audit-trail-7")) == of
    for name in ("payment-audit-2026.13.01", "payment-audit-x", "payment-audit-2026.01.01-x", "other"):
        assert day_of_index(name) is None


def test_what_is_kept_begins_with_a_whole_day() -> None:
    assert horizon(MOMENT, timedelta(days=30)) == date(2026, 1, 1)
    assert horizon(MOMENT, timedelta(days=365 * 9000)) == date.min


def test_requests_are_bounded_and_keep_the_order() -> None:
    documents = [Document(str(n), date.min, b"x" * size) for n, size in enumerate([4, 4, 4, 30, 1, 9, 1])]
    found = [[each.id for each in part] for part in parts(documents, limit=10)]
    assert found == [["0", "1"], ["2"], ["3"], ["4", "5"], ["6"]]
    assert list(parts([])) == []
