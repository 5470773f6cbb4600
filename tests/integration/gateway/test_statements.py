"""Statements through the gateway: the media type that is asked for, the next page, the file's name."""

import httpx
import pytest

from tests.integration.gateway.conftest import Gateway, bearer, login
from tests.support.echo_peer import EchoPeer

PATH = "/v1/accounts/ACC001/statements"


@pytest.fixture(scope="module")
async def token(gateway: Gateway) -> str:
    """An access token of demo."""
    async with gateway.http() as http:
        return str((await login(http))["access_token"])


async def read(gateway: Gateway, token: str, query: str, **headers: str) -> httpx.Response:
    async with gateway.http() as http:
        return await http.get(f"{PATH}{query}", headers=bearer(token) | headers)


async def test_the_asked_for_media_type_is_passed_on_and_back(
    gateway: Gateway, token: str, peer: EchoPeer
) -> None:
    peer.body = b"type,id\r\nOPBD,\r\n"
    peer.headers = {
        "Content-Type": "text/csv; header=present",
        "Content-Disposition": 'attachment; filename="s.csv"',
        "Link": f'<{PATH}?starting_after=42>; rel="next"',
    }
    answer = await read(gateway, token, "?from=2026-01-01&to=2026-01-31&limit=5", Accept="text/csv")
    assert (answer.status_code, answer.content) == (200, peer.body)
    assert peer.last.path == f"{PATH}?from=2026-01-01&to=2026-01-31&limit=5"
    assert peer.last.headers["accept"] == "text/csv"
    for name, value in peer.headers.items():
        assert answer.headers[name].startswith(value)


@pytest.mark.parametrize(
    "query",
    ["?from=x", "?from=2026-13-01", "?to=2026-02-30", "?limit=1001", "?format=pdf", "?first=2026-01-01"],
)
async def test_what_is_no_query_never_reaches_the_ledger(
    gateway: Gateway, token: str, peer: EchoPeer, query: str
) -> None:
    seen = len(peer.seen)
    answer = await read(gateway, token, query)
    assert (answer.status_code, answer.json()["code"]) == (422, "validation_failed")
    assert len(peer.seen) == seen
