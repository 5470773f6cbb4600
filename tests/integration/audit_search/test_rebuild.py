"""The index is compared with the trail, and made anew from it while everything goes on."""

import asyncio
import json
import subprocess
from typing import Any

import pytest

from hack.dev.catalog import python
from payments.audit.__main__ import main
from tests.integration.audit_search.payers import Payers
from tests.integration.audit_search.replicas import Replicas
from tests.integration.audit_search.search import Search, same_as_the_trail, trail_stands_still
from tests.support.internal_calls import Pool


class Commands:
    """The command in a pod's environment: exit code and result. A process would take seconds to start."""

    def __init__(
        self, replicas: Replicas, monkeypatch: pytest.MonkeyPatch, output: pytest.CaptureFixture[str]
    ) -> None:
        self._environment = replicas.variables()
        self._monkeypatch = monkeypatch
        self._output = output

    async def __call__(self, *words: str, **variables: str) -> tuple[int, dict[str, Any]]:
        for name, value in (self._environment | variables).items():
            self._monkeypatch.setenv(name, value)
        self._output.readouterr()
        code = await asyncio.to_thread(main, list(words))
        text = self._output.readouterr()
        return code, json.loads(text.out) if text.out else {"error": text.err}


@pytest.fixture
def command(
    replicas: Replicas, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Commands:
    """Runs the command."""
    return Commands(replicas, monkeypatch, capsys)


async def damage(search: Search) -> set[tuple[str, str]]:
    """Spoil the index in every way there is; (kind, id) of each."""
    hits = await search.hits()
    gone, other, double = hits[3], hits[len(hits) // 2], hits[-1]
    await search.ask("DELETE", f"/{gone['_index']}/_doc/{gone['_id']}")
    changed = other["_source"] | {"payload": other["_source"]["payload"] + " "}
    await search.ask("PUT", f"/{other['_index']}/_doc/{other['_id']}", changed)
    await search.ask("PUT", f"/payment-audit-2025.01.01/_doc/{double['_id']}", double["_source"])
    await search.ask("PUT", "/payment-audit-2025.01.01/_doc/nobody", {"seq": 7, "type": "x"})
    await search.ask("PUT", "/payment-audit-2025.01.01/_doc/nothing?refresh=true", {})
    return {
        ("missing", gone["_id"]),
        ("different", other["_id"]),
        ("twice", double["_id"]),
        ("unknown", "nobody"),
        ("unknown", "nothing"),
    }


async def test_what_differs_is_named_and_a_rebuild_mends_it_before_the_readers_eyes(
    command: Commands, payers: Payers, search: Search, database: Pool
) -> None:
    await asyncio.gather(*(payers.pay(number) for number in range(10)))
    await trail_stands_still(database)
    await search.caught_up(database)
    code, report = await command("search", "verify")
    assert (code, report["equal"], report["differences"]) == (0, True, [])
    assert report["rows"] == report["documents"] == await database.fetchval("SELECT seq FROM audit.head")

    damages = await damage(search)
    code, report = await command("search", "verify")
    # Of two documents of one row, either may be met first; the one in the wrong place differs.
    found = {(each["kind"], each["event_id"]) for each in report["differences"]}
    (double,) = (id_ for kind, id_ in damages if kind == "twice")
    assert code == 1 and found - {("different", double)} == damages
    # What an interrupted rebuild leaves is seen by nobody.
    left = "audit-trail-1-2026.01.31"
    await search.ask("PUT", f"/{left}/_doc/left?refresh=true", {"seq": 1})
    before = await search.ask("GET", "/_all/_alias")
    code, preview = await command("search", "rebuild", "--dry-run")
    assert code == 0 and await search.ask("GET", "/_all/_alias") == before

    known = await search.count() - len(damages)
    seen: list[int] = []
    enough = asyncio.Event()

    async def keep_reading() -> None:
        while not enough.is_set():
            seen.append(await search.count())
            await asyncio.sleep(0.02)

    async with asyncio.TaskGroup() as group:
        group.create_task(payers.keep_paying(enough))
        group.create_task(keep_reading())
        try:
            code, result = await command("search", "rebuild")
            await asyncio.sleep(1)
        finally:
            enough.set()
    assert code == 0 and result["documents"] >= preview["documents"] > 0, result
    assert min(seen) >= known and len(seen) > 10
    indices = await search.ask("GET", "/_all/_alias")
    assert left not in indices
    built = {
        name: list(entry["aliases"]) for name, entry in indices.items() if name.startswith("audit-trail-")
    }
    assert len(built) == result["indices"] and all(len(aliases) == 1 for aliases in built.values())
    await trail_stands_still(database)
    await search.caught_up(database)
    entries = await same_as_the_trail(search, database)
    code, report = await command("search", "verify")
    assert (code, report["equal"], report["rows"]) == (0, True, entries)
    print(f"{len(damages)} damages, {result}, {len(seen)} looks, at least {min(seen)} documents")  # noqa: T201

    # And over an index that was rebuilt.
    code, result = await command("search", "rebuild")
    assert (code, result["documents"], result["removed"]) == (0, entries, len(built)), result
    await payers.pay(1)
    await trail_stands_still(database)
    await search.caught_up(database)
    await same_as_the_trail(search, database)


async def test_a_copy_that_is_off_or_away_is_told(command: Commands, replicas: Replicas) -> None:
    assert (await command("search", "verify", SEARCH_URL=""))[0] == 2
    assert (await command("search", "verify", SEARCH_URL="http://127.0.0.1:9"))[0] == 3
    assert (await command("points", "rewrite", "--dry-run"))[0] == 0
    done = await asyncio.to_thread(
        subprocess.run,
        [python(), "-m", "payments.audit", "search", "status"],
        env=replicas.variables(),
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    status = json.loads(done.stdout)
    assert status["documents"] == status["copied"] == status["entries"]
    assert (status["waiting"], status["engine"]["status"]) == (0, "green")
