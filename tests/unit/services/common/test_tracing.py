"""Spans: whose child, recorded or not, and what they never tell."""

import random
from collections.abc import Iterator

import pytest

from payments.common import context, messaging, otlp, tracing
from payments.common.messaging import Message
from payments.common.statements import summary
from payments.common.tracing import Shape, Span
from tests.support.otlp_receiver import decode

TRACE, PARENT = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"
SAMPLED, UNSAMPLED = f"00-{TRACE}-{PARENT}-01", f"00-{TRACE}-{PARENT}-00"
SHAPE = Shape("GET /x", tracing.SERVER, {"http.route": "/x"})


class Kept:
    """A recorder that keeps; `ratio` 1 or 0."""

    def __init__(self) -> None:
        self.spans: list[Span] = []
        self.sampling = True

    def record(self, span: Span) -> None:
        self.spans.append(span)

    def samples(self, trace_id: str) -> bool:
        assert len(trace_id) == 32
        return self.sampling


@pytest.fixture
def kept(monkeypatch: pytest.MonkeyPatch) -> Iterator[Kept]:
    recorder = Kept()
    monkeypatch.setattr(tracing, "recorder", recorder)
    leave = tracing.enter(None)
    yield recorder
    leave()


@pytest.mark.parametrize(
    "text",
    [
        *(
            "",
            "zz",
            "00-0-0-00",
            f"01-{TRACE}-{PARENT}-01",
            f"00-{TRACE.upper()}-{PARENT}-01",
            SAMPLED + "-x",
        ),
        *(f"00-{'0' * 32}-{PARENT}-01", f"00-{TRACE}-{'0' * 16}-01"),
    ],
)
def test_what_is_no_traceparent_is_dropped(text: str) -> None:
    assert tracing.valid(text) is None
    assert tracing.valid(SAMPLED) == SAMPLED


def test_off_a_traceparent_is_passed_on_and_nothing_is_made() -> None:
    assert tracing.recorder is None
    leave = tracing.enter(None)
    assert tracing.serve(SAMPLED, SHAPE, edge=True) is None
    assert context.traceparent.get() == SAMPLED
    assert tracing.begin(SHAPE) is None
    tracing.note({"payment.id": "x"})
    leave()


def test_behind_the_edge_the_parent_decides(kept: Kept) -> None:
    kept.sampling = False
    span = tracing.serve(SAMPLED, SHAPE, edge=False)
    assert span is not None and (span.trace_id, span.parent_id) == (TRACE, PARENT)
    assert context.traceparent.get() == span.traceparent == f"00-{TRACE}-{span.span_id}-01"
    child = tracing.begin(SHAPE)
    assert child is not None and child.parent_id == span.span_id
    kept.sampling = True
    assert tracing.serve(UNSAMPLED, SHAPE, edge=False) is None
    assert context.traceparent.get() == UNSAMPLED and tracing.begin(SHAPE) is None
    assert tracing.serve(None, SHAPE, edge=False) is None
    assert context.traceparent.get() is None


def test_the_edge_decides_whatever_a_client_says(kept: Kept) -> None:
    span = tracing.serve(UNSAMPLED, SHAPE, edge=True)
    assert span is not None and (span.trace_id, span.parent_id) == (TRACE, PARENT)
    root = tracing.serve(None, SHAPE, edge=True)
    assert root is not None and root.parent_id == "" and tracing.valid(root.traceparent)
    kept.sampling = False
    assert tracing.serve(SAMPLED, SHAPE, edge=True) is None
    assert context.traceparent.get() == UNSAMPLED
    assert tracing.serve(None, SHAPE, edge=True) is None
    passed = context.traceparent.get()
    assert passed is not None and tracing.valid(passed) and passed.endswith("-00")


def test_a_failed_block_tells_the_kind_of_the_error_only(kept: Kept) -> None:
    tracing.serve(SAMPLED, SHAPE, edge=False)
    with pytest.raises(ValueError, match="4111"), tracing.begin(SHAPE) or tracing.NOTHING:
        raise ValueError("account 4111222233334444")
    (span,) = kept.spans
    assert span.failed and span.attributes == {"error.type": "ValueError"}


def test_an_ended_span_decodes_with_the_generated_classes(kept: Kept) -> None:
    seed = random.randrange(2**32)
    chance = random.Random(seed)
    attributes: tracing.Attributes = {
        "text": "ä" * chance.randrange(300),
        "number": chance.randrange(-(2**63), 2**63),
        "real": chance.random(),
        "flag": chance.random() < 0.5,
        "empty": "",
        "zero": 0,
    }
    shape = Shape("SELECT payments.act", tracing.CLIENT, {"db.system.name": "postgresql"})
    tracing.serve(None, SHAPE, edge=True)
    with tracing.begin(shape) or tracing.NOTHING as span:
        assert span is not None
        span.note(attributes)
    root = tracing.serve(None, SHAPE, edge=True)
    assert root is not None
    root.end()
    kept.spans[1].failed = True
    first, second = decode(otlp.request(otlp.resource({"service.name": "x", "n": 1}), kept.spans))
    assert first.attributes == {"db.system.name": "postgresql"} | attributes, seed
    assert (first.name, first.kind, first.error) == ("SELECT payments.act", 3, False)
    assert (first.trace, first.id, first.parent) == (span.trace_id, span.span_id, span.parent_id)
    assert (first.start, first.end) == (span.start_ns, span.end_ns) and first.end >= first.start > 10**18
    assert (second.parent, second.error, second.kind) == ("", True, 2)
    assert first.resource == {"service.name": "x", "n": 1}


@pytest.mark.parametrize("value", [None, b"", b"\xff", b"zz"])
def test_a_header_that_names_no_trace_is_left_alone(kept: Kept, value: bytes | None) -> None:
    message = Message("t", b"k", b"v", [("traceparent", value)])  # type: ignore[list-item]
    with messaging.sending([message]) as traced, messaging.processing([message], "group"):
        assert traced == [message]
    assert kept.spans == []


def test_each_trace_of_a_batch_has_one_span_of_its_own(kept: Kept) -> None:
    other = f"00-{'1' * 32}-{PARENT}-01"
    values = [SAMPLED, SAMPLED, other, UNSAMPLED.replace("0a", "0b"), None]
    messages = [
        Message("t", b"k", b"v", [("a", b"b"), *([("traceparent", v.encode())] if v else [])]) for v in values
    ]
    with messaging.sending(messages) as traced:
        sent = [message.traceparent for message in traced]
    assert [s.parent_id for s in kept.spans] == [PARENT, PARENT]
    assert sent[0] == sent[1] == kept.spans[0].traceparent and sent[2] == kept.spans[1].traceparent
    assert sent[3:] == values[3:]
    assert kept.spans[0].attributes == {"messaging.batch.message_count": 2}
    assert all(("a", b"b") in message.headers for message in traced)
    kept.spans.clear()
    with messaging.processing(messages, "group"):
        assert context.traceparent.get() is None  # of several traces at once
    assert {s.trace_id for s in kept.spans} == {TRACE, "1" * 32}
    kept.spans.clear()
    with pytest.raises(KeyError), messaging.processing(messages[:2], "group"):
        assert context.traceparent.get() not in (None, SAMPLED)
        raise KeyError("x")
    assert kept.spans[0].failed and context.traceparent.get() is None


@pytest.mark.parametrize(
    ("sql", "found"),
    [
        ("SELECT * FROM payments.act($1, $2)", ("SELECT", "payments.act")),
        ("SELECT otp.delivered($1)", ("SELECT", "otp.delivered")),
        ("\n  UPDATE payments.payments SET stage = $3", ("UPDATE", "payments.payments")),
        ("WITH x AS (DELETE FROM otp.challenges c) SELECT 1", ("WITH", "otp.challenges")),
        ("SELECT 1", ("SELECT", "")),
        ("transaction", ("transaction", "")),
    ],
)
def test_a_statement_is_summed_up_by_names(sql: str, found: tuple[str, str]) -> None:
    assert summary(sql) == found
