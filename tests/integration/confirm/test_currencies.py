"""One customer, accounts in several currencies: whole yen, a thousand fils to the dinar, no conversion."""

from decimal import Decimal
from typing import Any

import pytest

from tests.integration.confirm.conftest import Customer, System


async def other_account(system: System, owner: Customer, currency: str, balance: int) -> Customer:
    """The same customer with a further account."""
    account = Customer(owner.id, f"{owner.account}{currency}", owner.phone)
    await system.database.execute(
        "SELECT accounts.open_account($1, $2, $3, $4)", account.account, owner.id, currency, balance
    )
    return account


@pytest.mark.parametrize(("currency", "decimal"), [("JPY", "1234"), ("KWD", "1.234"), ("EUR", "12.34")])
async def test_each_account_pays_in_its_currency(system: System, currency: str, decimal: str) -> None:
    payer, payee = await system.customer(5_000), await system.customer()
    paying = await other_account(system, payer, currency, 5_000)
    paid = await other_account(system, payee, currency, 0)
    payment = await system.create(paying, paid, 1_234, currency=currency)
    body: dict[str, Any] = {
        "transaction_id": payment["id"],
        "customer_id": payer.id,
        "amount": float(Decimal(decimal)),
    }
    done = await system.post("/payment/confirm", body, actor=payer.id)
    assert done.status_code == 200, done.text
    assert f'"amount":{decimal}' in done.text.replace(": ", ":")
    assert await system.balance(paying) == (3_766, 0) and await system.balance(paid) == (1_234, 0)
    assert await system.balance(payer) == (5_000, 0) and await system.balance(payee) == (0, 0)


@pytest.mark.parametrize(("currency", "fee"), [("JPY", 3), ("KWD", 2_500)])
async def test_the_banks_fee_is_in_the_payments_currency(system: System, currency: str, fee: int) -> None:
    payer = await system.customer(20_000, currency=currency)
    payment = await system.create(
        payer, "9876543210", 1_000, currency=currency, to_routing_number="021000021", to_name="Wilma"
    )
    assert payment["fee"] == fee
    assert (await system.confirm(payment, payer)).status_code == 200
    assert await system.balance(payer) == (19_000 - fee, 0)
    back = await system.post(f"/v1/payments/{payment['id']}/refunds", actor=payer.id)
    assert (back.status_code, back.json()["currency"]) == (201, currency)
    assert await system.balance(payer) == (20_000 - fee, 0)


async def test_currencies_are_never_mixed(system: System) -> None:
    payer, payee = await system.customer(5_000), await system.customer()
    yen = await other_account(system, payer, "JPY", 5_000)
    for source, currency, field in (
        (payer, "JPY", "from_account"),
        (yen, "JPY", "to_account"),
        (yen, "USD", "from_account"),
    ):
        body = {
            "amount": 100,
            "currency": currency,
            "from_account": source.account,
            "to_account": payee.account,
        }
        refused = await system.post("/v1/payments", body, actor=payer.id)
        assert (refused.status_code, refused.json()["code"]) == (422, "currency_mismatch")
        assert refused.json()["errors"][0]["field"] == field
