import json
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from payments.audit.domain import Entry, Fact
from payments.audit.exports.influxdb import InfluxDB
from payments.audit.exports.loop import StoreError
from payments.audit.exports.points import finishes, line, nanoseconds

MOMENT = datetime(2026, 1, 31, 12, 0, 0, 123000, UTC)
PAYMENT = {
    "amount": 1500,
    "currency": "USD",
    "status": "succeeded",
    "description": "to 7712345678901234",
    "from_account": "ACC0001",
    "assessment": {"public": {"level": "LOW", "score": 3}},
}


def entry(
    payload: Any = PAYMENT,
    *,
    seq: int = 42,
    type_: str = "payment.succeeded",
    source: str = "confirm-service",
    payment: str | None = "p1",
) -> Entry:
    fact = Fact("e1", payment, "c1", source, 7, type_, MOMENT, json.dumps(payload))
    return Entry(seq, fact, "0" * 64, "f" * 64)


def test_a_finished_payment_is_one_line() -> None:
    assert line(entry(), MOMENT - timedelta(milliseconds=31)) == (
        "payment,currency=USD,risk_level=LOW,status=succeeded"
        ' amount=1500i,latency_ms=31i,payment_id="p1" 1769860800123000042'
    )
    assert "latency_ms" not in line(entry(), None)


@pytest.mark.parametrize(
    ("found", "expected"),
    [
        (entry(), True),
        (entry(type_="payment.failed"), True),
        (entry(type_="payment.canceled"), True),
        (entry(type_="payment.refunded"), False),
        (entry(type_="payment.processing"), False),
        (entry(source="account-service"), False),
        (entry(payment=None), False),
    ],
)
def test_a_payment_ends_once(found: Entry, expected: bool) -> None:
    assert finishes(found) is expected


def test_no_two_of_a_millisecond_share_a_point() -> None:
    times = {nanoseconds(entry(seq=seq)) for seq in range(999_000, 1_001_000)}
    assert len(times) == 2000
    assert {time // 1_000_000 for time in times} == {1769860800123}


@pytest.mark.parametrize(
    "payload",
    [None, [], {}, {"amount": 10**30, "currency": "U D", "assessment": 1}, {"assessment": {"public": []}}],
)
def test_whatever_the_data_are_there_is_a_point(payload: Any) -> None:
    assert line(entry(payload, type_="payment.failed"), None) == (
        'payment,currency=none,risk_level=none,status=failed payment_id="p1" 1769860800123000042'
    )


def test_an_id_cannot_break_out() -> None:
    made = line(entry({}, payment='a"b\\c\nd'), None)
    assert r'payment_id="a\"b\\c\nd" 17' in made and "\n" not in made


async def written(status: int, text: str = "") -> httpx.Request:
    seen = []

    def answer(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        return httpx.Response(status, text=text)

    transport = httpx.MockTransport(answer)
    async with InfluxDB("http://db:8086", "t0ken", org="o", bucket="b", transport=transport) as influxdb:
        await influxdb.write(["a v=1i 1", "a v=2i 2"])
    return seen[0]


async def test_a_write_names_its_bucket_and_its_precision() -> None:
    request = await written(204)
    assert str(request.url) == "http://db:8086/api/v2/write?org=o&bucket=b&precision=ns"
    assert request.headers["Authorization"] == "Token t0ken"
    assert request.content == b"a v=1i 1\na v=2i 2"
    await written(422, '{"message": "partial write: points beyond retention policy dropped=1"}')


@pytest.mark.parametrize(
    ("status", "text"), [(401, "t0ken"), (404, "no bucket"), (422, "field type conflict"), (503, "")]
)
async def test_a_refusal_is_an_error_that_quotes_nothing(status: int, text: str) -> None:
    with pytest.raises(StoreError, match=rf"^InfluxDB answered {status}$"):
        await written(status, text)
