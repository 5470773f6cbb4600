"""What the index holds, asked by other means than the product's, and what it has to hold."""

import json
from dataclasses import dataclass
from typing import Any

import httpx

from tests.support.internal_calls import Pool, eventually


@dataclass(frozen=True)
class Search:
    """The engine's API."""

    http: httpx.AsyncClient

    async def ask(self, method: str, path: str, body: Any = None) -> Any:
        """One request that succeeds."""
        response = await self.http.request(method, path, json=body)
        assert response.is_success, response.text
        return response.json()

    async def count(self) -> int:
        """Documents, after a refresh; -1 while the engine is away."""
        try:
            await self.http.post("/payment-audit-*/_refresh")
            answer = await self.http.get("/payment-audit-*/_count")
            return int(answer.json()["count"]) if answer.is_success else -1
        except httpx.HTTPError:
            return -1

    async def days(self) -> set[str]:
        """The days that have an index, each behind its alias."""
        found = await self.ask("GET", "/payment-audit-*/_alias")
        aliases = [alias for entry in found.values() for alias in entry["aliases"]]
        assert len(aliases) == len(set(aliases)) == len(found), found
        return {alias.removeprefix("payment-audit-") for alias in aliases}

    async def hits(self) -> list[dict[str, Any]]:
        """Every document with the number of its last write, in the chain's order."""
        found: list[dict[str, Any]] = []
        after: list[Any] | None = None
        while True:
            body: dict[str, Any] = {"size": 5000, "sort": [{"seq": "asc"}], "seq_no_primary_term": True}
            if after is not None:
                body["search_after"] = after
            page = (await self.ask("POST", "/payment-audit-*/_search", body))["hits"]["hits"]
            if not page:
                return found
            found += page
            after = page[-1]["sort"]

    async def caught_up(self, database: Pool, seconds: float = 40) -> None:
        """Wait until there are as many documents as entries of the trail."""

        async def as_many() -> bool:
            rows = await database.fetchval("SELECT count(*) FROM audit.events")
            return bool(await self.count() == rows)

        await eventually("the index has caught up", as_many, seconds=seconds, pause=0.3)


async def same_as_the_trail(search: Search, database: Pool) -> int:
    """Compare every document with its row, each row with its document; how many they are."""
    rows = await database.fetch("SELECT *, payload::text AS text FROM audit.events ORDER BY seq")
    hits = await search.hits()
    assert [hit["_id"] for hit in hits] == [row["event_id"] for row in rows]
    for hit, row in zip(hits, rows, strict=True):
        kept = hit["_source"]
        assert hit["_index"].endswith(f"-{row['time']:%Y.%m.%d}"), hit["_index"]
        for name in ("seq", "event_id", "payment_id", "customer_id", "source", "source_sequence", "type"):
            assert kept[name] == row[name]
        assert (kept["hash"], kept["prev_hash"]) == (row["hash"], row["prev_hash"])
        assert kept["@timestamp"] == f"{row['time']:%Y-%m-%dT%H:%M:%S.%f}Z"
        data, shown = json.loads(row["text"]), json.loads(kept["payload"])
        if isinstance(data, dict):
            assert shown.keys() == data.keys()
            assert kept.get("amount") == data.get("amount")
            assert kept.get("currency") == data.get("currency")
    return len(rows)


async def trail_stands_still(database: Pool) -> None:
    """Wait until everything that was told is recorded."""
    missing = " UNION ALL ".join(
        f"""SELECT o.event_id FROM {owner}.outbox AS o WHERE topic = 'payment-events'
            AND NOT EXISTS (SELECT FROM audit.events AS e WHERE e.event_id = o.event_id)"""
        for owner in ("accounts", "gateway", "kyc", "ofac", "otp", "payments")
    )

    async def recorded() -> bool:
        return not await database.fetchval(f"SELECT EXISTS ({missing})")

    await eventually("the trail stands still", recorded, seconds=30)
