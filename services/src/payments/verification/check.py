"""What a check is. Its SQL lies in sql/<name>.sql: rows (kind text, id text, detail jsonb), one for each
thing that is wrong, answered by sets and never row by row.

The SQL may use

    %(cutoff)s   what is younger may still be on its way from one book to the next
    %(since)s    what has not changed since was looked at before; NULL for everything
    %(sure)s     what is younger is in every outbox, pruned or not
    {outboxes}   the rows of all outboxes, with their `source`
    {hash}       the hash that a row of audit.events should have
"""

from dataclasses import dataclass
from functools import cache
from pathlib import Path

_SQL = Path(__file__).parent / "sql"

# SHA-256 over the entry in canonical JSON, as payments/audit/domain.py describes it.
_HASH = """encode(sha256(convert_to(
    '{"customer_id":' || coalesce(to_json(customer_id)::text, 'null')
    || ',"event_id":' || to_json(event_id)::text
    || ',"payload":' || to_json(payload::text)::text
    || ',"payment_id":' || coalesce(to_json(payment_id)::text, 'null')
    || ',"prev_hash":' || to_json(prev_hash)::text
    || ',"seq":' || seq
    || ',"source":' || to_json(source)::text
    || ',"source_sequence":' || source_sequence
    || ',"time":"' || to_char(time AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')
    || '","type":' || to_json(type)::text || '}', 'UTF8')), 'hex')"""


@dataclass(frozen=True, slots=True)
class Check:
    """One question to the database.

    Args:
        about: what holds when nothing is wrong.
        counted: what is looked at, to be counted: a table, with a condition if need be.
    """

    name: str
    about: str
    counted: str

    def count(self, outboxes: str) -> str:
        """SQL of how many things are looked at."""
        return f"SELECT count(*) FROM {self.counted}".replace("{outboxes}", outboxes)  # noqa: S608

    def wrong(self, outboxes: str) -> str:
        """SQL of what is wrong."""
        return _text(self.name).replace("{outboxes}", outboxes).replace("{hash}", _HASH)


@cache
def _text(name: str) -> str:
    return (_SQL / f"{name}.sql").read_text()
