"""What people and programs read of a verification."""

import json
from datetime import UTC, datetime

from payments.verification.report import Mismatch, Outcome, Report, as_json, as_text

AT = datetime(2026, 1, 31, 12, tzinfo=UTC)
FINE = Outcome("entries_sum_to_zero", "they do", counted=10, wrong=0, mismatches=(), seconds=0.1)
MISMATCH = Mismatch("amount_differs", "pay-1", {"amount": 5, "posted": 7, "between": "payments and ledger"})
BAD = Outcome("payments_are_posted_once", "each is", counted=3, wrong=2, mismatches=(MISMATCH,), seconds=0.2)


def test_whole_books() -> None:
    report = Report("money", AT, 300, (FINE,))
    assert report.ok
    assert as_text(report).splitlines() == [
        "ok    entries_sum_to_zero           0 of 10  they do (0.10 s)",
        "money: nothing is wrong at 2026-01-31T12:00:00+00:00",
    ]


def test_what_is_wrong_is_named_and_counted() -> None:
    report = Report("reconcile", AT, 300, (FINE, BAD))
    text = as_text(report)
    assert "WRONG payments_are_posted_once            2 of 3" in text
    assert "amount_differs pay-1: amount 5, posted 7, between payments and ledger" in text
    assert "… and 1 more" in text
    assert text.endswith("reconcile: 2 things are wrong at 2026-01-31T12:00:00+00:00")
    document = json.loads(as_json(report))
    assert (document["ok"], document["wrong"], document["grace_seconds"]) == (False, 2, 300)
    assert document["checks"][1]["mismatches"][0]["id"] == "pay-1"
