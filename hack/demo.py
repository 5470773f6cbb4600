"""make demo: payments told step by step on the running cluster, the ledger before and after.

Every check is made by the platform's own answers; the demo ends with 1 at the first that is not as told.
It pays back what it paid, so it can be run again and again.
"""

from __future__ import annotations

import argparse
import json
import time
import urllib.parse
import uuid
from typing import Any

from hack.client import Answer, Client, wait_until_up
from hack.command import exit_with
from hack.kubectl import Cluster
from hack.up import NAMESPACE

PASSWORD = "password123"  # noqa: S105  the dev profile's
PHONES = {"cust_001": "+1234567890", "cust_002": "+1234567891"}


class Demo:
    """The story. `cluster` is only needed to read the sandbox's SMS and the ledger."""

    def __init__(self, cluster: Cluster, url: str, namespace: str) -> None:
        self._cluster = cluster
        self._namespace = namespace
        self._url = url
        self._step = 0
        self.customer = self._login("demo")
        self._known = {message["id"] for phone in PHONES for message in self._passwords_sent(phone)}

    def tell(self) -> None:
        """All of it. Raises RuntimeError at the first answer that is not as told."""
        before = self.ledger("The ledger before")
        self.low_risk()
        self.high_risk()
        self.insufficient_funds()
        self.sanctioned()
        after = self.ledger("The ledger after: every payment was paid back")
        if before != after:
            raise RuntimeError("the balances before and after differ")

    def low_risk(self) -> None:
        self._title("A payment of 50.00 USD, low risk: confirmed at once")
        payment = self._create(self.customer, 50_00, "ACC001", "ACC002")
        key = str(uuid.uuid4())
        path = f"/v1/payments/{payment['id']}/confirm"
        first = self._expect(self.customer.post(path, key=key), 200, status="succeeded")
        self._line(
            f"risk {first['risk']['level']} ({first['risk']['score']}), reference {first['reference']}"
        )
        self._title(
            "The same request with the same Idempotency-Key: the same answer, nothing is posted again"
        )
        again = self._expect(self.customer.post(path, key=key), 200, status="succeeded")
        if again != first:
            raise RuntimeError(f"the replay differs: {again}")
        posted = self._cluster.sql(
            self._namespace,
            "SELECT count(*) FROM accounts.transfers WHERE kind = 'payment' AND payment_id = :'payment'",
            payment=payment["id"],
        )
        self._line(f"transfers in the ledger for this payment: {posted[0][0]}")
        if posted != [["1"]]:
            raise RuntimeError("the payment is not in the ledger exactly once")
        self._refund(payment["id"], 20_00, "a part of it")
        self._refund(payment["id"], None, "the rest")

    def high_risk(self) -> None:
        self._title("A payment of 12,000.00 USD, high risk: a one-time password is asked for")
        payment = self._create(self.customer, 12_000_00, "ACC001", "ACC003")
        key = str(uuid.uuid4())
        path = f"/v1/payments/{payment['id']}/confirm"
        asked = self._expect(self.customer.post(path, key=key), 200, status="requires_action")
        self._line(f"next action: {json.dumps(asked['next_action'])}")
        code = self._one_time_password("cust_001")
        wrong = f"{(int(code) + 1) % 1_000_000:06d}"
        self._title("A wrong code is refused")
        self._expect(self.customer.post(path, {"otp": wrong}, key=key), 422, code="otp_invalid")
        self._title("The right one is accepted")
        done = self._expect(self.customer.post(path, {"otp": code}, key=key), 200, status="succeeded")
        self._line(f"risk {done['risk']['level']}: {', '.join(done['risk']['reasons'])}")
        self._refund(payment["id"], None, "all of it")

    def insufficient_funds(self) -> None:
        self._title("More than the account holds: refused, nothing is moved")
        other = self._login("demo2")
        balance = self._expect(other.get("/v1/accounts/ACC002"), 200)["balance"]
        payment = self._create(other, balance["available"] + 1_00, "ACC002", "ACC001")
        path = f"/v1/payments/{payment['id']}/confirm"
        key = str(uuid.uuid4())
        answer = other.post(path, key=key)
        if answer.body.get("status") == "requires_action":  # many payments in a day raise the risk
            answer = other.post(path, {"otp": self._one_time_password("cust_002")}, key=key)
        self._expect(answer, 402, code="insufficient_funds")
        self._expect(other.post(f"/v1/payments/{payment['id']}/cancel"), 200, status="canceled")

    def sanctioned(self) -> None:
        self._title("A customer on the sanctions list: refused, without a word why")
        blocked = self._login("blocked")
        payment = self._create(blocked, 10_00, "ACC005", "ACC001")
        answer = blocked.post(f"/v1/payments/{payment['id']}/confirm")
        refused = self._expect(answer, 403, code="payment_refused")
        self._line(refused["detail"])

    def ledger(self, title: str) -> list[list[str]]:
        """Balances of the demo's accounts, straight from the ledger's entries."""
        self._title(title)
        rows = self._cluster.sql(
            self._namespace,
            """SELECT account_number, currency, to_char(sum(amount_minor) / 100.0, 'FM999,999,990.00')
               FROM accounts.entries WHERE account_number LIKE 'ACC00%' GROUP BY 1, 2 ORDER BY 1, 2""",
        )
        for account, currency, balance in rows:
            self._line(f"{account}  {balance:>12} {currency}")
        ((total,),) = self._cluster.sql(self._namespace, "SELECT sum(amount_minor) FROM accounts.entries")
        self._line(f"sum of all entries, internal accounts included: {total}")
        if total != "0":
            raise RuntimeError("the ledger does not sum to zero")
        return rows

    def _login(self, username: str) -> Client:
        client = Client(self._url)
        client.login(username, PASSWORD)
        return client

    def _create(self, client: Client, amount: int, payer: str, payee: str) -> dict[str, Any]:
        body = {"amount": amount, "currency": "USD", "from_account": payer, "to_account": payee}
        return self._expect(client.post("/v1/payments", body), 201, status="requires_confirmation")

    def _refund(self, payment: str, amount: int | None, words: str) -> None:
        self._title(f"A refund: {words}")
        body = {} if amount is None else {"amount": amount}
        refund = self._expect(
            self.customer.post(f"/v1/payments/{payment}/refunds", body), 201, status="succeeded"
        )
        self._line(f"{refund['amount'] / 100:.2f} {refund['currency']} paid back")

    def _one_time_password(self, customer: str) -> str:
        """The code that the sandbox "sent" to the customer's phone since this program began."""
        deadline = time.monotonic() + 10
        while time.monotonic() < deadline:
            for message in self._passwords_sent(customer):
                if message["id"] not in self._known:
                    self._known.add(message["id"])
                    self._line(f"SMS to {PHONES[customer]}: {message['body']}")
                    return str(message["body"].split()[0])
            time.sleep(0.5)
        raise RuntimeError("no SMS with a code was sent")

    def _passwords_sent(self, customer: str) -> list[dict[str, str]]:
        """Messages with one-time passwords, newest first."""
        query = urllib.parse.urlencode({"to": PHONES[customer], "limit": 100})
        program = (
            "import urllib.request as u;"
            f"print(u.urlopen('http://127.0.0.1:3005/sandbox/messages?{query}', timeout=5).read().decode())"
        )
        output = self._cluster.kubectl(
            *("-n", self._namespace, "exec", "deploy/notification-service", "--", "python3", "-c", program)
        )
        messages: list[dict[str, str]] = json.loads(output)["messages"]
        return [message for message in messages if message["type"] == "OTP_REQUIRED"]

    def _expect(self, answer: Answer, http: int, **members: str) -> dict[str, Any]:
        shown = {name: answer.body.get(name) for name in ("status", "code", "id") if name in answer.body}
        self._line(f"HTTP {answer.status} {json.dumps(shown)}")
        wrong = {name: value for name, value in members.items() if answer.body.get(name) != value}
        if answer.status != http or wrong:
            raise RuntimeError(f"expected HTTP {http} {members}, got {answer.status} {answer.body}")
        return answer.body

    def _title(self, text: str) -> None:
        self._step += 1
        print(f"\n{self._step}. {text}")

    def _line(self, text: str) -> None:
        print(f"   {text}", flush=True)


def main() -> int:
    """Tell the story; 0 when everything was as told."""
    parser = argparse.ArgumentParser(prog="make demo", description=__doc__)
    parser.add_argument("--namespace", default=NAMESPACE, help=f"namespace of the platform ({NAMESPACE})")
    parser.add_argument("--url", help="address of the load balancer (the sample's on localhost)")
    arguments = parser.parse_args()
    cluster = Cluster.from_environment()
    url = arguments.url or f"http://localhost:{8080 + (cluster.settings.port_offset or 0)}"
    wait_until_up(Client(url), 10)
    Demo(cluster, url, arguments.namespace).tell()
    print("\nAll as told.")
    return 0


if __name__ == "__main__":
    exit_with(main)
