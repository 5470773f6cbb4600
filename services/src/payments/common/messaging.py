"""Records of Kafka, and the spans of sending and processing them.

The trace goes along in the header `traceparent`. A batch holds records of many traces: each trace gets one
span for its records of a topic, a child of the span that its first record names.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import NamedTuple

from payments.common import tracing

_HEADER = "traceparent"


class Message(NamedTuple):
    """One record: topic, key, value, headers."""

    topic: str
    key: bytes
    value: bytes
    headers: Sequence[tuple[str, bytes]] = ()

    @property
    def traceparent(self) -> str | None:
        """What the header says; None when there is none, or no valid one."""
        for name, value in self.headers:
            if name == _HEADER and value:  # a header of Kafka may have no value at all
                return tracing.valid(value.decode("latin-1"))
        return None


_shapes: dict[tuple[str, str], tracing.Shape] = {}


@contextmanager
def sending(messages: Sequence[Message]) -> Iterator[Sequence[Message]]:
    """Spans around the sending of `messages`; gives them with headers that name these spans."""
    spans = {} if tracing.recorder is None else _begin(messages, None)
    if not spans:
        yield messages
        return
    with _ending(spans):
        yield [_named(message, spans) for message in messages]


@contextmanager
def processing(messages: Sequence[Message], group: str) -> Iterator[None]:
    """Spans around the processing of `messages`. When all are of one trace, its span is the current one."""
    spans = {} if tracing.recorder is None else _begin(messages, group)
    if not spans:
        yield
        return
    alone = len(spans) == 1 and all(message.traceparent for message in messages)
    leave = tracing.enter(next(iter(spans.values())) if alone else None)
    try:
        with _ending(spans):
            yield
    finally:
        leave()


def _begin(messages: Sequence[Message], group: str | None) -> dict[tuple[str, str], tracing.Span]:
    """Spans by trace and topic."""
    spans: dict[tuple[str, str], tracing.Span] = {}
    counts: dict[tuple[str, str], int] = {}
    for message in messages:
        if (traceparent := message.traceparent) is None:
            continue
        key = (traceparent[3:35], message.topic)
        if key in spans:
            counts[key] = counts.get(key, 1) + 1
        elif span := tracing.child(traceparent, _shape(message.topic, group)):
            spans[key] = span
    for key, count in counts.items():
        spans[key].note({"messaging.batch.message_count": count})
    return spans


@contextmanager
def _ending(spans: dict[tuple[str, str], tracing.Span]) -> Iterator[None]:
    try:
        yield
    except BaseException as error:
        for span in spans.values():
            span.fail(error)
        raise
    finally:
        for span in spans.values():
            span.end()


def _named(message: Message, spans: dict[tuple[str, str], tracing.Span]) -> Message:
    traceparent = message.traceparent
    span = spans.get((traceparent[3:35], message.topic)) if traceparent else None
    if span is None:
        return message
    others = [header for header in message.headers if header[0] != _HEADER]
    return message._replace(headers=[*others, (_HEADER, span.traceparent.encode())])


def _shape(topic: str, group: str | None) -> tracing.Shape:
    shape = _shapes.get((topic, group or ""))
    if shape is None:
        operation = "send" if group is None else "process"
        attributes: tracing.Attributes = {
            "messaging.system": "kafka",
            "messaging.destination.name": topic,
            "messaging.operation.name": operation,
            "messaging.operation.type": operation,
        }
        if group is not None:
            attributes["messaging.consumer.group.name"] = group
        kind = tracing.PRODUCER if group is None else tracing.CONSUMER
        shape = _shapes[topic, group or ""] = tracing.Shape(f"{operation} {topic}", kind, attributes)
    return shape
