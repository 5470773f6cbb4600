"""Kafka: an idempotent producer and a consumer with manual commits and a dead-letter topic."""

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Self

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from aiokafka.errors import KafkaError

from payments.common import messaging, metrics
from payments.common.background import Loop
from payments.common.brokers import Brokers, options
from payments.common.consumer_watch import Watch
from payments.common.messaging import Message

__all__ = ["Consumer", "Handler", "KafkaError", "Message", "Poison", "Producer"]

DEAD = metrics.counter(
    "payments_dead_letters_total", "Messages that could not be processed and were put aside.", ["topic"]
)

# Cut by an outage, a start waits without end for its assignment; an ordinary one takes as long as
# a dead member of the group is waited for, 10 s.
START_SECONDS = 20.0
STOP_SECONDS = 5.0
# After outages a consumer can stay in the middle of rejoining its group, without an error and without end.
SILENT_SECONDS = 20.0
# aiokafka's 100 ms make it log tens of errors a second while a broker is away.
RETRY_MILLISECONDS = 500

log = logging.getLogger(__name__)

_closing: set[asyncio.Task[None]] = set()


class Producer:
    """Sends with acks=all and idempotence; connects on first use and again after a failure."""

    def __init__(self, brokers: Brokers | str, *, client_id: str, timeout: float = 10.0) -> None:
        self._options = options(brokers)
        self._client_id = client_id
        self._timeout = timeout
        self._producer: AIOKafkaProducer | None = None
        self._lock = asyncio.Lock()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._drop()

    async def send(self, messages: Sequence[Message]) -> None:
        """Send all and wait until the brokers have them, in order within each key.

        Raises:
            KafkaError, TimeoutError, OSError: some may have been written, none is sure.
        """
        try:
            with messaging.sending(messages) as traced:
                async with asyncio.timeout(self._timeout):
                    producer = await self._connected()
                    sent = [
                        await producer.send(m.topic, m.value, key=m.key, headers=list(m.headers))
                        for m in traced
                    ]
                    await asyncio.gather(*sent)
        except (KafkaError, TimeoutError, OSError):
            await self._drop()
            raise

    async def ping(self) -> None:
        """Raises KafkaError, TimeoutError or OSError when no broker answers."""
        async with asyncio.timeout(2):
            producer = await self._connected()
            await producer.client.fetch_all_metadata()

    async def _connected(self) -> AIOKafkaProducer:
        async with self._lock:
            if self._producer is None:
                producer = AIOKafkaProducer(
                    **self._options,
                    client_id=self._client_id,
                    acks="all",
                    enable_idempotence=True,
                    linger_ms=5,
                    request_timeout_ms=int(self._timeout * 1000),
                )
                try:
                    await producer.start()
                except BaseException:
                    await _stop(producer)
                    raise
                self._producer = producer
            return self._producer

    async def _drop(self) -> None:
        producer, self._producer = self._producer, None
        if producer is not None:
            await _stop(producer)


async def _stop(client: AIOKafkaProducer | AIOKafkaConsumer) -> None:
    """Close and wait for it a while; what takes longer, by requests that are still out, ends by itself.

    Cut short, it would leave tasks behind that fetch or send for ever. A task of its own, because aiokafka's
    close can end as if cancelled, and that would end the caller without a word.
    """
    closing = asyncio.create_task(client.stop(), name=f"close {type(client).__name__}")
    _closing.add(closing)
    closing.add_done_callback(_closed)
    await asyncio.wait([closing], timeout=STOP_SECONDS)
    if not closing.done():
        log.warning("%s takes longer than %g s", closing.get_name(), STOP_SECONDS)


def _closed(closing: asyncio.Task[None]) -> None:
    _closing.discard(closing)
    if closing.cancelled():
        log.warning("%s was cut short", closing.get_name())
    elif (error := closing.exception()) is not None:
        log.warning("%s failed: %r", closing.get_name(), error)


@asynccontextmanager
async def _limit(what: str) -> AsyncIterator[None]:
    """Raises TimeoutError that says what had no end within SILENT_SECONDS."""
    try:
        async with asyncio.timeout(SILENT_SECONDS):
            yield
    except TimeoutError as error:
        raise TimeoutError(f"{what} had no end within {SILENT_SECONDS:g} s") from error


Handler = Callable[[Sequence[Message]], Awaitable[None]]


class Poison(Exception):
    """Raised by a handler for a message that can never be processed: it goes to the dead-letter topic."""


class Consumer:
    """Gives batches of a topic's messages to `handler` and commits when it returns: at least once.

    A handler that raises anything but Poison gets the same batch again, after a pause. On Poison the batch is
    handed over one by one, and what is poison itself goes to `<topic>.dlq` with the reason in a header.
    A connection on which Kafka is silent for SILENT_SECONDS is given up and made anew.
    """

    def __init__(
        self,
        brokers: Brokers | str,
        *,
        topic: str,
        group: str,
        handler: Handler,
        producer: Producer,
        batch: int = 200,
    ) -> None:
        self._options = options(brokers)
        self._topic = topic
        self._group = group
        self._handler = handler
        self._producer = producer
        self._batch = batch
        self._consumer: AIOKafkaConsumer | None = None
        self._watch = Watch(SILENT_SECONDS)
        self._loop = Loop(f"consume {topic}", self._step)
        metrics.from_zero(DEAD, [topic])

    async def __aenter__(self) -> Self:
        await self._loop.__aenter__()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._loop.__aexit__()
        await self._drop()

    async def _step(self) -> float:
        try:
            consumer = await self._connected()
            # Its own timeout does not bound the wait for the group's next assignment.
            async with _limit("asking for messages"):
                batches = await consumer.getmany(timeout_ms=1000, max_records=self._batch)
            messages = [
                Message(self._topic, record.key or b"", record.value or b"", record.headers)
                for records in batches.values()
                for record in records
            ]
            if messages:
                await self._handle(messages)
                async with _limit("a commit"):
                    await consumer.commit()
                self._watch.heard()
            else:
                assigned = consumer.assignment()
                self._watch.nothing_came({tp: consumer.last_poll_timestamp(tp) for tp in assigned})
        except BaseException:
            # Positions have moved past what was not processed: begin again from the last commit.
            await self._drop()
            raise
        return 0

    async def _handle(self, messages: Sequence[Message]) -> None:
        try:
            with messaging.processing(messages, self._group):
                await self._handler(messages)
        except Poison as poison:
            if len(messages) > 1:
                for message in messages:
                    await self._handle([message])
                return
            (message,) = messages
            log.error("a message of %s is poison: %s", self._topic, poison)
            headers = [*message.headers, ("error", str(poison).encode())]
            await self._producer.send([message._replace(topic=f"{self._topic}.dlq", headers=headers)])
            DEAD.labels(self._topic).inc()

    async def _connected(self) -> AIOKafkaConsumer:
        if self._consumer is None:
            consumer = AIOKafkaConsumer(
                self._topic,
                **self._options,
                group_id=self._group,
                enable_auto_commit=False,
                auto_offset_reset="earliest",
                session_timeout_ms=10_000,
                retry_backoff_ms=RETRY_MILLISECONDS,
            )
            try:
                async with asyncio.timeout(START_SECONDS):
                    await consumer.start()
            except BaseException:
                await _stop(consumer)
                raise
            self._consumer, self._watch = consumer, Watch(SILENT_SECONDS)
        return self._consumer

    async def _drop(self) -> None:
        consumer, self._consumer = self._consumer, None
        if consumer is not None:
            # Ends its fetches: one that waits to be tried again would cut the closing short.
            consumer.unsubscribe()
            await _stop(consumer)
