"""Customers who read accounts and pay while something happens to the platform; every answer is counted."""

import asyncio
import random
import threading
import time
import uuid
from collections import Counter

import aiohttp

#: Seconds in which a request is repeated, as the API's documents allow it; each repetition is counted.
PATIENCE = 30.0


#: Shares of the requests that are for payments, and seconds that tell whether the machine carries one.
SHARES, TRIAL_SECONDS, SLOW = (0.2, 0.1, 0.04), 12.0, 2.0


def share(url: str, token: str, dice: random.Random, rate: float) -> tuple[float, list[str]]:
    """The greatest share of payments that is answered in time while nothing else happens; what was seen."""
    told = []
    for payments in SHARES:
        with Load(url, token, dice, rate=rate, payments=payments) as trial:
            time.sleep(TRIAL_SECONDS)
        total = sum(trial.statuses.values())
        told.append(f"{payments:.0%} payments: {total} requests, slowest {trial.slowest:.2f} s")
        if not trial.repeated and trial.slowest < SLOW and total > 0.9 * rate * TRIAL_SECONDS:
            return payments, told
    raise AssertionError(f"the machine does not carry {rate:.0f} requests a second: {told}")


class Load:
    """Customers at the load balancer, in a thread of their own; each request on a connection of its own."""

    def __init__(
        self, url: str, token: str, dice: random.Random, *, rate: float, payments: float = 0.2
    ) -> None:
        """``rate`` is requests a second, of which the share ``payments`` makes and confirms payments."""
        self.statuses: Counter[str] = Counter()
        self.failed: list[str] = []
        self.repeated: list[str] = []
        self.slowest = 0.0
        self._url, self._dice, self._rate = url, dice, rate
        # A payment is two requests.
        self._pays = payments / (2 - payments)
        self._headers = {"Authorization": f"Bearer {token}"}
        self._stop = threading.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._run()))

    def __enter__(self) -> "Load":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join(60)

    async def _run(self) -> None:
        connector = aiohttp.TCPConnector(force_close=True, limit=0)
        timeout = aiohttp.ClientTimeout(total=35)
        async with aiohttp.ClientSession(self._url, connector=connector, timeout=timeout) as http:
            under_way: set[asyncio.Task[None]] = set()
            due = time.monotonic()
            while not self._stop.is_set():
                pays = self._dice.random() < self._pays
                task = asyncio.create_task(self._pay(http) if pays else self._read(http))
                under_way.add(task)
                task.add_done_callback(under_way.discard)
                due += (2 if pays else 1) / self._rate
                await asyncio.sleep(max(0.0, due - time.monotonic()))
            await asyncio.gather(*under_way)

    async def _read(self, http: aiohttp.ClientSession) -> None:
        await self._send(http, "GET", "/v1/accounts")

    async def _pay(self, http: aiohttp.ClientSession) -> None:
        body = {"amount": 1, "currency": "USD", "from_account": "ACC001", "to_account": "ACC002"}
        created = await self._send(http, "POST", "/v1/payments", body)
        if "id" in created:
            await self._send(http, "POST", f"/v1/payments/{created['id']}/confirm", {})

    async def _send(
        self, http: aiohttp.ClientSession, method: str, path: str, body: object = None
    ) -> dict[str, object]:
        """The answer, in the end: as the API's documents have it, what may be repeated is, under its key."""
        headers = self._headers | ({"Idempotency-Key": str(uuid.uuid4())} if body is not None else {})
        end = time.monotonic() + PATIENCE
        while True:
            began = time.monotonic()
            try:
                async with http.request(method, path, json=body, headers=headers) as answer:
                    found: dict[str, object] = await answer.json()
                    status = str(answer.status)
            except (aiohttp.ClientError, TimeoutError, ValueError) as error:
                found, status = {}, type(error).__name__
            self.slowest = max(self.slowest, time.monotonic() - began)
            self.statuses[status] += 1
            if status in ("200", "201"):
                return found
            told = f"{time.strftime('%H:%M:%S')} {method} {path[:13]}: {status} {found}"
            self.repeated.append(told)
            if time.monotonic() > end:
                self.failed.append(told)
                return {}
            await asyncio.sleep(1)
