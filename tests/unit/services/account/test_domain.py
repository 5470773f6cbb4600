import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from payments.account.domain import Postings, difference, may_change, owner, refusal
from payments.account.seed import ACCOUNTS
from payments.common.errors import KINDS
from payments.migrate import PACKAGE

SQL = (PACKAGE / "account/migrations/0001_initial.sql").read_text()
# 'code/field' literals, and the prefixes to which a status or a field is appended.
CODES = set(re.findall(r"'([a-z_]+)/[a-z_]*'", SQL)) | {"account_frozen", "account_closed"}


def test_every_refusal_of_the_ledger_is_a_problem() -> None:
    assert len(CODES) >= 8
    for code in CODES:
        assert refusal(f"{code}/amount").code in KINDS


def test_a_refusal_names_its_field() -> None:
    why = refusal("insufficient_funds/from_account")
    assert (why.code, why.field) == ("insufficient_funds", "from_account")
    assert why.message


@given(st.text())
def test_an_unknown_refusal_is_a_bug(text: str) -> None:
    if text.partition("/")[0] not in CODES:
        with pytest.raises(ValueError, match="unknown refusal"):
            refusal(text)


def test_only_operators_and_auditors_see_the_accounts_of_others() -> None:
    assert owner("operator", "") is None
    assert owner("auditor", "") is None
    assert owner("customer", "cust_001") == "cust_001"
    assert owner("somebody", "cust_001") == "cust_001"
    assert owner("customer", "") == ""  # nobody's accounts, not everybody's


def test_auditors_move_no_money() -> None:
    assert [role for role in ("customer", "operator", "auditor", "somebody") if may_change(role)] == [
        "customer",
        "operator",
    ]


def test_the_demo_customers_of_the_original_have_their_balances() -> None:
    balances = {customer: opening for _, customer, currency, opening in ACCOUNTS if currency == "USD"}
    assert balances["cust_001"] == 1_500_000
    assert balances["cust_002"] == 850_000
    assert balances["cust_003"] == 10_000_000
    assert len({number for number, *_ in ACCOUNTS}) == len(ACCOUNTS)


def test_one_demo_customer_has_accounts_in_several_currencies() -> None:
    assert {currency for _, customer, currency, _ in ACCOUNTS if customer == "cust_001"} == {
        "USD",
        "EUR",
        "JPY",
    }


OURS = Postings(1_000, 250, "USD")


def test_books_that_agree_have_no_difference() -> None:
    assert difference(OURS, OURS, "COMPLETED") is None


@pytest.mark.parametrize(
    ("bank", "status", "what"),
    [
        (None, None, "the bank does not know it"),
        (OURS, "REJECTED", "the bank says REJECTED"),
        (OURS, "PENDING", "the bank says PENDING"),
        (Postings(999, 250, "USD"), "COMPLETED", "amount 1000 here, 999 there"),
        (Postings(1_000, 0, "EUR"), "COMPLETED", "fee 250 here, 0 there; currency USD here, EUR there"),
    ],
)
def test_each_difference_is_named(bank: Postings | None, status: str | None, what: str) -> None:
    assert difference(OURS, bank, status) == what
