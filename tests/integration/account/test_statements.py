"""Statements: what was booked in a period, to the minor unit, for the owner alone."""

import csv
import io
import re
from datetime import UTC, date, datetime, timedelta
from typing import Any
from urllib.parse import parse_qsl

import httpx
import msgspec
import pytest

from payments.gateway.account_answers import Statement

from .conftest import Ledger, unique

TODAY = datetime.now(UTC).date()


def days_ago(count: int) -> date:
    return TODAY - timedelta(days=count)


async def history(ledger: Ledger, currency: str = "USD") -> str:
    """An account with 1,000 opened 40 days ago, 100 paid on each of 30 … 21 days ago, 5 received today."""
    payer = await ledger.open(1_000, currency=currency)
    payee = await ledger.open(5, currency=currency)
    at = [(f"opening:{payer}", 40)]
    for count in range(30, 20, -1):
        payment = unique("pay")
        answer = await ledger.transfer(payer, payee, 100, payment=payment, currency=currency)
        assert answer.status_code == 200
        at.append((payment, count))
    await ledger.transfer(payee, payer, 5, currency=currency)
    async with ledger.database.acquire() as connection, connection.transaction():
        # History cannot be changed by anybody's statement; a test of days needs days.
        await connection.execute("SET LOCAL session_replication_role = replica")
        await connection.executemany(
            """UPDATE accounts.entries AS e SET created_at = now() - $2 * interval '1 day'
               FROM accounts.transfers AS t WHERE t.id = e.transfer_id AND t.payment_id = $1""",
            at,
        )
    return payer


async def read(ledger: Ledger, account: str, **query: Any) -> httpx.Response:
    if "first" in query:
        query["from"] = query.pop("first")
    return await ledger.get(f"/v1/accounts/{account}/statements", actor=f"cust-{account}", **query)


async def test_a_period_opens_with_what_the_one_before_closed_with(ledger: Ledger) -> None:
    account = await history(ledger)
    whole = (await read(ledger, account, first=str(days_ago(60)))).json()
    assert (whole["opening_balance"]["amount"], whole["closing_balance"]["amount"]) == (0, 5)
    assert whole["opening_balance"]["type"] == "OPBD" and whole["closing_balance"]["type"] == "ITBD"
    assert whole["totals"] == {
        "entries": 12,
        "credits": {"count": 2, "amount": 1_005},
        "debits": {"count": 10, "amount": 1_000},
    }
    balance, closing = 0, 0
    for entry in whole["data"]:
        balance += entry["amount"] * (1 if entry["credit_debit"] == "CRDT" else -1)
        assert entry["balance_after"] == balance
    for first, last in ((60, 41), (40, 26), (25, 25), (24, 1), (0, 0)):
        part = (await read(ledger, account, first=str(days_ago(first)), to=str(days_ago(last)))).json()
        assert part["opening_balance"]["amount"] == closing
        closing = part["closing_balance"]["amount"]
        assert part["closing_balance"]["type"] == ("ITBD" if last == 0 else "CLBD")
        totals = part["totals"]
        assert closing == part["opening_balance"]["amount"] + (
            totals["credits"]["amount"] - totals["debits"]["amount"]
        )
        assert totals["entries"] == len(part["data"])
    assert closing == (await ledger.balance(account))[0]


async def test_pages_make_up_the_whole(ledger: Ledger) -> None:
    account = await history(ledger)
    query: dict[str, Any] = {"first": str(days_ago(60)), "limit": 5}
    whole = (await read(ledger, account, first=str(days_ago(60)))).json()
    assert not whole["has_more"]
    entries, pages = [], 0
    while True:
        answer = await read(ledger, account, **query)
        page = answer.json()
        entries += page["data"]
        pages += 1
        assert page["totals"] == whole["totals"]
        assert page["opening_balance"] == whole["opening_balance"]
        if not page["has_more"]:
            assert "link" not in answer.headers
            break
        following = re.fullmatch(r'<(/v1/accounts/[^>]+)>; rel="next"', answer.headers["link"])
        assert following is not None
        query["starting_after"] = page["data"][-1]["id"]
        path, _, linked_query = following[1].partition("?")
        linked = await ledger.get(path, actor=f"cust-{account}", **dict(parse_qsl(linked_query)))
        assert linked.json()["data"] == (await read(ledger, account, **query)).json()["data"]
    assert (entries, pages) == (whole["data"], 3)


@pytest.mark.parametrize(
    ("currency", "opening", "amount"),
    [("USD", "10.00", "1.00"), ("JPY", "1000", "100"), ("KWD", "1.000", "0.100")],
)
async def test_the_same_as_csv(ledger: Ledger, currency: str, opening: str, amount: str) -> None:
    account = await history(ledger, currency)
    told = (await read(ledger, account, first=str(days_ago(35)))).json()
    answer = await read(ledger, account, first=str(days_ago(35)), format="csv")
    assert answer.headers["content-type"].startswith("text/csv")
    assert f"statement_{account}_" in answer.headers["content-disposition"]
    lines = list(csv.DictReader(io.StringIO(answer.text)))
    assert [line["type"] for line in lines] == ["OPBD", *["NTRY"] * 11, "ITBD"]
    assert lines[0]["balance"] == opening
    assert (lines[1]["amount"], lines[1]["credit_debit"]) == (amount, "DBIT")
    assert [line["id"] for line in lines[1:-1]] == [entry["id"] for entry in told["data"]]
    assert {line["currency"] for line in lines} == {currency}
    first = await read(ledger, account, first=str(days_ago(35)), format="csv", limit=6)
    assert 'format=csv>; rel="next"' in first.headers["link"]
    assert [line["type"] for line in csv.DictReader(io.StringIO(first.text))] == ["OPBD", *["NTRY"] * 6]


async def test_the_answer_is_what_the_documentation_says(ledger: Ledger) -> None:
    account = await history(ledger)
    decoded = msgspec.json.decode((await read(ledger, account)).content, type=Statement)
    assert decoded.account_number == account
    assert decoded.first == str(TODAY.replace(day=1)) and decoded.last == str(TODAY)


@pytest.mark.parametrize(
    ("accept", "kind"),
    [
        ("text/csv", "text/csv"),
        ("application/json;q=0.5, text/csv;q=0.9", "text/csv"),
        ("text/csv;q=0.1, application/json", "application/json"),
        ("*/*", "application/json"),
        ("text/csv;q=0", "application/json"),
        ("text/csv;q=ä, ,;;=", "application/json"),
    ],
)
async def test_accept_chooses(ledger: Ledger, accept: str, kind: str) -> None:
    account = await ledger.open(1)
    headers = [
        (b"Authorization", f"Bearer {ledger.identity.token('api-gateway')}".encode()),
        (b"X-Actor-Token", ledger.identity.actor_token(f"cust-{account}").encode()),
        (b"Accept", accept.encode("latin-1")),
    ]
    answer = await ledger.http.get(f"/v1/accounts/{account}/statements", headers=headers)
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith(kind)
    assert answer.headers["vary"] == "Accept"


async def test_anothers_account_is_as_if_there_were_none(ledger: Ledger) -> None:
    account = await ledger.open(1)
    told = []
    for number in (account, "NOBODYS", "internal.settlement.USD", "…"):
        answer = await ledger.get(f"/v1/accounts/{number}/statements", actor="stranger")
        told.append((answer.status_code, answer.json()["code"], answer.json()["detail"]))
    assert len(set(told)) == 1 and told[0][:2] == (404, "account_not_found")
    assert (await ledger.get(f"/v1/accounts/{account}/statements")).status_code == 401
    auditor = await ledger.get("/v1/accounts/internal.opening.USD/statements", actor="ana", role="auditor")
    assert auditor.status_code == 200


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ({"from": "x"}, "from"),
        ({"from": "20260101"}, "from"),
        ({"from": "2026-02-30"}, "from"),
        ({"from": "1999-12-31", "to": "2000-01-01"}, "from"),
        ({"from": "0001-01-01", "to": "0001-01-01"}, "from"),
        ({"from": "2024-01-02", "to": "2024-01-01"}, "from"),
        ({"from": "2023-01-01", "to": "2024-01-02"}, "from"),
        ({"to": "9999-12-31"}, "to"),
        ({"to": str(TODAY + timedelta(days=1))}, "to"),
        ({"limit": "0"}, "limit"),
        ({"limit": "1001"}, "limit"),
        ({"starting_after": "x"}, "starting_after"),
        ({"starting_after": "1"}, "starting_after"),
        ({"format": "pdf"}, "format"),
    ],
)
async def test_bad_periods_and_pages_name_the_field(
    ledger: Ledger, query: dict[str, str], field: str
) -> None:
    account = await ledger.open(1)
    answer = await ledger.get(f"/v1/accounts/{account}/statements", actor=f"cust-{account}", **query)
    assert (answer.status_code, answer.json()["code"]) == (422, "validation_failed")
    assert answer.json()["errors"][0]["field"] == field


async def test_an_empty_period_has_its_balances(ledger: Ledger) -> None:
    account = await ledger.open(700)
    yesterday = str(days_ago(1))
    before = (await read(ledger, account, first=yesterday, to=yesterday)).json()
    assert (before["opening_balance"]["amount"], before["closing_balance"]["amount"]) == (0, 0)
    assert (before["data"], before["totals"]["entries"]) == ([], 0)
    now = (await read(ledger, account, first=str(TODAY), to=str(TODAY))).json()
    assert (now["opening_balance"]["amount"], now["closing_balance"]["amount"]) == (0, 700)
