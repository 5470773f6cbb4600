"""kubectl pp trace: a payment's trace as a tree, its records, and what is wrong with them."""

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from kubectl_pp import trace
from kubectl_pp.kube import Failed
from kubectl_pp.spans import Trace, tree
from payments.audit.domain import Fact, Head, extend
from payments.common.clock import utcnow


def span(id_: str, parent: str, start: int, process: str = "p1", **tags: Any) -> dict[str, Any]:
    references = [{"refType": "CHILD_OF", "spanID": parent}] if parent else []
    return {
        **{"spanID": id_, "operationName": f"op {id_}", "references": references, "processID": process},
        **{"startTime": 1_700_000_000_000_000 + start, "duration": 1500},
        "tags": [{"key": key, "value": value} for key, value in tags.items()],
    }


def data(*spans: dict[str, Any]) -> dict[str, Any]:
    processes = {"p1": {"serviceName": "api-gateway"}, "p2": {"serviceName": "confirm-service"}}
    return {"traceID": "t1", "spans": list(spans), "processes": processes}


FULL = data(
    span("c", "b", 2000, "p2", **{"payment.outcome": "succeeded"}),
    span("a", "", 0),
    span("b", "a", 1000, **{"peer.service": "confirm-service"}),
    span("d", "a", 3000),
)


def test_a_trace_is_a_tree_with_times() -> None:
    assert list(tree(Trace.of(FULL)))[2:] == [
        "      0.0       1.5  └─ api-gateway: op a",
        "      1.0       1.5     ├─ api-gateway: op b  (service=confirm-service)",
        "      2.0       1.5     │  └─ confirm-service: op c  (outcome=succeeded)",
        "      3.0       1.5     └─ api-gateway: op d",
    ]


def test_a_span_without_its_parent_is_shown_as_such() -> None:
    found = Trace.of(data(span("a", "client", 0), span("b", "gone", 5)))
    assert [item.id for item in found.orphans] == ["b"]
    assert [line.endswith("ORPHAN") for line in tree(found)][2:] == [False, True]


@pytest.fixture
def jaeger() -> Iterator[str]:
    """An API that knows the payment `p1` only."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            query = parse_qs(urlsplit(self.path).query)
            wanted = json.loads(query["tags"][0]) == {"payment.id": "p1"}
            assert query["service"] == ["confirm-service"]
            body = json.dumps({"data": [FULL] if wanted else None}).encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Quiet."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    yield f"http://127.0.0.1:{server.server_address[1]}"
    server.shutdown()
    server.server_close()


def test_jaeger_is_asked_by_payment(jaeger: str) -> None:
    assert [found.id for found in trace.traces(jaeger, "p1")] == ["t1"]
    assert trace.traces(jaeger, "p2") == []
    with pytest.raises(Failed, match="does not answer"):
        trace.traces("http://127.0.0.1:9", "p1")


def records() -> dict[str, Any]:
    facts = [
        Fact(f"e{n}", "p1", None, "confirm-service", n, "payment.created", utcnow(), f'{{"ä": {n}}}')
        for n in (1, 2)
    ]
    entries = extend(Head(), facts)
    at = "2026-01-31T12:00:00.5+00:00"
    return {
        "payment": {"id": "p1", "status": "succeeded", "amount_minor": 100, "currency": "USD"},
        "events": [
            {**{"source": "confirm-service", "type": "payment.created", "topic": "payment-events"}}
            | {"created_at": at, "published_at": None}
        ],
        "entries": [
            {"account_number": number, "amount_minor": amount, "currency": "USD", "kind": "payment"}
            | {"created_at": at}
            for number, amount in (("4111222233334444", -100), ("ACC002", 100))
        ],
        "audit": [
            {
                **{"seq": e.seq, "event_id": e.fact.event_id, "payment_id": "p1", "customer_id": None},
                **{"source": e.fact.source, "source_sequence": e.fact.source_sequence, "type": e.fact.type},
                **{"time": e.fact.time.strftime("%Y-%m-%dT%H:%M:%S.%fZ"), "payload": e.fact.payload},
                **{"prev_hash": e.prev_hash, "hash": e.hash, "hash_before": e.prev_hash},
            }
            for e in entries
        ],
    }


def test_records_are_told_with_accounts_masked() -> None:
    found = records()
    text = "\n".join(trace.told(found, [Trace.of(FULL)]))
    assert trace.well(found)
    assert "Payment p1: succeeded, 100 minor units of USD" in text
    assert "op c" in text and "NOT YET SENT" in text and "sum 0" in text
    assert "************4444" in text and "4111222233334444" not in text
    assert text.count("  holds") == 2
    assert "no Jaeger" in "\n".join(trace.told(found, "no Jaeger"))


def test_faults_are_found() -> None:
    forged = records()
    forged["audit"][1]["payload"] = "{}"
    assert not trace.well(forged)
    assert "DOES NOT FIT" in "\n".join(trace.told(forged, []))
    cut = records()
    cut["audit"][1]["hash_before"] = "0" * 64
    assert "DOES NOT CONTINUE" in "\n".join(trace.told(cut, [])) and not trace.well(cut)
    unbalanced = records()
    unbalanced["entries"].pop()
    assert not trace.well(unbalanced)
