"""What the gateway shows inside the cluster alone."""

import pytest
from starlette.types import Message, Receive, Scope, Send

from payments.common.errors import Problem
from payments.gateway.gate import InsideOnly


async def receive() -> Message:
    return {"type": "http.request"}


async def send(_: Message) -> None:
    return None


@pytest.mark.parametrize(
    ("path", "trusted", "shown"), [("/metrics", True, False), ("/metrics", False, True), ("/v1", True, True)]
)
async def test_not_through_the_load_balancer(path: str, trusted: bool, shown: bool) -> None:
    seen: list[str] = []

    async def app(scope: Scope, _receive: Receive, _send: Send) -> None:
        seen.append(scope["path"])

    gate = InsideOnly(app, paths=frozenset({"/metrics"}))
    scope = {"type": "http", "path": path, "trusted": trusted}
    if shown:
        await gate(scope, receive, send)
        assert seen == [path]
    else:
        with pytest.raises(Problem, match="not_found"):
            await gate(scope, receive, send)
        assert seen == []
