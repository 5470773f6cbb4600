"""An entry of the trail as a document of the search index. Standard library only.

The data of the event stays one text: whatever shape it has it can be searched, and can neither be refused by
the index nor make its list of fields grow. The few fields that people count and filter by stand beside it.
"""

import hashlib
import json
import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any

from payments.audit.domain import Entry
from payments.audit.exports.masking import masked

# Searches and the indexer know a day by its alias payment-audit-2026.01.31; behind it stands an index
# audit-trail-<generation>-2026.01.31, so that another one can take its place at one moment.
ALIAS, INDICES = "payment-audit", "audit-trail"
_WORD = re.compile(r"[A-Za-z0-9_.-]{1,64}")
_DAY = re.compile(r"-(\d{4})\.(\d\d)\.(\d\d)$")
_MAX_LONG = 2**63 - 1

TEMPLATE_VERSION = 1  # grows with each change of the template
_KEYWORD = {"type": "keyword", "ignore_above": 1024}
#: An index template (composable: Elasticsearch from 7.8 on, OpenSearch).
TEMPLATE = {
    "index_patterns": [f"{INDICES}-*"],
    "priority": 500,
    "version": TEMPLATE_VERSION,
    "template": {
        "settings": {"number_of_shards": 1, "auto_expand_replicas": "0-1", "refresh_interval": "1s"},
        "mappings": {
            "dynamic": False,
            "properties": {
                "@timestamp": {"type": "date"},
                "seq": {"type": "long"},
                "event_id": _KEYWORD,
                "payment_id": _KEYWORD,
                "customer_id": _KEYWORD,
                "source": _KEYWORD,
                "source_sequence": {"type": "long"},
                "type": _KEYWORD,
                "status": _KEYWORD,
                "risk_level": _KEYWORD,
                "currency": _KEYWORD,
                "amount": {"type": "long"},
                "payload": {"type": "text"},
                "prev_hash": _KEYWORD,
                "hash": _KEYWORD,
            },
        },
    },
}


@dataclass(frozen=True, slots=True)
class Document:
    """What the index keeps of an entry. `body` is JSON in one fixed form: equal ones have equal bytes."""

    id: str
    day: date
    body: bytes

    @property
    def digest(self) -> str:
        """SHA-256 of the body."""
        return hashlib.sha256(self.body).hexdigest()


def document(entry: Entry) -> Document:
    """The entry, masked; numbers and states of its data as fields where there are any."""
    fact = entry.fact
    payload = masked(fact.payload)
    body = {
        "@timestamp": fact.time.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z"),
        "seq": entry.seq,
        "event_id": fact.event_id,
        "payment_id": fact.payment_id,
        "customer_id": fact.customer_id,
        "source": fact.source,
        "source_sequence": fact.source_sequence,
        "type": fact.type,
        "payload": payload,
        "prev_hash": entry.prev_hash,
        "hash": entry.hash,
        **_fields(payload),
    }
    return Document(fact.event_id, day(fact.time), canonical(body))


def canonical(body: dict[str, Any]) -> bytes:
    """JSON in one fixed form."""
    return json.dumps(body, sort_keys=True, separators=(",", ":")).encode()


def day(moment: datetime) -> date:
    """The day, in UTC, of whose index an event of this moment is."""
    return moment.astimezone(UTC).date()


def index(of: date, *, prefix: str = ALIAS) -> str:
    """The name of a day's alias, or with another prefix of its index."""
    return f"{prefix}-{of.isoformat().replace('-', '.')}"


def day_of_index(name: str) -> date | None:
    """The day of an index or alias, by its name; None when it is none of ours."""
    found = _DAY.search(name)
    try:
        return date(*map(int, found.groups())) if found else None
    except ValueError:
        return None


def horizon(now: datetime, retention: timedelta) -> date:
    """The first day that is kept."""
    try:
        return day(now - retention)
    except OverflowError:
        return date.min


def _fields(payload: str) -> dict[str, Any]:
    data = json.loads(payload)
    if not isinstance(data, dict):
        return {}
    assessment = data.get("assessment")
    public = assessment.get("public") if isinstance(assessment, dict) else None
    words = {
        "status": data.get("status"),
        "currency": data.get("currency"),
        "risk_level": public.get("level") if isinstance(public, dict) else None,
    }
    fields: dict[str, Any] = {
        name: word for name, word in words.items() if isinstance(word, str) and _WORD.fullmatch(word)
    }
    amount = data.get("amount")
    if isinstance(amount, int) and not isinstance(amount, bool) and abs(amount) <= _MAX_LONG:
        fields["amount"] = amount
    return fields
