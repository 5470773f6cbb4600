"""Calls between services: who answers is the peer or nobody."""

from pathlib import Path

import pytest

from payments.common.auth import TokenFile
from payments.common.http import Http, PeerDown
from tests.support.echo_peer import echo_peer


@pytest.fixture
def token_file(tmp_path: Path) -> TokenFile:
    """This service's own token."""
    path = tmp_path / "token"
    path.write_text("a token")
    return TokenFile(path)


async def test_a_peers_answer_is_passed_on_whatever_its_status(token_file: TokenFile) -> None:
    async with echo_peer() as server, Http(token_file) as http:
        server.status, server.body = 503, b'{"code":"service_unavailable"}'
        reply = await http.peer("kyc-service", f"http://127.0.0.1:{server.port}").get("/version")
        assert (reply.status, reply.code()) == (503, "service_unavailable")
        assert server.last.headers["authorization"] == "Bearer a token"


async def test_a_stranger_at_the_peers_address_is_no_answer_and_loses_the_connection(
    token_file: TokenFile,
) -> None:
    async with echo_peer() as server, Http(token_file) as http:
        peer = http.peer("kyc-service", f"http://127.0.0.1:{server.port}")
        server.echo_id = False
        with pytest.raises(PeerDown) as caught:
            await peer.get("/version")
        assert caught.value.sent  # it may have had an effect: whoever moves money has to ask
        server.echo_id = True
        assert (await peer.get("/version")).status == 200
        assert server.connections == 2


async def test_one_connection_serves_many_calls(token_file: TokenFile) -> None:
    async with echo_peer() as server, Http(token_file) as http:
        peer = http.peer("kyc-service", f"http://127.0.0.1:{server.port}")
        for _ in range(5):
            assert (await peer.get("/version")).status == 200
        assert server.connections == 1


async def test_nobody_there_is_known_to_have_had_no_effect(token_file: TokenFile) -> None:
    async with Http(token_file) as http:
        with pytest.raises(PeerDown) as caught:
            await http.peer("kyc-service", "http://127.0.0.1:1").get("/version")
        assert not caught.value.sent
