"""Fingerprints, and the header that carries the key."""

import json
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.requests import Request

from payments.common.errors import Problem
from payments.confirm.idempotency import fingerprint, read

JSON = st.dictionaries(
    st.text(max_size=8).filter(lambda name: name != "otp"),
    st.none() | st.booleans() | st.integers(-(2**60), 2**60) | st.text(max_size=8),
    max_size=5,
)


def request(key: str | None) -> Request:
    headers = [] if key is None else [(b"idempotency-key", key.encode("latin-1"))]
    return Request(
        {
            "type": "http",
            "method": "POST",
            "path": "/v1/payments",
            "query_string": b"",
            "server": ("confirm-service", 3003),
            "scheme": "http",
            "headers": headers,
        }
    )


def print_of(body: Any, *, method: str = "POST", path: str = "/a", owner: str = "cust") -> bytes:
    return fingerprint(method, path, owner, json.dumps(body).encode())


@given(JSON, st.text(max_size=6))
def test_neither_order_nor_whitespace_nor_the_password_count(body: dict[str, Any], otp: str) -> None:
    turned = dict(reversed(body.items()))
    spaced = json.dumps(turned, indent=2).encode()
    assert print_of(body) == fingerprint("POST", "/a", "cust", spaced)
    assert print_of(body) == print_of(body | {"otp": otp})


@given(JSON, JSON)
def test_another_body_has_another_fingerprint(one: dict[str, Any], other: dict[str, Any]) -> None:
    # Python says True == 1, JSON does not.
    same = json.dumps(one, sort_keys=True) == json.dumps(other, sort_keys=True)
    assert (print_of(one) == print_of(other)) == same


def test_method_path_and_owner_count() -> None:
    prints = {
        print_of({}),
        print_of({}, method="PUT"),
        print_of({}, path="/b"),
        print_of({}, owner="other"),
        fingerprint("POST", "/ac", "ust", b"{}"),
    }
    assert len(prints) == 5


@pytest.mark.parametrize("number", ["1e999", "9" * 400, "0.1000000000000000055511151231257827"])
def test_numbers_of_any_size_count_exactly(number: str) -> None:
    one = fingerprint("POST", "/a", "c", f'{{"amount": {number}}}'.encode())
    other = fingerprint("POST", "/a", "c", f'{{"amount": {number}1}}'.encode())
    assert one != other


def test_no_body_is_an_empty_one() -> None:
    assert fingerprint("POST", "/a", "c", b"") == fingerprint("POST", "/a", "c", b"{}")


def test_broken_json_has_none() -> None:
    with pytest.raises(msgspec.DecodeError):
        fingerprint("POST", "/a", "c", b"{")


@pytest.mark.parametrize("key", [None, "", "   "])
def test_a_key_is_required(key: str | None) -> None:
    with pytest.raises(Problem) as caught:
        read(request(key), "POST /v1/payments", "c", b"{}")
    assert (caught.value.code, caught.value.status) == ("missing_idempotency_key", 400)


@pytest.mark.parametrize("key", ["k" * 256, "a\tb", "ké", "a\x7fb"])
def test_a_malformed_key_is_refused(key: str) -> None:
    with pytest.raises(Problem) as caught:
        read(request(key), "POST /v1/payments", "c", b"{}")
    assert (caught.value.code, caught.value.status) == ("invalid_idempotency_key", 400)


@pytest.mark.parametrize("key", ["k", "k" * 255, '"8e03978e-40d5-43dd"', "with space"])
def test_printable_keys_are_taken(key: str) -> None:
    assert read(request(key), "POST /v1/payments", "c", b"{}").key == key
