"""Many payments, written as the services would have written them, onto books that are whole."""

from datetime import UTC
from pathlib import Path
from typing import Any

import psycopg
from psycopg import sql

from payments.audit.domain import Fact, Head, extend

Connection = psycopg.Connection[tuple[Any, ...]]
PAGE = 50_000

_STEPS = Path(__file__).with_suffix(".sql")
_TOLD = """
SELECT event_id, key, source, sequence, type, date_trunc('milliseconds', created_at), payload::text
FROM (SELECT 'confirm-service' AS source, * FROM payments.outbox WHERE topic = 'payment-events'
      UNION ALL SELECT 'account-service', * FROM accounts.outbox) AS told
WHERE NOT EXISTS (SELECT FROM audit.events AS e WHERE e.event_id = told.event_id)"""


def write(connection: Connection, count: int) -> int:
    """About `count` payments with all that belongs to them; returns the number of ledger entries."""
    connection.execute(_STEPS.read_text().replace("{count}", str(count)).encode())
    _record(connection)
    connection.execute("VACUUM (ANALYZE)")
    row = connection.execute("SELECT count(*) FROM accounts.entries").fetchone()
    assert row is not None
    return int(row[0])


def _record(connection: Connection) -> None:
    """The audit trail of what was told, by the service's own hash chain."""
    head = Head(*(connection.execute("SELECT seq, hash FROM audit.head").fetchone() or ()))
    columns = "seq, event_id, payment_id, source, source_sequence, type, time, payload, prev_hash, hash"
    copy = sql.SQL("COPY audit.events ({}) FROM STDIN").format(sql.SQL(columns))
    rows = connection.execute(_TOLD.encode()).fetchall()
    for start in range(0, len(rows), PAGE):
        facts = [
            Fact(
                event_id=event,
                payment_id=payment,
                customer_id=None,
                source=source,
                source_sequence=number,
                type=type_,
                time=time.astimezone(UTC),
                payload=payload,
            )
            for event, payment, source, number, type_, time, payload in rows[start : start + PAGE]
        ]
        entries = extend(head, facts)
        head = Head(entries[-1].seq, entries[-1].hash)
        with connection.cursor().copy(copy) as out:
            for entry in entries:
                fact = entry.fact
                out.write_row(
                    (
                        entry.seq,
                        fact.event_id,
                        fact.payment_id,
                        fact.source,
                        fact.source_sequence,
                        fact.type,
                        fact.time,
                        fact.payload,
                        entry.prev_hash,
                        entry.hash,
                    )
                )
    connection.execute("UPDATE audit.head SET seq = %s, hash = %s", [head.seq, head.hash])
