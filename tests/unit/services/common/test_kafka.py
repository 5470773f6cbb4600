"""A consumer whose start never ends is given up and made anew."""

import asyncio
from collections.abc import Sequence
from types import SimpleNamespace
from typing import Any, ClassVar

import pytest

from payments.common import kafka
from payments.common.kafka import Consumer, Message, Producer


class Broker:
    """Stands for aiokafka's consumer: the first waits for ever for its assignment, the next get one."""

    made: ClassVar["list[Broker]"] = []

    def __init__(self, *_: object, **__: object) -> None:
        self.stopped = False
        self.made.append(self)

    async def start(self) -> None:
        if len(self.made) == 1:
            await asyncio.Event().wait()

    async def stop(self) -> None:
        self.stopped = True

    async def getmany(self, **_: object) -> dict[str, list[Any]]:
        await asyncio.sleep(0.01)
        return {"payments": [SimpleNamespace(key=b"k", value=b"v", headers=())]}

    async def commit(self) -> None:
        pass


async def test_a_start_that_never_ends_is_tried_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Broker, "made", [])
    monkeypatch.setattr(kafka, "AIOKafkaConsumer", Broker)
    monkeypatch.setattr(kafka, "START_SECONDS", 0.05)
    came = asyncio.Event()

    async def handler(messages: Sequence[Message]) -> None:
        assert [message.value for message in messages] == [b"v"]
        came.set()

    producer = Producer("nowhere:1", client_id="test")
    async with Consumer("nowhere:1", topic="payments", group="g", handler=handler, producer=producer):
        await asyncio.wait_for(came.wait(), 5)
        assert len(Broker.made) == 2
        assert [broker.stopped for broker in Broker.made] == [True, False]
    assert all(broker.stopped for broker in Broker.made)
