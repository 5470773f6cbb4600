"""A payment as it went: its traces as trees, its events, its ledger entries, its part of the audit chain."""

from __future__ import annotations

import hashlib
import json
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import Any

from kubectl_pp.kube import Failed, Kube
from kubectl_pp.spans import Trace, tree

Object = dict[str, Any]
SECONDS = 15
#: Every trace of a payment goes through it.
SERVICE = "confirm-service"
TAG = "payment.id"
#: One JSON object; `:'payment'` is psql's quoting of the id.
QUERY = """SELECT json_build_object(
  'payment', (SELECT row_to_json(p) FROM (
      SELECT id, status, amount_minor, currency FROM payments.payments WHERE id = :'payment') AS p),
  'events', (SELECT coalesce(json_agg(e ORDER BY e.created_at, e.source, e.id), '[]') FROM (
      SELECT 'confirm-service' AS source, id, type, topic, traceparent, created_at, published_at
      FROM payments.outbox WHERE key = :'payment'
      UNION ALL SELECT 'account-service', id, type, topic, traceparent, created_at, published_at
      FROM accounts.outbox WHERE key = :'payment'
      UNION ALL SELECT 'otp-service', id, type, topic, traceparent, created_at, published_at
      FROM otp.outbox WHERE key = :'payment') AS e),
  'entries', (SELECT coalesce(json_agg(n ORDER BY n.id), '[]') FROM (
      SELECT n.id, t.kind, n.account_number, n.amount_minor, n.currency, n.created_at
      FROM accounts.entries n JOIN accounts.transfers t ON t.id = n.transfer_id
      WHERE t.payment_id = :'payment') AS n),
  'audit', (SELECT coalesce(json_agg(a ORDER BY a.seq), '[]') FROM (
      SELECT a.seq, a.event_id, a.payment_id, a.customer_id, a.source, a.source_sequence, a.type,
          to_char(a.time AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') AS time,
          a.payload::text AS payload, a.prev_hash, a.hash,
          coalesce(b.hash, repeat('0', 64)) AS hash_before
      FROM audit.events a LEFT JOIN audit.events b ON b.seq = a.seq - 1
      WHERE a.payment_id = :'payment') AS a))"""


def records(kube: Kube, payment: str) -> Object:
    """What the database of the platform knows of the payment. Raises Failed when it is not there."""
    output = kube.run(
        *("exec", "--stdin", "postgres-0", "--container", "postgres", "--"),
        *("psql", "-U", "postgres", "-d", "payment_db", "-AtqX", "-v", "ON_ERROR_STOP=1"),
        *("-v", f"payment={payment}"),
        stdin=QUERY,
    )
    found: Object = json.loads(output)
    if found["payment"] is None:
        raise Failed(f"there is no payment {payment} on this platform")
    return found


def traces(url: str, payment: str) -> list[Trace]:
    """Traces that name the payment, oldest first, from Jaeger's API. Raises Failed when it gives none."""
    week = 7 * 24 * 3600
    query = {
        "service": SERVICE,
        "tags": json.dumps({TAG: payment}),
        "start": int((time.time() - week) * 1e6),
        "end": int((time.time() + 60) * 1e6),
        "limit": 100,
    }
    try:
        address = f"{url}/api/traces?{urllib.parse.urlencode(query)}"
        with urllib.request.urlopen(address, timeout=SECONDS) as response:
            found = json.load(response)["data"] or []
    except (OSError, ValueError, KeyError) as error:
        raise Failed(f"Jaeger at {url} does not answer: {error}") from None
    return sorted((Trace.of(item) for item in found), key=lambda trace: trace.start)


def told(found: Object, spans: Sequence[Trace] | str) -> Iterator[str]:
    """The lines. `spans` is the reason when there are no traces to look at."""
    payment = found["payment"]
    amount = f"{payment['amount_minor']} minor units of {payment['currency']}"
    yield f"Payment {payment['id']}: {payment['status']}, {amount}"
    yield ""
    if isinstance(spans, str):
        yield f"Traces: {spans}"
    for trace in [] if isinstance(spans, str) else spans:
        yield from tree(trace)
        yield ""
    if not spans:
        yield "Traces: none is recorded (not sampled, or too old)"
    yield f"Events ({len(found['events'])})"
    for event in found["events"]:
        sent = "" if event["published_at"] else "  NOT YET SENT"
        at, to = _time(event["created_at"]), event["topic"]
        yield f"  {at}  {event['source']:<16} {event['type']} -> {to}{sent}"
    yield f"Ledger entries ({len(found['entries'])}), sum {sum(e['amount_minor'] for e in found['entries'])}"
    for entry in found["entries"]:
        account = masked(entry["account_number"])
        amount = f"{entry['amount_minor']:+d} {entry['currency']}"
        yield f"  {_time(entry['created_at'])}  {account:<24} {amount:>16}  {entry['kind']}"
    yield f"Audit chain ({len(found['audit'])})"
    for entry in found["audit"]:
        wrong = fault(entry)
        yield f"  {entry['seq']:>8}  {entry['type']:<24} {entry['hash'][:12]}  {wrong or 'holds'}"


def well(found: Object) -> bool:
    """Whether the ledger balances and the audit chain holds."""
    balance: dict[str, int] = {}
    for entry in found["entries"]:
        balance[entry["currency"]] = balance.get(entry["currency"], 0) + entry["amount_minor"]
    return not any(balance.values()) and not any(fault(entry) for entry in found["audit"])


def fault(entry: Object) -> str:
    """What is wrong with an entry of the chain (see `payments.audit.domain`), empty when nothing is."""
    names = [
        *("customer_id", "event_id", "payload", "payment_id", "prev_hash", "seq"),
        *("source", "source_sequence", "time", "type"),
    ]
    record = {name: entry[name] for name in names}
    text = json.dumps(record, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    if hashlib.sha256(text.encode()).hexdigest() != entry["hash"]:
        return "ITS CONTENT DOES NOT FIT ITS HASH"
    return "" if entry["prev_hash"] == entry["hash_before"] else "DOES NOT CONTINUE THE ENTRY BEFORE"


def masked(account: str) -> str:
    """An account number with all but its last four characters hidden; internal accounts have names."""
    return account if account.startswith("internal.") else "*" * max(0, len(account) - 4) + account[-4:]


def _time(text: str) -> str:
    return datetime.fromisoformat(text).astimezone(UTC).strftime("%H:%M:%S.%f")[:-3]
