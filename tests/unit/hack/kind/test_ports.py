import socket
from collections.abc import Iterator

import pytest

from hack.kind import ports
from hack.kind.proc import Failure


@pytest.fixture
def listener() -> Iterator[socket.socket]:
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        server.listen(1)
        yield server


def test_access_points_of_the_contract() -> None:
    assert ports.mapping(0) == {
        8080: 30080,
        16686: 30686,
        9090: 30909,
        3000: 30300,
        5601: 30561,
        5432: 30432,
        6379: 30379,
    }


def test_offset_moves_the_machines_side_only() -> None:
    assert ports.mapping(10000)[18080] == 30080
    assert set(ports.mapping(10000).values()) == set(ports.mapping(0).values())


def test_offset_beyond_the_last_port_is_refused() -> None:
    with pytest.raises(Failure, match="PORT_OFFSET=50000"):
        ports.mapping(50000)


def test_a_listening_port_is_not_free(listener: socket.socket) -> None:
    port = listener.getsockname()[1]
    assert not ports.is_free(port)
    listener.close()
    assert ports.is_free(port)


def test_taken_port_is_named_with_its_holder(
    listener: socket.socket, monkeypatch: pytest.MonkeyPatch
) -> None:
    port = listener.getsockname()[1]
    monkeypatch.setattr(ports, "ACCESS_POINTS", (ports.AccessPoint("ledger", port, 30001),))
    with pytest.raises(Failure, match=rf"{port} \(ledger\): held by process \d+") as raised:
        ports.require_free(0)
    assert "PORT_OFFSET=" in str(raised.value)


def test_port_of_our_own_cluster_is_fine(listener: socket.socket, monkeypatch: pytest.MonkeyPatch) -> None:
    port = listener.getsockname()[1]
    monkeypatch.setattr(ports, "ACCESS_POINTS", (ports.AccessPoint("ledger", port, 30001),))
    ports.require_free(0, ours={port})


def test_only_listening_sockets_of_that_port_count() -> None:
    table = (
        "sl local_address rem_address st queues timer retransmits uid timeout inode\n"
        "   0: 0100007F:1F90 00000000:0000 0A 0:0 0:0 0 0 0 4711 1 0 100\n"
        "   1: 0100007F:1F90 0100007F:D431 01 0:0 0:0 0 0 0 4712 1 0 100\n"
        "   2: 0100007F:1F91 00000000:0000 0A 0:0 0:0 0 0 0 4713 1 0 100\n"
    )
    assert ports.listening_inodes(table, 8080) == {"4711"}


def test_proposed_offset_is_free(listener: socket.socket, monkeypatch: pytest.MonkeyPatch) -> None:
    port = listener.getsockname()[1]
    monkeypatch.setattr(ports, "ACCESS_POINTS", (ports.AccessPoint("ledger", 1, 30001),))
    monkeypatch.setattr(ports, "is_free", lambda asked: asked not in (10001, port))
    assert ports.free_offset(0) == 15000


def test_no_server_listens_beyond_the_last_port() -> None:
    assert not ports.is_free(65536)
