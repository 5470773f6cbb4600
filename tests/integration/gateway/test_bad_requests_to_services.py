"""The bad requests of the table that only the services behind can refuse, through the whole stack."""

import asyncio

import pytest

from hack.dev.stack import Stack
from tests.support.bad_requests import BAD_REQUESTS, BadRequest
from tests.support.raw_http import send

CASES = [case for case in BAD_REQUESTS if case.needs_services]
USERS = {"customer": "demo", "other": "demo2", "operator": "operator", "auditor": "auditor"}


@pytest.fixture(scope="module")
async def tokens(running: Stack) -> dict[str, str]:
    """An access token for each name that these cases use."""
    return {name: await login(running.url("api-gateway"), user) for name, user in USERS.items()}


async def login(url: str, user: str) -> str:
    body = b'{"username": "%s", "password": "password123"}' % user.encode()
    headers = {"Content-Type": "application/json"}
    answer = await asyncio.to_thread(send, url, "POST", "/auth/login", headers=headers, body=body)
    assert answer.status == 200, answer.body
    return str(answer.json()["access_token"])


@pytest.mark.parametrize("case", CASES, ids=[case.name for case in CASES])
async def test_bad_request(case: BadRequest, running: Stack, tokens: dict[str, str]) -> None:
    headers = dict(case.headers)
    if case.token is not None:
        headers["Authorization"] = f"Bearer {tokens[case.token]}"
    url = running.url("api-gateway")
    answer = await asyncio.to_thread(send, url, case.method, case.path, headers=headers, body=case.body)
    assert answer.status == case.status, answer.body[:500]
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["code"] == case.code, answer.body
