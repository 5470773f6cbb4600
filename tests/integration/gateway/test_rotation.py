"""Keys rotate under load: nobody with a good token is refused, nobody with a dropped key's token gets in.

The steps are the operator's own; the files reach each process at another time, as kubelets bring them.
"""

import asyncio
import json
import secrets
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TypeAlias

import asyncpg
import httpx
import pytest

from hack.dev.catalog import environment
from hack.dev.processes import wait_for
from hack.dev.stack import Stack
from payment_operator import keys
from payment_operator.rotation import State, Terms, advance
from tests.integration.gateway.conftest import Gateway, Gateways, bearer, free_port, login
from tests.support.echo_peer import EchoPeer
from tests.support.sealing import key_of, seal_jwe

Database: TypeAlias = "asyncpg.Pool[asyncpg.Record]"
# Long beside the delays below, so that a busy machine may be seconds late itself.
TERMS = Terms(overlap=timedelta(seconds=5), keep=timedelta(seconds=8))
YOUNG_SECONDS = 2.0  # what a token lives in this world; less than `keep`
LATE = (0.0, 0.7, 1.3)  # seconds until a file reaches the two gateways and the service behind
SERVICE = "account-service"
BODY = b'{"transaction_id": "txn_001", "customer_id": "cust_001", "amount": 1000.00}'


@dataclass
class Mount:
    """A set in the cluster, and the files that show it to the processes."""

    state: State
    make: Callable[[], keys.Jwk]
    private: tuple[Path, Path]
    steps: list[str] = field(default_factory=list)

    @property
    def text(self) -> str:
        """The private set."""
        return keys.key_set(*self.state.keys)


class Cluster:
    """Takes the operator's steps and brings the files, each after its delay."""

    def __init__(self, folder: Path) -> None:
        self.public = folder / "public.json"
        self.mounts = {}
        for name, make in (("signing", keys.signing_jwk), ("encryption", keys.encryption_jwk)):
            state = State((make(),), datetime.now(UTC))
            self.mounts[name] = Mount(state, make, (folder / f"{name}-0.json", folder / f"{name}-1.json"))
        for mount in self.mounts.values():
            for path in mount.private:
                self.write(path, mount.text)
        self.write(self.public, self.published())
        self._pending: set[asyncio.Task[None]] = set()

    def published(self) -> str:
        """The ConfigMap."""
        return keys.public_keys(*(mount.text for mount in self.mounts.values()))

    @staticmethod
    def write(path: Path, text: str) -> None:
        """As the kubelet does: another file in its place."""
        fresh = path.with_suffix(".new")
        fresh.write_text(text)
        fresh.replace(path)

    async def step(self, request: str) -> None:
        """One look of the operator's at both sets."""
        kids = {key["kid"] for key in json.loads(self.published())["keys"]}
        for mount in self.mounts.values():
            mount.state, what = advance(
                mount.state,
                now=datetime.now(UTC),
                terms=TERMS,
                request=request,
                published=lambda: kids,
                make=mount.make,
            )
            if what is not None:
                mount.steps.append(what)
                for path, late in zip(mount.private, LATE, strict=False):
                    self._later(late, path, mount.text)
        self._later(LATE[2], self.public, self.published())

    def _later(self, seconds: float, path: Path, text: str) -> None:
        async def bring() -> None:
            await asyncio.sleep(seconds)
            self.write(path, text)

        task = asyncio.create_task(bring())
        self._pending.add(task)
        task.add_done_callback(self._pending.discard)


@dataclass
class World:
    """Two gateways in front of account-service, all with files of the cluster's."""

    cluster: Cluster
    gateways: tuple[Gateway, Gateway]


@pytest.fixture
async def world(stack: Stack, gateways: Gateways, tmp_path: Path) -> AsyncIterator[World]:
    """The processes are this test's own."""
    cluster = Cluster(tmp_path)
    ports = stack.ports | {SERVICE: free_port()}
    values = environment(stack.services[SERVICE], stack.identity, stack.servers, ports)
    values |= {"GATEWAY_JWKS_FILE": str(cluster.public), "KEY_RELOAD_SECONDS": "0.2"}
    name = f"{SERVICE}-{ports[SERVICE]}"
    gateways.processes.start(name, values)
    url = f"http://127.0.0.1:{ports[SERVICE]}"
    await asyncio.to_thread(wait_for, f"{url}/ready", seconds=120, alive=gateways.processes)
    prefix = f"test-{secrets.token_hex(4)}"
    started = [
        await gateways.start(
            prefix=prefix,
            KEY_RELOAD_SECONDS=0.2,
            ACCOUNT_SERVICE_URL=url,
            SIGNING_KEYS_FILE=cluster.mounts["signing"].private[replica],
            ENCRYPTION_KEYS_FILE=cluster.mounts["encryption"].private[replica],
        )
        for replica in (0, 1)
    ]
    yield World(cluster, (started[0], started[1]))


class Load:
    """People who log in at one gateway and use their tokens at both, for as long as they are young."""

    def __init__(self, clients: tuple[httpx.AsyncClient, httpx.AsyncClient]) -> None:
        self.clients = clients
        self.answers: Counter[tuple[str, int]] = Counter()
        self.refused: list[str] = []
        self.oldest = ""
        self.ended = False

    async def person(self, number: int) -> None:
        """Until the end."""
        while not self.ended:
            token = (await login(self.clients[number % 2]))["access_token"]
            self.oldest = self.oldest or token
            end = time.monotonic() + YOUNG_SECONDS
            while time.monotonic() < end and not self.ended:
                for client in self.clients:
                    self.note("read", await client.get("/v1/accounts", headers=bearer(token)))
                    self.note("pay", await self.sealed(client, token))
                await asyncio.sleep(0.02)

    async def sealed(self, client: httpx.AsyncClient, token: str) -> httpx.Response:
        """An encrypted confirmation, for the key that one gateway publishes, sent to the other."""
        other = self.clients[0] if client is self.clients[1] else self.clients[1]
        found = (await other.get("/.well-known/jwks.json")).json()["keys"]
        (public,) = [key for key in found if key["use"] == "enc"]
        jwe = seal_jwe(public, BODY)
        headers = bearer(token) | {"Content-Type": "application/jose", "Idempotency-Key": key_of(jwe)}
        return await client.post("/payment/confirm", content=jwe, headers=headers)

    def note(self, what: str, answer: httpx.Response) -> None:
        """Count it."""
        self.answers[what, answer.status_code] += 1
        if answer.status_code != 200:
            self.refused.append(f"{what}: {answer.status_code} {answer.text[:200]}")


async def test_rotation_under_load(world: World, peer: EchoPeer, database: Database) -> None:
    peer.body = b"{}"
    first, second = world.gateways
    before = {name: mount.state.keys[0]["kid"] for name, mount in world.cluster.mounts.items()}
    async with first.http() as one, second.http() as two:
        load = Load((one, two))
        people = [asyncio.create_task(load.person(number)) for number in range(4)]
        await asyncio.sleep(0.5)
        end = time.monotonic() + 60
        while not all(len(mount.steps) == 4 for mount in world.cluster.mounts.values()):
            assert time.monotonic() < end, {name: mount.steps for name, mount in world.cluster.mounts.items()}
            await world.cluster.step("both@1")
            await asyncio.sleep(0.2)
        await asyncio.sleep(max(LATE) + 0.5)
        load.ended = True
        await asyncio.gather(*people)
        print(dict(load.answers), [mount.steps for mount in world.cluster.mounts.values()])  # noqa: T201
        assert load.refused == []
        assert all(count > 100 for count in load.answers.values()), load.answers
        after = {
            name: [key["kid"] for key in mount.state.keys] for name, mount in world.cluster.mounts.items()
        }
        assert all(len(kids) == 1 and kids[0] != before[name] for name, kids in after.items())
        told = await database.fetch(
            "SELECT payload->>'kid' AS kid FROM gateway.outbox WHERE type = 'keys.rotated'"
        )
        counts = Counter(row["kid"] for row in told)
        assert all(counts[before[name]] == counts[kids[0]] == 1 for name, kids in after.items()), counts
        for client in (one, two):
            published = (await client.get("/.well-known/jwks.json")).json()["keys"]
            assert {key["kid"] for key in published} == {kids[0] for kids in after.values()}
            dropped = await client.get("/v1/accounts", headers=bearer(load.oldest))
            assert dropped.status_code == 401
        assert (
            await one.get("/v1/accounts", headers=bearer((await login(two))["access_token"]))
        ).status_code == 200
