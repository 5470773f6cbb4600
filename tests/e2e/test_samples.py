"""Customers made for trials can pay each other."""

from hack.client import Client, pay
from hack.kubectl import Cluster
from hack.samples import create
from hack.up import NAMESPACE


def test_sample_customers_pay_each_other(cluster: Cluster, url: str) -> None:
    payer, payee = create(cluster, NAMESPACE, 2, 50_00)
    client = Client(url)
    client.login(payer["username"], payer["password"])
    pay(client, amount=49_00, from_account=payer["account_number"], to_account=payee["account_number"])
    answer = client.get(f"/v1/accounts/{payer['account_number']}")
    assert answer.body["balance"] == {"posted": 1_00, "held": 0, "available": 1_00}
    assert client.get(f"/v1/accounts/{payee['account_number']}").status == 404
