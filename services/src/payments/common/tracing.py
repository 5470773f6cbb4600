"""Spans of the request at hand (https://opentelemetry.io/docs/specs/semconv), cheap enough for every payment.

The current span is `context.traceparent` (https://www.w3.org/TR/trace-context): whatever begins now is its
child, and so are the rows of the outbox and the calls to peers that carry it on. Off, which is the default,
`recorder` is None: nothing is measured, and a caller's traceparent is passed on as it came.

    with tracing.begin(SHAPE) or tracing.NOTHING:
        ...

Never in an attribute: secrets, tokens, account numbers, paths and queries as sent, values of a statement,
texts of errors. Names of routes and statements stand in their place.
"""

import re
import time
from collections.abc import Callable
from contextlib import nullcontext
from contextvars import ContextVar
from random import getrandbits
from types import TracebackType
from typing import ClassVar, Final, Protocol, Self

from payments.common import context

Value = str | int | bool | float
Attributes = dict[str, Value]

# SpanKind of OTLP.
INTERNAL: Final = 1
SERVER: Final = 2
CLIENT: Final = 3
PRODUCER: Final = 4
CONSUMER: Final = 5

NOTHING: Final = nullcontext()
_SAMPLED = "13579bdf"
_TRACEPARENT = re.compile(r"00-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}")


class Shape:
    """What all spans of one place have in common; `error` marks them as failed. Made once, kept for ever."""

    __slots__ = ("attributes", "encoded", "error", "kind", "name")

    def __init__(self, name: str, kind: int, attributes: Attributes, *, error: bool = False) -> None:
        self.name = name
        self.kind = kind
        self.attributes = attributes
        self.error = error
        self.encoded: bytes | None = None  # by the exporter, once


class _Recorded:
    """What the SDK's batch processor asks about a span's context: whoever has a Span has a recorded trace."""

    sampled = True

    @property
    def trace_flags(self) -> Self:
        """Itself."""
        return self


class Span:
    """One operation of a recorded trace. As a context manager it ends with the block; failed if it raises."""

    __slots__ = ("attributes", "end_ns", "failed", "parent_id", "shape", "span_id", "start_ns", "trace_id")
    context: ClassVar = _Recorded()

    def __init__(self, shape: Shape, trace_id: str, parent_id: str) -> None:
        self.shape = shape
        self.trace_id = trace_id
        self.parent_id = parent_id
        self.span_id = f"{getrandbits(64) or 1:016x}"
        self.attributes: Attributes | None = None
        self.failed = False
        self.start_ns = time.time_ns()
        self.end_ns = 0

    @property
    def traceparent(self) -> str:
        """What children and other processes are told."""
        return f"00-{self.trace_id}-{self.span_id}-01"

    def note(self, attributes: Attributes) -> None:
        """Add attributes to those of the shape."""
        self.attributes = attributes if self.attributes is None else self.attributes | attributes

    def fail(self, error: BaseException) -> None:
        """Mark as failed by the kind of the error, never by its text."""
        self.failed = True
        code = getattr(error, "code", None)
        self.note({"error.type": code if isinstance(code, str) else type(error).__name__})

    def end(self) -> None:
        """Hand over to be exported."""
        self.end_ns = time.time_ns()
        if recorder is not None:
            recorder.record(self)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None
    ) -> None:
        if error is not None:
            self.fail(error)
        self.end()


class Recorder(Protocol):
    """Where spans go when they end, and which traces are recorded that begin here."""

    def record(self, span: Span) -> None:
        """Take a span that has ended; never waits."""

    def samples(self, trace_id: str) -> bool:
        """Whether a trace that begins here is recorded."""


#: Set once, by `payments.common.telemetry`, before the service starts.
recorder: Recorder | None = None
_entered: ContextVar[Span | None] = ContextVar("span", default=None)


def valid(traceparent: str | None) -> str | None:
    """A well-formed traceparent of version 00, else None."""
    return traceparent if traceparent and _TRACEPARENT.fullmatch(traceparent) else None


def begin(shape: Shape) -> Span | None:
    """A child of the current span; None when its trace is not recorded."""
    return None if recorder is None else child(context.traceparent.get(), shape)


def child(traceparent: str | None, shape: Shape) -> Span | None:
    """A child of the span that a valid `traceparent` names; None when its trace is not recorded."""
    if recorder is None or traceparent is None or traceparent[-1] not in _SAMPLED:
        return None
    return Span(shape, traceparent[3:35], traceparent[36:52])


def serve(traceparent: str | None, shape: Shape, *, edge: bool) -> Span | None:
    """Enter the request that begins: its span becomes the current one.

    The edge decides which traces are recorded; a client's flag counts for nothing, its ids are kept. Behind
    it a request without a trace is the platform's own housekeeping, and not recorded.
    """
    span = None
    if recorder is not None and edge:
        trace_id = traceparent[3:35] if traceparent else f"{getrandbits(128) or 1:032x}"
        parent_id = traceparent[36:52] if traceparent else ""
        if recorder.samples(trace_id):
            span = Span(shape, trace_id, parent_id)
        else:
            traceparent = f"00-{trace_id}-{parent_id or f'{getrandbits(64) or 1:016x}'}-00"
    elif recorder is not None:
        span = child(traceparent, shape)
    _entered.set(span)
    context.traceparent.set(traceparent if span is None else span.traceparent)
    return span


def enter(span: Span | None) -> Callable[[], None]:
    """Make `span` the current one, none if it is None; returns what puts back the one before."""
    was_entered = _entered.set(span)
    was_current = context.traceparent.set(None if span is None else span.traceparent)

    def leave() -> None:
        _entered.reset(was_entered)
        context.traceparent.reset(was_current)

    return leave


def note(attributes: Attributes) -> None:
    """Add attributes to the span of the request or message at hand, if it is recorded."""
    if recorder is not None and (span := _entered.get()) is not None:
        span.note(attributes)


def note_payment(payment_id: str) -> None:
    """The request or message at hand is about this payment: its span and its log lines say so."""
    context.payment_id.set(payment_id)
    note({"payment.id": payment_id})
