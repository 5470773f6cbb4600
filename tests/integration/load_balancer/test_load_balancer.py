"""What the load balancer passes on, what it answers by itself, and how it stops."""

import http.client
import json
import socket
import subprocess
import threading

import httpx
import pytest

from payments.common.errors import KINDS
from tests.integration.load_balancer.container import NAME, TOKEN, Gateway, LoadBalancer, logs

MEMBERS = {
    "type", "title", "status", "detail", "instance", "code", "error", "errors", "retryable", "request_id",
}  # fmt: skip


def raw(port: int, request: bytes) -> tuple[int, dict[str, str], str]:
    """Status, headers (lower case) and body of the answer to exactly these bytes."""
    with socket.create_connection(("127.0.0.1", port), timeout=10) as connection:
        connection.sendall(request)
        answer = http.client.HTTPResponse(connection)
        answer.begin()
        headers = {name.lower(): value for name, value in answer.getheaders()}
        return answer.status, headers, answer.read().decode()


def assert_problem(status: int, headers: dict[str, str], body: str) -> dict[str, object]:
    assert headers["content-type"] == "application/problem+json"
    problem: dict[str, object] = json.loads(body)
    assert set(problem) == MEMBERS
    assert problem["status"] == status
    assert problem["type"] == f"urn:paymentplatform:problem:{problem['code']}"
    assert problem["error"] == str(problem["code"]).upper()
    if problem["code"] in KINDS and status != 502:
        kind = KINDS[str(problem["code"])]
        assert (kind.status, kind.title, kind.retryable) == (status, problem["title"], problem["retryable"])
    assert problem["request_id"] == headers["x-request-id"]
    return problem


def test_without_a_gateway_it_runs_and_says_so(load_balancer: LoadBalancer) -> None:
    answer = httpx.post(f"{load_balancer.url}/v1/payments?secret=1", json={}, timeout=10)
    problem = assert_problem(502, dict(answer.headers), answer.text)
    assert answer.status_code == 502
    assert (problem["code"], problem["error"]) == ("service_unavailable", "SERVICE_UNAVAILABLE")
    assert (problem["retryable"], problem["instance"]) == (True, "/v1/payments")
    assert answer.headers["retry-after"] == "1"


def test_headers_that_the_gateway_believes_are_the_load_balancers_own(gateway: LoadBalancer) -> None:
    forged = {
        "X-Forwarded-For": "203.0.113.9", "X-Real-IP": "203.0.113.9", "X-Load-Balancer-Token": "forged",
        "X-Actor-Token": "forged", "X-Deadline": "1", "Forwarded": "for=203.0.113.9",
        "Authorization": "Bearer the-customers", "Idempotency-Key": "k-1", "X-Request-Id": "mine-1",
    }  # fmt: skip
    answer = httpx.post(f"{gateway.url}/v1/payments?a=b", headers=forged, content=b"{}", timeout=10)
    seen = {name.lower(): value for name, value in answer.json()["headers"].items()}
    assert answer.json()["path"] == "/v1/payments?a=b"
    assert seen["x-forwarded-for"] == seen["x-real-ip"] == "127.0.0.1"
    assert seen["x-load-balancer-token"] == TOKEN
    assert not {"x-actor-token", "x-deadline", "forwarded"} & set(seen)
    assert (seen["authorization"], seen["idempotency-key"]) == ("Bearer the-customers", "k-1")
    assert seen["x-request-id"] == "mine-1"


@pytest.mark.parametrize("path", ["/metrics", "//metrics", "/%6detrics", "/x/../metrics", "/metrics?a=b"])
def test_metrics_are_not_for_the_outside(gateway: LoadBalancer, path: str) -> None:
    request = f"GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n".encode()
    status, headers, body = raw(gateway.port, request)
    assert status == 404
    assert_problem(404, headers, body)


@pytest.mark.parametrize("bad", ["", "a b", 'x"y', "x" * 200])
def test_a_request_id_is_made_when_there_is_none_to_trust(gateway: LoadBalancer, bad: str) -> None:
    answer = httpx.get(f"{gateway.url}/x", headers={"X-Request-Id": bad}, timeout=10)
    made = {name.lower(): value for name, value in answer.json()["headers"].items()}["x-request-id"]
    assert len(made) == 32 and int(made, 16) >= 0


def test_answers_of_the_gateway_pass_unchanged(gateway: LoadBalancer) -> None:
    answer = httpx.get(f"{gateway.url}/missing", timeout=10)
    assert answer.status_code == 404 and answer.json()["path"] == "/missing"
    body = b"x" * (9 * 1024 * 1024)
    assert httpx.post(f"{gateway.url}/big", content=body, timeout=30).json()["bytes"] == len(body)


def test_a_body_over_ten_megabytes(gateway: LoadBalancer) -> None:
    head = b"POST /v1/payments HTTP/1.1\r\nHost: x\r\nContent-Length: 10485761\r\nConnection: close\r\n\r\n"
    status, headers, body = raw(gateway.port, head)
    assert status == 413
    assert assert_problem(413, headers, body)["code"] == "payload_too_large"


@pytest.mark.parametrize(
    ("request_bytes", "status"),
    [
        (b"GARBAGE\r\n\r\n", 400),
        (b"GET /x HTTP/1.1\r\nConnection: close\r\n\r\n", 400),
        (b"GET /x HTTP/1.1\r\nHost: x\r\nX: " + b"a" * 70_000 + b"\r\n\r\n", 400),
        (b"GET /" + b"a" * 70_000 + b" HTTP/1.1\r\nHost: x\r\n\r\n", 414),
        (b"TRACE /x HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", 405),
        (b"GET /.problem HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", 404),
        (b'POST /a"b\\ HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999\r\nConnection: close\r\n\r\n', 413),
    ],
    ids=["garbage", "no host", "long header", "long path", "method", "its own page", "path that breaks JSON"],
)
def test_whatever_nginx_refuses_is_a_problem(
    gateway: LoadBalancer, request_bytes: bytes, status: int
) -> None:
    found, headers, body = raw(gateway.port, request_bytes)
    assert found == status
    assert_problem(status, headers, body)


def test_a_request_with_an_effect_is_never_sent_twice(gateway: LoadBalancer) -> None:
    Gateway.cut = 0
    with httpx.Client(base_url=gateway.url, timeout=10) as client:
        assert client.get("/warm").status_code == 200  # a kept connection, which nginx would retry
        assert client.post("/cut", json={}).status_code == 502
    assert Gateway.cut == 1


def test_one_log_line_for_each_request_without_its_secrets(gateway: LoadBalancer) -> None:
    headers = {"X-Request-Id": "look-for-me", "Authorization": "Bearer canary-1"}
    httpx.post(f"{gateway.url}/v1/payments?otp=canary-2", headers=headers, content=b"canary-3", timeout=10)
    lines = [line for line in logs() if "look-for-me" in line]
    (entry,) = [json.loads(line) for line in lines]
    assert (entry["method"], entry["path"], entry["status"]) == ("POST", "/v1/payments", 200)
    payment = "/v1/payments/01a208de-e83e-7507-8132-ed63e4830978/confirm"
    paths = {
        "/v1/accounts/canary-4": "/v1/accounts/{number}",
        "/v1/accounts/canary-5/entries?after=canary-6": "/v1/accounts/{number}/entries",
        "/v1/accounts/canary/entries": "/v1/accounts/{number}/entries",
        "/v1/accounts/canary-7/canary-8": "-",
        "/v1//accounts/canary-9": "-",
        "/canary-10": "-",
        "/canary": "-",
        "/v1/payments/canary-11": "/v1/payments/{id}",
        "/v1/payments/canary-12/refunds": "/v1/payments/{id}/refunds",
        "/v1/payments/4111222233334444": "/v1/payments/{id}",
        payment: payment,
        "/v1/screening/rescreenings/12/customers": "/v1/screening/rescreenings/12/customers",
        "/auth/login": "/auth/login",
        "/openapi.json": "/openapi.json",
    }
    for path in paths:
        httpx.get(f"{gateway.url}{path}", headers={"X-Request-Id": "account-number"}, timeout=10)
    shown = [json.loads(line)["path"] for line in logs() if "account-number" in line]
    assert shown == list(paths.values())
    assert not [line for line in logs() if "canary" in line or TOKEN in line]


def test_it_ends_what_it_began(gateway: LoadBalancer) -> None:
    """Last: the container is gone afterwards."""
    answers: list[int] = []
    request = threading.Thread(
        target=lambda: answers.append(httpx.get(f"{gateway.url}/slow", timeout=20).status_code)
    )
    stop = ["docker", "exec", NAME, "/bin/sh", "/etc/payment-platform/nginx/stop.sh"]
    stopping = subprocess.Popen(stop, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    request.start()
    request.join(timeout=20)
    stopping.wait(timeout=30)
    assert answers == [200]
    state = ["docker", "wait", NAME]
    assert subprocess.run(state, capture_output=True, text=True, timeout=30, check=True).stdout.strip() == "0"
