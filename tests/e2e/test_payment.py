"""One payment through the load balancer, checked by SQL and by Kafka itself."""

import json
import time
import uuid

import pytest

from hack.client import Client
from hack.kubectl import Cluster
from hack.up import NAMESPACE
from tests.e2e.conftest import PROBE_ACCOUNTS


def create(client: Client, amount: int) -> str:
    body = {"amount": amount, "currency": "USD", **PROBE_ACCOUNTS}
    answer = client.post("/v1/payments", body)
    assert answer.status == 201, answer
    return str(answer.body["id"])


@pytest.fixture(scope="module")
def payment(demo: Client) -> str:
    """The id of a succeeded payment, confirmed by the original's route."""
    payment_id = create(demo, 12_34)
    key = str(uuid.uuid4())
    body = {"transaction_id": payment_id, "customer_id": "cust_001", "amount": 12.34, **PROBE_ACCOUNTS}
    first = demo.post("/payment/confirm", body, key=key)
    assert first.status == 200, first
    assert first.body["status"] == "SUCCESS"
    assert first.body["transaction_id"] == payment_id
    assert first.body["amount"] == 12.34
    assert first.body["reference"].startswith("PAY")
    assert demo.post("/payment/confirm", body, key=key).body == first.body
    return payment_id


def test_login_answers_as_documented(url: str) -> None:
    answer = Client(url).post("/auth/login", {"username": "demo", "password": "password123"})
    assert answer.status == 200
    assert answer.body["success"] is True
    assert answer.body["access_token"]
    assert (answer.body["token_type"], answer.body["expires_in"]) == ("Bearer", 3600)


def test_the_ledger_has_it_once(cluster: Cluster, payment: str) -> None:
    rows = cluster.sql(
        NAMESPACE,
        """SELECT e.account_number, e.amount_minor, e.currency FROM accounts.transfers t
            JOIN accounts.entries e ON e.transfer_id = t.id WHERE t.payment_id = :'payment'
            ORDER BY e.amount_minor""",
        payment=payment,
    )
    assert rows == [["ACC001", "-1234", "USD"], ["ACC002", "1234", "USD"]]


def test_the_ledger_sums_to_zero(cluster: Cluster) -> None:
    rows = cluster.sql(NAMESPACE, "SELECT currency, sum(amount_minor) FROM accounts.entries GROUP BY 1")
    assert rows and all(total == "0" for _, total in rows)


def test_every_payment_that_succeeded_left_its_trail(cluster: Cluster, payment: str) -> None:
    """All payments of the platform, not only this one: outbox, Kafka, audit trail."""
    wrong = cluster.sql(
        NAMESPACE,
        """SELECT p.id, count(o.id) FROM payments.payments p
           LEFT JOIN payments.outbox o
             ON o.key = p.id AND o.topic = 'payment-events' AND o.type = 'payment.succeeded'
           WHERE p.status = 'succeeded' GROUP BY 1 HAVING count(o.id) <> 1""",
    )
    assert wrong == []
    rows = cluster.sql(NAMESPACE, "SELECT event_id, key FROM payments.outbox WHERE topic = 'payment-events'")
    events, keys = {row[0] for row in rows}, {row[1] for row in rows}
    assert payment in keys
    audited: set[str] = set()
    deadline = time.monotonic() + 30
    while not events <= audited and time.monotonic() < deadline:
        audited = {row[0] for row in cluster.sql(NAMESPACE, "SELECT event_id FROM audit.events")}
        time.sleep(1)
    assert events - audited == set()
    records = cluster.kubectl(
        *("-n", NAMESPACE, "exec", "kafka-0", "--", "/opt/kafka/bin/kafka-console-consumer.sh"),
        *("--bootstrap-server", "kafka:9092", "--topic", "payment-events", "--from-beginning"),
        *("--timeout-ms", "8000"),
    )
    seen = {json.loads(line)["id"] for line in records.splitlines() if line.startswith("{")}
    assert events - seen == set()
