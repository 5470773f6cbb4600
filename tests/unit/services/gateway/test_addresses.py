"""Whose address counts."""

import pytest
from starlette.types import Scope

from payments.gateway.addresses import Addresses

TOKEN = "load-balancer-token"


def scope(peer: str | None = "10.0.0.9", **headers: str) -> Scope:
    pairs = [(name.replace("_", "-").encode(), value.encode("latin-1")) for name, value in headers.items()]
    return {"type": "http", "client": None if peer is None else (peer, 1), "headers": pairs}


@pytest.mark.parametrize(
    ("token", "given", "trusted"),
    [
        (TOKEN, TOKEN, True),
        (TOKEN, TOKEN + "x", False),
        (TOKEN, "", False),
        (TOKEN, "\xff", False),
        ("", "", False),
        ("", "anything", False),
    ],
)
def test_the_load_balancer_proves_itself(token: str, given: str, trusted: bool) -> None:
    assert Addresses(token).trusted(scope(x_load_balancer_token=given)) is trusted
    assert Addresses(token).trusted(scope()) is False


@pytest.mark.parametrize(
    ("forwarded", "client"),
    [
        ("203.0.113.7", "203.0.113.7"),
        ("1.2.3.4, 203.0.113.7", "203.0.113.7"),
        ("1.2.3.4,203.0.113.7 ", "203.0.113.7"),
        ("2001:db8::1", "2001:db8::/64"),
        ("2001:db8:0:0:ffff::1", "2001:db8::/64"),
        ("::ffff:203.0.113.7", "203.0.113.7"),
        ("", "10.0.0.9"),
        ("unknown", "10.0.0.9"),
        ("203.0.113.7, garbage", "10.0.0.9"),
        ("203.0.113.7:8080", "10.0.0.9"),
        ("gateway:rate:*", "10.0.0.9"),
    ],
)
def test_the_last_forwarded_address_counts(forwarded: str, client: str) -> None:
    addresses = Addresses(TOKEN)
    assert addresses.client(scope(x_forwarded_for=forwarded), trusted=True) == client
    assert addresses.client(scope(x_forwarded_for=forwarded), trusted=False) == "10.0.0.9"


def test_a_client_without_address_shares_one_window() -> None:
    assert Addresses(TOKEN).client(scope(peer=None), trusted=False) == ""
