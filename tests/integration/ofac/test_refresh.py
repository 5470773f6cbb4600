"""Lists taken from a folder or a server on a schedule: a good one comes into force, a bad one never does."""

import asyncio
import hashlib
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import pytest
from aiohttp import web

from hack.dev.identity import Identity
from hack.dev.stack import Stack
from tests.integration.ofac.conftest import Instances, Invented, invented, load
from tests.support.internal_calls import Calls, Pool, eventually

Files = dict[str, bytes]


@pytest.fixture
async def loaded(ofac: Calls, stack: Stack, tmp_path: Path, sample_again: None) -> Invented:
    """A list of 300 entries that is in force."""
    del ofac, sample_again
    made = invented(tmp_path, seed=7, size=300)
    done = load(stack, made.folder)
    assert done.returncode == 0, done.stderr
    return made


async def active(database: Pool) -> str:
    return str(await database.fetchval("SELECT hash FROM ofac.list_versions WHERE active"))


async def outcome_after(database: Pool, number: int) -> tuple[str, str]:
    """The outcome and detail of the first refresh that began after that one."""
    found = """
    SELECT outcome, detail FROM ofac.refreshes WHERE id > $1 AND outcome IS NOT NULL ORDER BY id LIMIT 1"""

    async def done() -> bool:
        return await database.fetchrow(found, number) is not None

    await eventually("a refresh", done)
    row = await database.fetchrow(found, number)
    assert row is not None
    return row["outcome"], row["detail"]


async def latest(database: Pool) -> int:
    return int(await database.fetchval("SELECT coalesce(max(id), 0) FROM ofac.refreshes"))


def without_half(files: Files) -> Files:
    lines = files["sdn.csv"].splitlines(keepends=True)
    kept = lines[: len(lines) // 2]
    numbers = {line.split(b",")[0] for line in kept}
    return {
        name: b"".join(line for line in content.splitlines(keepends=True) if line.split(b",")[0] in numbers)
        for name, content in files.items()
    }


BROKEN: dict[str, tuple[Callable[[Files], Files], str]] = {
    "truncated": (lambda files: {"sdn.csv": files["sdn.csv"][:-40]}, "cut short"),
    "truncated at a line": (without_half, "entries, the one in force"),
    "no aliases": (lambda _: {"alt.csv": b"\x1a"}, "names, the one in force"),
    "a column more": (
        lambda files: {"sdn.csv": files["sdn.csv"].replace(b"-0- \r\n", b"-0- ,-0- \r\n", 1)}, "12 columns"
    ),
    "a page of the server": (lambda _: {"sdn.csv": b"<html>maintenance</html>\n"}, "12 columns"),
    "empty": (lambda _: {"sdn.csv": b""}, "no entries"),
    "files of two lists": (
        lambda _: {"alt.csv": b'999999,1,"aka","NOBODY, No",-0- \r\n\x1a'}, "not of the same list"
    ),
    "another checksum": (lambda _: {"SHA256SUMS": b"0" * 64 + b"  sdn.csv\n"}, "SHA-256 differs"),
}  # fmt: skip


async def test_a_folder_is_followed_and_no_broken_list_comes_into_force(
    loaded: Invented, instances: Instances, database: Pool, ofac: Calls
) -> None:
    good, before = loaded.files(), await active(database)
    await instances.start(SANCTIONS_SOURCE=str(loaded.folder), SANCTIONS_REFRESH_SECONDS="0.2")
    assert (await outcome_after(database, 0))[0] == "unchanged"
    for what, (spoil, said) in BROKEN.items():
        number = await latest(database)
        loaded.write({**good, **spoil(good)})
        outcome, detail = await outcome_after(database, number + 1)
        assert (outcome, said in detail) == ("failed", True), (what, detail)
        assert await active(database) == before, what
        assert (await ofac.answer("/check-sanctions", {"name": "Ann Lee"}))["decision"] == "clear"
        (loaded.folder / "SHA256SUMS").unlink(missing_ok=True)
    newer = good["sdn.csv"].replace(b"\x1a", b"") + (
        b'990001,"ROEVANDER, Quillon","individual","ALPHA",-0- ,-0- ,-0- ,-0- ,-0- ,-0- ,-0- ,-0- \r\n\x1a'
    )
    sums = {**good, "sdn.csv": newer}
    text = "".join(f"{hashlib.sha256(content).hexdigest()}  {name}\n" for name, content in sums.items())
    number = await latest(database)
    loaded.write({**sums, "SHA256SUMS": text.encode()})

    async def in_force() -> bool:
        found = await ofac.answer("/check-sanctions", {"name": "Quillon Roevander"})
        return bool(found["decision"] == "match")

    await eventually("the new list", in_force)
    row = await database.fetchrow(
        "SELECT source, entries, bytes, loaded_by FROM ofac.list_versions WHERE active"
    )
    assert row is not None
    size = sum(map(len, sums.values())) + len(text)
    assert tuple(row) == (str(loaded.folder), 301, size, "refresh")


@dataclass
class Server:
    """Serves files; misbehaves when told to."""

    files: Files
    asked: list[str] = field(default_factory=list)
    misbehave: Callable[[web.Request], Awaitable[web.StreamResponse]] | None = None
    url: str = ""

    async def answer(self, request: web.Request) -> web.StreamResponse:
        self.asked.append(request.path)
        if self.misbehave is not None:
            return await self.misbehave(request)
        content = self.files.get(request.path.rpartition("/")[2])
        return web.Response(status=404) if content is None else web.Response(body=content)


@pytest.fixture
async def server(loaded: Invented) -> AsyncIterator[Server]:
    """A server of the list that is in force."""
    made = Server(loaded.files())
    app = web.Application()
    app.router.add_get("/{path:.*}", made.answer)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    made.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    yield made
    await runner.cleanup()


async def elsewhere(request: web.Request) -> web.StreamResponse:
    raise web.HTTPFound(f"http://localhost:{request.url.port}{request.path}")


async def round_and_round(request: web.Request) -> web.StreamResponse:
    raise web.HTTPFound(request.path)


async def failing(_: web.Request) -> web.StreamResponse:
    return web.Response(status=500)


async def missing(_: web.Request) -> web.StreamResponse:
    return web.Response(status=404)


async def slow(_: web.Request) -> web.StreamResponse:
    await asyncio.sleep(5)
    return web.Response(body=b"late")


async def cut(request: web.Request) -> web.StreamResponse:
    response = web.StreamResponse(headers={"Content-Length": "1000"})
    await response.prepare(request)
    await response.write(b"900001,")
    assert request.transport is not None
    request.transport.close()
    return response


async def test_a_server_is_followed_and_does_not_lead_elsewhere(
    server: Server, instances: Instances, database: Pool
) -> None:
    before = await active(database)
    await instances.start(
        SANCTIONS_SOURCE=f"{server.url}/sdn", SANCTIONS_REFRESH_SECONDS="0.2", SANCTIONS_TIMEOUT_SECONDS="1"
    )
    assert (await outcome_after(database, 0))[0] == "unchanged"
    assert {"/sdn/sdn.csv", "/sdn/alt.csv", "/sdn/add.csv", "/sdn/sdn_comments.csv"} <= set(server.asked)
    said = {
        elsewhere: "redirects to another one",
        round_and_round: "without end",
        failing: "answered 500",
        missing: "has no sdn.csv",
        slow: "did not answer",
        cut: "did not answer",
    }
    for misbehave, text in said.items():
        server.misbehave = misbehave
        outcome, detail = await outcome_after(database, await latest(database) + 1)
        assert (outcome, text in detail) == ("failed", True), detail
        assert await active(database) == before
    server.misbehave = None
    server.files["sdn.csv"] = server.files["sdn.csv"].replace(b"INVENTED-1", b"INVENTED-9")

    async def in_force() -> bool:
        return await active(database) != before

    await eventually("the new list", in_force)


async def test_an_old_list_is_seen(
    instances: Instances, ofac: Calls, identity: Identity, client: httpx.AsyncClient
) -> None:
    fresh = (await ofac.get("/version")).json()["list"]
    assert fresh["stale"] is False
    assert len(fresh["hash"]) == 64
    shown = await ofac.get("/v1/screening/list", caller="api-gateway", actor="operator")
    assert {"source", "entries", "bytes", "loaded_at", "confirmed_at"} <= set(shown.json())

    url = await instances.start(SANCTIONS_STALE_DAYS="0.000001")
    headers = {"Authorization": f"Bearer {identity.token('risk-service')}"}
    assert (await client.get(f"{url}/version", headers=headers)).json()["list"]["stale"] is True
    health = (await client.get(f"{url}/health")).json()
    assert health["dependencies"]["sanctions_list"] == "unhealthy"
    assert health["status"] == "healthy"
    metrics = (await client.get(f"{url}/metrics")).text
    assert "payments_sanctions_list_stale 1.0" in metrics
