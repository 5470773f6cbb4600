"""A consumer that no longer gets anywhere is given up and made anew; one with nothing to do is left alone."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from types import SimpleNamespace
from typing import Any, ClassVar

import pytest

from payments.common import kafka
from payments.common.kafka import Consumer, Message, Producer


class Broker:
    """Stands for aiokafka's consumer; has a message each time it is asked."""

    made: ClassVar["list[Broker]"]

    def __init__(self, *_: object, **__: object) -> None:
        self.made.append(self)
        self.first = len(self.made) == 1
        self.stopped = False
        self.asked = self.committed = 0

    async def start(self) -> None:
        pass

    async def stop(self) -> None:
        self.stopped = True

    def unsubscribe(self) -> None:
        assert not self.stopped

    async def getmany(self, **_: object) -> dict[str, list[Any]]:
        self.asked += 1
        await asyncio.sleep(0.01)
        return {"payments": [SimpleNamespace(key=b"k", value=b"v", headers=())]}

    async def commit(self) -> None:
        self.committed += 1

    def assignment(self) -> set[str]:
        return {"payments-0", "payments-1"}

    def last_poll_timestamp(self, partition: str) -> int | None:
        return None


class Quiet(Broker):
    """Has no messages."""

    async def getmany(self, **_: object) -> dict[str, list[Any]]:
        await super().getmany()
        return {}


class Unassigned(Broker):
    """Waits for ever for its first assignment."""

    async def start(self) -> None:
        if self.first:
            await asyncio.Event().wait()


class Deaf(Broker):
    """Returns from each question, but no fetch has been answered for long."""

    async def getmany(self, **_: object) -> dict[str, list[Any]]:
        found = await super().getmany()
        return {} if self.first else found

    def last_poll_timestamp(self, partition: str) -> int | None:
        return 1_700_000_000_000 if partition == "payments-0" else None


class Rejoining(Broker):
    """A question has no end, as while the group is rejoined."""

    async def getmany(self, **_: object) -> dict[str, list[Any]]:
        if self.first:
            await asyncio.Event().wait()
        return await super().getmany()


class Uncoordinated(Broker):
    """A commit has no end, as while there is no coordinator."""

    async def commit(self) -> None:
        if self.first:
            await asyncio.Event().wait()
        await super().commit()


class Cut(Deaf):
    """Closes as aiokafka's does when a fetch is about to be tried again: as if somebody had cancelled it."""

    async def stop(self) -> None:
        await super().stop()
        raise asyncio.CancelledError


class Lingering(Deaf):
    """Takes its time to close."""

    async def stop(self) -> None:
        await asyncio.sleep(0.3)
        await super().stop()


class Spare(Quiet):
    """Has no partitions: the group has more members than there are."""

    def assignment(self) -> set[str]:
        return set()


class Idle(Quiet):
    """One of its partitions is answered, with nothing new."""

    def last_poll_timestamp(self, partition: str) -> int | None:
        return self.asked if partition == "payments-1" else None


class Seldom(Broker):
    """A message first, then silence for less than may be."""

    async def getmany(self, **_: object) -> dict[str, list[Any]]:
        found = await super().getmany()
        return found if self.asked % 5 == 1 else {}


@asynccontextmanager
async def consuming(
    monkeypatch: pytest.MonkeyPatch, broker: type[Broker], *, silent: float, handling: float = 0
) -> AsyncIterator[asyncio.Queue[bytes]]:
    """A consumer of such brokers; gives what it has handled, each taking so many seconds."""
    monkeypatch.setattr(broker, "made", [], raising=False)
    monkeypatch.setattr(kafka, "AIOKafkaConsumer", broker)
    monkeypatch.setattr(kafka, "START_SECONDS", 0.05)
    monkeypatch.setattr(kafka, "SILENT_SECONDS", silent)
    handled: asyncio.Queue[bytes] = asyncio.Queue()

    async def handler(messages: Sequence[Message]) -> None:
        await asyncio.sleep(handling)
        for message in messages:
            handled.put_nowait(message.value)

    producer = Producer("nowhere:1", client_id="test")
    async with Consumer("nowhere:1", topic="payments", group="g", handler=handler, producer=producer):
        yield handled
    async with asyncio.timeout(1):
        while not all(made.stopped for made in broker.made):
            await asyncio.sleep(0.01)


@pytest.mark.parametrize("broker", [Unassigned, Deaf, Rejoining, Uncoordinated])
async def test_a_consumer_that_gets_nowhere_is_made_anew(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, broker: type[Broker]
) -> None:
    async with consuming(monkeypatch, broker, silent=0.1) as handled, asyncio.timeout(5):
        while len(broker.made) < 2 or not broker.made[1].committed:
            assert await handled.get() == b"v"
        assert [made.stopped for made in broker.made] == [True, False]
        assert broker.made[0].committed == 0
    assert [record.levelname for record in caplog.records] == ["WARNING"]
    assert "consume payments failed" in caplog.text and "Timeout" in caplog.text


async def test_a_consumer_that_closes_slowly_is_not_waited_for_and_closes_in_the_end(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(kafka, "STOP_SECONDS", 0.05)
    async with consuming(monkeypatch, Lingering, silent=0.1) as handled, asyncio.timeout(5):
        await handled.get()
        while not Lingering.made[0].stopped:
            await asyncio.sleep(0.01)
    assert len(Lingering.made) == 2


async def test_a_close_that_is_cut_short_does_not_end_the_consumer(monkeypatch: pytest.MonkeyPatch) -> None:
    async with consuming(monkeypatch, Cut, silent=0.1) as handled, asyncio.timeout(5):
        assert await handled.get() == b"v"
        assert len(Cut.made) == 2


@pytest.mark.parametrize("broker", [Spare, Idle])
async def test_a_consumer_with_nothing_to_do_is_left_alone(
    monkeypatch: pytest.MonkeyPatch, broker: type[Broker]
) -> None:
    async with consuming(monkeypatch, broker, silent=0.3):
        await asyncio.sleep(0.6)
        assert len(broker.made) == 1 and broker.made[0].asked > 5


async def test_a_slow_handler_is_no_silence(monkeypatch: pytest.MonkeyPatch) -> None:
    async with consuming(monkeypatch, Seldom, silent=0.3, handling=0.4) as handled, asyncio.timeout(5):
        for _ in range(2):
            assert await handled.get() == b"v"
        while Seldom.made[0].asked < 8:
            await asyncio.sleep(0.01)
            assert len(Seldom.made) == 1
