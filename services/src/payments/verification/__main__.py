"""Proves that no money is lost or doubled.

    money      the ledger in itself, payments and refunds against it, outboxes
    reconcile  payments, ledger, partner bank and audit trail against each other
    run        both, the audit trail's hash chain and its anchors in Kafka; the result is kept in the database

Reads one snapshot of the database, as a role that can only read. DATABASE_* and KAFKA_BOOTSTRAP_SERVERS lead
there. What is younger than the grace period may still be on its way from one book to the next.
"""

import argparse
import asyncio
import logging
import sys
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg
from aiokafka.errors import KafkaError
from psycopg.types.json import Jsonb

from payments.audit.anchors import Anchor, read
from payments.common.brokers import Brokers
from payments.common.settings import DatabaseSettings, KafkaSettings
from payments.verification.checks import COMMANDS
from payments.verification.report import Report, as_json, as_text, document
from payments.verification.snapshot import connect, snapshot

GRACE = timedelta(minutes=5)
#: The audit service anchors every minute; a rollout may take some.
ANCHORED_WITHIN = timedelta(minutes=15)


def main(arguments: Sequence[str] | None = None) -> int:
    """0: nothing is wrong; 1: something is; 2: wrong arguments; 3: database or Kafka could not be read."""
    options = _parser().parse_args(arguments)
    logging.basicConfig(stream=sys.stderr, level=logging.INFO, format="%(asctime)s %(message)s")
    logging.getLogger("aiokafka").setLevel(logging.ERROR)
    began = datetime.now(UTC)
    try:
        anchors = asyncio.run(read(_kafka())) if options.command == "run" else []
        with connect(DatabaseSettings()) as connection:  # type: ignore[call-arg]  # from the environment
            grace = timedelta(seconds=options.grace)
            since = getattr(options, "since", None)
            with snapshot(connection, grace=grace, since=since, **_values(anchors, grace)) as books_now:
                outcomes = tuple(books_now.run(check) for check in COMMANDS[options.command])
                report = Report(options.command, books_now.at, options.grace, outcomes)
            if options.command == "run":
                _record(connection, began, report)
    except (psycopg.Error, KafkaError, OSError, TimeoutError) as error:
        sys.stderr.write(f"error: could not verify: {error}\n")
        return 3
    sys.stdout.write((as_json(report) if options.format == "json" else as_text(report)) + "\n")
    return 0 if report.ok else 1


def _values(anchors: Sequence[Anchor], grace: timedelta) -> dict[str, Any]:
    return {
        "anchor_sequences": [anchor.sequence for anchor in anchors],
        "anchor_hashes": [anchor.hash for anchor in anchors],
        "anchor_counts": [anchor.count for anchor in anchors],
        "anchor_times": [anchor.time for anchor in anchors],
        "anchored_within": max(grace, ANCHORED_WITHIN),
    }


def _record(connection: "psycopg.Connection[Any]", began: datetime, report: Report) -> None:
    wrong = {outcome.check: outcome.wrong for outcome in report.outcomes}
    connection.execute(
        "SELECT verification.record(%s, %s, %s, %s)",
        [began, report.ok, Jsonb(wrong), Jsonb(document(report))],
    )


def _kafka() -> Brokers:
    return KafkaSettings().brokers  # type: ignore[call-arg]  # filled from the environment


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python3 -m payments.verification",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    commands = parser.add_subparsers(dest="command", required=True)
    for name in ("money", "reconcile", "run"):
        command = commands.add_parser(name)
        command.add_argument("--format", choices=("text", "json"), default="text")
        command.add_argument(
            "--grace",
            type=float,
            default=GRACE.total_seconds(),
            help="seconds that something may be on its way (default %(default)s)",
        )
        if name == "reconcile":
            command.add_argument(
                "--since", type=_moment, help="leave out what has not changed since, RFC 3339"
            )
    return parser


def _moment(text: str) -> datetime:
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        raise argparse.ArgumentTypeError("must have a zone, as in 2026-01-31T12:00:00Z")
    return moment


if __name__ == "__main__":
    sys.exit(main())
