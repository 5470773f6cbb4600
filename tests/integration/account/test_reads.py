"""What customers, operators and services see of accounts."""

from typing import Any

import pytest

from .conftest import Ledger, unique


async def test_customers_see_their_own_accounts_only(ledger: Ledger) -> None:
    customer = unique("cust")
    numbers = sorted([await ledger.open(100, customer=customer) for _ in range(3)])
    foreign = await ledger.open(100)
    listed = await ledger.get("/v1/accounts", actor=customer)
    assert [item["account_number"] for item in listed.json()["data"]] == numbers
    assert listed.json()["has_more"] is False
    own = (await ledger.get(f"/v1/accounts/{numbers[0]}", actor=customer)).json()
    assert own["balance"] == {"posted": 100, "held": 0, "available": 100}
    for path in ("/v1/accounts/{}", "/v1/accounts/{}/entries", "/account/{}"):
        other = await ledger.get(path.format(foreign), actor=customer)
        missing = await ledger.get(path.format("NOSUCH"), actor=customer)
        assert (other.status_code, other.json()["code"]) == (404, "account_not_found")
        assert (missing.status_code, missing.json()["code"]) == (404, "account_not_found")


async def test_a_customer_without_an_id_is_nobody(ledger: Ledger) -> None:
    assert (await ledger.get("/v1/accounts", actor="")).status_code == 401


@pytest.mark.parametrize("role", ["operator", "auditor"])
async def test_operators_and_auditors_see_all(ledger: Ledger, role: str) -> None:
    number = await ledger.open(100)
    assert (await ledger.get(f"/v1/accounts/{number}", actor="", role=role)).status_code == 200
    fees = await ledger.get("/v1/accounts/internal.fees.USD", actor="", role=role)
    assert fees.json()["kind"] == "internal"
    assert (await ledger.get("/v1/accounts", actor="", role=role)).json()["has_more"] is True


async def test_nobody_in_particular_sees_nothing(ledger: Ledger) -> None:
    assert (await ledger.get("/v1/accounts")).status_code == 401
    assert (await ledger.get("/v1/accounts/ACC001/entries")).status_code == 401
    # The gateway acts for people; only confirm-service asks on its own behalf.
    assert (await ledger.get("/account/ACC001")).status_code == 403
    known = await ledger.get("/account/ACC001", caller="confirm-service")
    assert known.json()["customer_id"] == "cust_001"
    assert (await ledger.get("/account/NOSUCH", caller="confirm-service")).status_code == 404


async def test_pages_cover_all_accounts_once(ledger: Ledger) -> None:
    customer = unique("cust")
    numbers = sorted([await ledger.open(customer=customer) for _ in range(7)])
    seen: list[str] = []
    query: dict[str, Any] = {"limit": 3}
    while True:
        page = (await ledger.get("/v1/accounts", actor=customer, **query)).json()
        seen += [item["account_number"] for item in page["data"]]
        if not page["has_more"]:
            break
        query["starting_after"] = seen[-1]
    assert seen == numbers


async def test_entries_are_listed_newest_first_with_balances(ledger: Ledger) -> None:
    customer = unique("cust")
    number, other = await ledger.open(1_000, customer=customer), await ledger.open()
    for amount in (1, 2, 3, 4):
        assert (await ledger.transfer(number, other, amount)).status_code == 200
    first = (await ledger.get(f"/v1/accounts/{number}/entries", actor=customer, limit=3)).json()
    assert [item["amount"] for item in first["data"]] == [-4, -3, -2]
    assert [item["balance_after"] for item in first["data"]] == [990, 994, 997]
    assert first["has_more"] is True
    rest = await ledger.get(
        f"/v1/accounts/{number}/entries", actor=customer, limit=3, starting_after=first["data"][-1]["id"]
    )
    assert [(item["amount"], item["kind"]) for item in rest.json()["data"]] == [
        (-1, "payment"),
        (1_000, "opening"),
    ]
    assert rest.json()["has_more"] is False
    assert other not in first["data"][0]["counterparty"]
    assert first["data"][0]["counterparty"].endswith(other[-4:])


async def test_a_new_account_has_an_empty_list(ledger: Ledger) -> None:
    customer = unique("cust")
    number = await ledger.open(customer=customer)
    answer = await ledger.get(f"/v1/accounts/{number}/entries", actor=customer)
    assert answer.json() == {"object": "list", "data": [], "has_more": False}


@pytest.mark.parametrize(
    ("path", "query"),
    [
        ("/v1/accounts", {"limit": "0"}),
        ("/v1/accounts", {"limit": "101"}),
        ("/v1/accounts", {"limit": "ten"}),
        ("/v1/accounts", {"starting_after": "a b"}),
        ("/v1/accounts/ACC001/entries", {"starting_after": "x"}),
        ("/v1/accounts/ACC001/entries", {"starting_after": "9" * 30}),
    ],
)
async def test_a_bad_page_is_422(ledger: Ledger, path: str, query: dict[str, Any]) -> None:
    answer = await ledger.get(path, actor="cust_001", **query)
    assert (answer.status_code, answer.json()["code"]) == (422, "validation_failed")
    assert answer.json()["errors"][0]["field"] == next(iter(query))


@pytest.mark.parametrize("number", ["%00", "a%20b", "%F0%9F%92%A9", "x" * 300, "..%2F..", "'--"])
async def test_odd_numbers_are_not_found(ledger: Ledger, number: str) -> None:
    for path in (f"/v1/accounts/{number}", f"/v1/accounts/{number}/entries", f"/account/{number}"):
        answer = await ledger.get(path, actor="cust_001")
        assert answer.status_code == 404
        assert answer.headers["content-type"] == "application/problem+json"


async def test_validation_says_why_not(ledger: Ledger) -> None:
    customer = unique("cust")
    payer, payee = await ledger.open(1_000, customer=customer), await ledger.open()
    euros = await ledger.open(currency="EUR")
    body = {"customer_id": customer, "from_account": payer, "to_account": payee, "amount": 1_000}

    async def ask(**change: Any) -> tuple[bool, str | None, str | None]:
        answer = (await ledger.post("/validate-account", body | {"currency": "USD"} | change)).json()
        return answer["valid"], answer["reason"], answer["field"]

    assert await ask() == (True, None, None)
    assert await ask(to_account=None, amount=None) == (True, None, None)
    assert await ask(amount=1_001) == (False, "insufficient_funds", "from_account")
    assert await ask(to_account=payer) == (False, "self_transfer", "to_account")
    assert await ask(to_account="NOSUCH") == (False, "account_not_found", "to_account")
    assert await ask(to_account=euros) == (False, "currency_mismatch", "to_account")
    assert await ask(currency="EUR") == (False, "currency_mismatch", "from_account")
    assert await ask(customer_id="stranger") == (False, "account_not_found", "from_account")
    hidden = await ledger.post("/validate-account", body | {"currency": "USD", "customer_id": "stranger"})
    assert hidden.json()["account"] is None
    shown = await ledger.post("/validate-account", body | {"currency": "USD"})
    assert shown.json()["account"]["balance"]["available"] == 1_000
