"""The synthetic payment, at a load balancer that answers what the test says."""

import json
from collections.abc import Mapping
from typing import Any

import pytest

from payments.synthetic.pay import Customer, Entrance, Failed, run

ACCOUNTS = [
    {"account_number": "S-1", "currency": "USD", "balance": {"available": 900}},
    {"account_number": "S-2", "currency": "USD", "balance": {"available": 1100}},
]


class Fake(Entrance):
    """Answers by path; `wrong` are answers that come first, in their order."""

    def __init__(self, wrong: Mapping[str, list[Any]] | None = None) -> None:
        self.seen: list[tuple[str, Mapping[str, str], Any]] = []
        self.wrong = {path: list(answers) for path, answers in (wrong or {}).items()}

    def send(
        self, method: str, path: str, headers: Mapping[str, str], body: Mapping[str, Any] | None
    ) -> tuple[int, Mapping[str, Any]]:
        self.seen.append((f"{method} {path}", headers, body))
        if self.wrong.get(path):
            answer = self.wrong[path].pop(0)
            if isinstance(answer, Exception):
                raise answer
            return answer[0], answer[1]
        good: dict[str, tuple[int, dict[str, Any]]] = {
            "/auth/login": (200, {"access_token": "t"}),
            "/v1/accounts": (200, {"data": ACCOUNTS}),
            "/v1/payments": (201, {"id": "p1"}),
            "/v1/payments/p1/confirm": (200, {"status": "succeeded"}),
            "/auth/logout": (200, {}),
        }
        return good[path]


def visit(entrance: Fake) -> dict[str, Any]:
    return run(Customer(entrance, sleep=lambda _: None), "synthetic", "secret-word")


def test_it_pays_back_from_the_fuller_account_and_is_marked() -> None:
    entrance = Fake()
    told = visit(entrance)
    assert told["ok"] and told["paymentId"] == "p1" and told["latencyMilliseconds"] >= 0
    calls = [call for call, _, _ in entrance.seen]
    assert calls == [
        "POST /auth/login", "GET /v1/accounts", "POST /v1/payments", "POST /v1/payments/p1/confirm",
        "POST /auth/logout",
    ]  # fmt: skip
    body = entrance.seen[2][2]
    assert (body["from_account"], body["to_account"], body["amount"]) == ("S-2", "S-1", 100)
    assert body["metadata"] == {"synthetic": "true"} and body["description"] == "Synthetic payment"
    assert all(headers["Authorization"] == "Bearer t" for _, headers, _ in entrance.seen[1:])


def test_a_blink_is_tried_again_under_the_same_key() -> None:
    busy = (503, {"code": "service_unavailable", "retryable": True})
    entrance = Fake({"/v1/payments/p1/confirm": [OSError("reset"), busy]})
    assert visit(entrance)["ok"]
    keys = [headers["Idempotency-Key"] for call, headers, _ in entrance.seen if call.endswith("confirm")]
    assert len(keys) == 3 and len(set(keys)) == 1


@pytest.mark.parametrize(
    ("path", "answers", "words"),
    [
        ("/auth/login", [(401, {"code": "invalid_credentials", "title": "No"})], "login: 401 invalid_cred"),
        ("/auth/login", [OSError("refused")] * 3, "login: OSError: refused"),
        ("/v1/accounts", [(200, {"data": ACCOUNTS[:1]})], "accounts: the synthetic customer has 1"),
        ("/v1/payments", [(503, {"code": "x", "retryable": True})] * 3, "create: 503 x"),
        ("/v1/payments/p1/confirm", [(200, {"status": "requires_action"})], "requires_action, not succeeded"),
    ],
)
def test_a_failure_names_the_step(path: str, answers: list[Any], words: str) -> None:
    told = visit(Fake({path: answers}))
    assert not told["ok"] and words in told["message"]
    assert "secret-word" not in json.dumps(told)


def test_only_the_certificate_itself_is_trusted() -> None:
    with pytest.raises(OSError):
        Entrance("https://127.0.0.1:1", "/nowhere").send("GET", "/", {}, None)
    with pytest.raises(Failed, match="login: "):
        Customer(Entrance("http://127.0.0.1:1"), sleep=lambda _: None).login("a", "b")
