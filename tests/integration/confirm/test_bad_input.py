"""Whatever is sent, the answer is a problem that names the fault; never a 5xx, never a change."""

import json
import secrets

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.integration.confirm.conftest import System

BODIES = [
    b"",
    b"{",
    b"[]",
    b"null",
    b'"x"',
    b"\xff\xfe",
    b'{"otp": 5}',
    b'{"otp": "\\u0000"}',
    b'{"otp": "\\ud800"}',
    b'{"amount": NaN}',
    b'{"amount": 1e999}',
    b'{"amount": 99999999999999999999999999}',
    b'{"reason": "\\u0000"}',
    b'{"ignored": ' + b"1" * 5000 + b"}",
    b'{"a":' * 2000 + b"1" + b"}" * 2000,
    b'{"transaction_id": "\\u0000", "customer_id": "c", "amount": 1}',
    b'{"transaction_id": "a/b", "customer_id": "c", "amount": 1}',
    b'{"transaction_id": "t", "customer_id": "c", "amount": 1e-30}',
    b'{"transaction_id": "t", "customer_id": "c", "amount": -1}',
    b'{"transaction_id": "t", "customer_id": "c", "amount": 1, "from_account": "\\u0000"}',
    b'{"amount": 1, "currency": "USD", "from_account": "\\u0000", "to_account": "B"}',
    b'{"amount": 1, "currency": "USD", "from_account": "A", "to_account": "B", "metadata": {"\\u0000": "x"}}',
    b'{"amount": 1, "currency": "USD", "from_account": "A", "to_account": "B", "description": "\\ud800"}',
]
PATHS = [
    "/payment/confirm",
    "/v1/payments",
    "/v1/payments/{id}/confirm",
    "/v1/payments/{id}/cancel",
    "/v1/payments/{id}/otp",
    "/v1/payments/{id}/refunds",
    "/v1/payments/%00/confirm",
    "/v1/payments/a%2Fb/cancel",
    "/v1/reviews/{id}/approve",
]


@pytest.mark.parametrize("path", PATHS)
async def test_bad_bodies(system: System, path: str) -> None:
    payer = await system.customer()
    for body in BODIES:
        response = await system.post(path.replace("{id}", "no-such-payment"), body, actor=payer.id)
        assert 400 <= response.status_code < 500, (path, body[:80], response.text)
        assert response.headers["content-type"] == "application/problem+json"
        assert response.json()["code"]


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=10),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)
FIELDS = st.sampled_from(
    [
        "amount",
        "currency",
        "from_account",
        "to_account",
        "to_routing_number",
        "to_name",
        "description",
        "metadata",
    ]
)


async def test_one_wrong_member_is_never_a_server_error(system: System) -> None:
    payer, payee = await system.customer(100), await system.customer()
    good = {"amount": 5, "currency": "USD", "from_account": payer.account, "to_account": payee.account}
    bodies: list[bytes] = []

    @settings(
        max_examples=150,
        database=None,
        derandomize=True,
        suppress_health_check=list(HealthCheck),
        deadline=None,
    )
    @given(FIELDS, JSON)
    def collect(field: str, value: object) -> None:
        bodies.append(json.dumps(good | {field: value}).encode())

    collect()
    for body in bodies:
        response = await system.post("/v1/payments", body, actor=payer.id)
        assert response.status_code in (201, 400, 404, 422), (body, response.text)


@pytest.mark.parametrize("key", ["a\tb", "x" * 256])
async def test_bad_keys(system: System, key: str) -> None:
    payer = await system.customer()
    response = await system.post("/v1/payments/x/cancel", actor=payer.id, key=key)
    assert (response.status_code, response.json()["code"]) == (400, "invalid_idempotency_key")


async def test_a_long_key_and_rich_text_are_taken(system: System) -> None:
    payer, payee = await system.customer(100), await system.customer()
    key = secrets.token_hex(127) + "k"
    payment = await system.create(
        payer, payee, 5, description="Miete für März 🏠", metadata={"注文": "7", "empty": ""}
    )
    assert payment["metadata"] == {"注文": "7", "empty": ""}
    done = await system.confirm(payment, payer, key=key)
    assert (done.status_code, done.json()["description"]) == (200, "Miete für März 🏠")
