"""What the bucket holds, asked in Flux."""

import csv
import io
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import httpx

from hack.dev.stores import BUCKET, INFLUXDB_TOKEN, ORGANISATION
from tests.support.internal_calls import Pool, eventually

_ALL = f"""
from(bucket: "{BUCKET}") |> range(start: 2020-01-01T00:00:00Z, stop: 2100-01-01T00:00:00Z)
  |> filter(fn: (r) => r._measurement == "payment")
  |> pivot(rowKey: ["_time"], columnKey: ["_field"], valueColumn: "_value")
"""


@dataclass(frozen=True)
class Points:
    """The query API."""

    http: httpx.AsyncClient

    async def all(self) -> list[dict[str, str]]:
        """Every point as a row of text."""
        response = await self.http.post(
            "/api/v2/query",
            params={"org": ORGANISATION},
            content=_ALL,
            headers={
                "Authorization": f"Token {INFLUXDB_TOKEN}",
                "Content-Type": "application/vnd.flux",
                "Accept": "application/csv",
            },
        )
        assert response.is_success, response.text
        found: list[dict[str, str]] = []
        names: list[str] = []
        for row in csv.reader(io.StringIO(response.text)):
            if "payment_id" in row:
                names = row
            elif row:
                found.append(dict(zip(names, row, strict=True)))
        return found

    async def caught_up(self, database: Pool, seconds: float = 30) -> None:
        """Wait until there is a point for each finished payment of the trail."""

        async def as_many() -> bool:
            try:
                return len(await self.all()) == len(await ends(database))
            except httpx.HTTPError:
                return False

        await eventually("every payment has its point", as_many, seconds=seconds, pause=0.3)


async def ends(database: Pool) -> dict[str, Any]:
    """The events that end a payment, by the payment."""
    rows = await database.fetch(
        """SELECT *, payload::text AS text FROM audit.events
           WHERE source = 'confirm-service'
               AND type IN ('payment.succeeded', 'payment.failed', 'payment.canceled')"""
    )
    assert len({row["payment_id"] for row in rows}) == len(rows)
    return {row["payment_id"]: row for row in rows}


def moment(point: dict[str, str]) -> tuple[datetime, int]:
    """A point's time to the millisecond, and its nanoseconds below."""
    text = point["_time"].removesuffix("Z")
    seconds, _, fraction = text.partition(".")
    nanoseconds = int(fraction.ljust(9, "0"))
    whole = datetime.fromisoformat(f"{seconds}+00:00")
    return whole.replace(microsecond=nanoseconds // 10**6 * 1000), nanoseconds % 10**6
