"""Points of finished payments in InfluxDB 2: https://docs.influxdata.com/influxdb/v2/api/#operation/PostWrite."""

import asyncio
from collections.abc import Sequence
from typing import Self

import httpx

from payments.audit.domain import Entry
from payments.audit.exports.loop import StoreError
from payments.audit.exports.points import finishes, line
from payments.audit.store import Store

SECONDS = 15.0
_TIMEOUT = httpx.Timeout(10.0, connect=3.0)


class InfluxDB:
    """A bucket to write to."""

    def __init__(
        self,
        url: str,
        token: str,
        *,
        org: str,
        bucket: str,
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        self._http = httpx.AsyncClient(
            base_url=url,
            headers={"Authorization": f"Token {token}"},
            params={"org": org, "bucket": bucket, "precision": "ns"},
            timeout=_TIMEOUT,
            trust_env=False,
            transport=transport,
        )

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._http.aclose()

    async def write(self, lines: Sequence[str]) -> None:
        """Write points, in place of those of the same time and tags. Raises StoreError.

        What is too old for the bucket is dropped by it, which is no error.
        """
        content = "\n".join(lines).encode()
        try:
            async with asyncio.timeout(SECONDS):
                response = await self._http.post(
                    "/api/v2/write", content=content, headers={"Content-Type": "text/plain; charset=utf-8"}
                )
        except (httpx.HTTPError, TimeoutError) as error:
            raise StoreError(f"InfluxDB did not answer: {type(error).__name__}") from error
        # The rest of the request has been written then.
        too_old = response.status_code == 422 and "points beyond retention policy" in response.text
        if not response.is_success and not too_old:
            raise StoreError(f"InfluxDB answered {response.status_code}")


class PaymentPoints:
    """The bucket as a copy of the part of the trail that tells how payments end."""

    def __init__(self, influxdb: InfluxDB, store: Store) -> None:
        self._influxdb = influxdb
        self._store = store

    async def lost(self) -> bool:
        """A bucket does not tell; `points rewrite` fills an empty one."""
        return False

    async def prepare(self) -> None:
        """The bucket is made by whoever runs InfluxDB."""

    async def put(self, entries: Sequence[Entry]) -> int:
        """Write a point for each payment that ends in these entries; how many. Raises StoreError."""
        ends = [entry for entry in entries if finishes(entry)]
        if ends:
            began = await self._store.attempts(ends)
            await self._influxdb.write([line(entry, began.get(entry.seq)) for entry in ends])
        return len(ends)
