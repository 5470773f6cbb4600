"""Sends events once more: python3 -m payments.replay dead-letters|outbox.

Events keep their ids, and every consumer drops an event that it has had, so running it again does no harm.
Connections are those of the pod that it runs in (KAFKA_BOOTSTRAP_SERVERS; DATABASE_* for the outbox), e.g.
  kubectl exec deploy/audit-service -- python3 -m payments.replay dead-letters --topic payment-events.dlq
  kubectl exec deploy/confirm-service -- python3 -m payments.replay outbox --service confirm-service \\
      --since 2026-01-31T12:00:00Z

Exit codes: 0 done; 1 Kafka or the database did not answer (run it again to go on); 2 wrong usage;
3 there is no such event; 130 interrupted (run it again to go on).
"""

import argparse
import asyncio
import logging
import sys
import time
from collections.abc import Coroutine
from datetime import datetime

import asyncpg
from aiokafka.errors import KafkaError
from pydantic import ValidationError

from payments.common.errors import Problem
from payments.common.settings import DatabaseSettings, KafkaSettings
from payments.replay import dead_letters, outbox


class _Settings(DatabaseSettings, KafkaSettings):
    """Connections of the outbox command."""


def main(arguments: list[str] | None = None) -> int:
    """The command; returns its exit code."""
    logging.basicConfig(level=logging.ERROR)
    given = _parser().parse_args(arguments)
    began = time.monotonic()

    def say(line: str) -> None:
        sys.stdout.write(f"{time.strftime('%H:%M:%S')} {line}\n")
        sys.stdout.flush()

    try:
        done = asyncio.run(_work(given, say))
    except ValidationError as error:
        names = ", ".join(str(each["loc"][0]).upper() for each in error.errors())
        sys.stderr.write(f"error: set {names}: run this in a pod of the service\n")
        return 2
    except (KafkaError, OSError, TimeoutError, Problem, asyncpg.PostgresError) as error:
        told = error.detail if isinstance(error, Problem) else repr(error)
        sys.stderr.write(f"error: {told}; what was sent is sent: run it again to go on\n")
        return 1
    except KeyboardInterrupt:
        sys.stderr.write("interrupted; what was sent is sent: run it again to go on\n")
        return 130
    verb = "would be sent" if given.dry_run else "sent"
    say(f"{done} events {verb} ({time.monotonic() - began:.1f} s)")
    if given.event_id and not done:
        sys.stderr.write(f"error: there is no event {given.event_id}\n")
        return 3
    return 0


def _work(given: argparse.Namespace, say: outbox.Say) -> Coroutine[None, None, int]:
    if given.command == "dead-letters":
        kafka = KafkaSettings()  # type: ignore[call-arg]  # filled from the environment
        wanted = dead_letters.Wanted(
            given.topic, given.event_id, given.limit, given.dry_run, given.from_beginning
        )
        return dead_letters.replay(kafka.brokers, wanted, say)
    settings = _Settings()  # type: ignore[call-arg]  # filled from the environment
    chosen = outbox.Wanted(
        given.service, given.since, given.until, given.after, given.event_id, given.limit, given.dry_run
    )
    return outbox.replay(settings, settings.brokers, chosen, say)


def _parser() -> argparse.ArgumentParser:
    raw = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(
        prog="python3 -m payments.replay", description=__doc__, formatter_class=raw
    )
    commands = parser.add_subparsers(dest="command", required=True)
    common = argparse.ArgumentParser(add_help=False)
    common.add_argument("--dry-run", action="store_true", help="show what would be sent, send nothing")
    common.add_argument("--limit", type=_count, help="stop after that many events")
    common.add_argument("--event-id", help="only this event")

    dead = commands.add_parser(
        "dead-letters", parents=[common], description=dead_letters.__doc__, formatter_class=raw
    )
    dead.add_argument("--topic", required=True, type=_dead_letters, help="e.g. payment-events.dlq")
    dead.add_argument(
        "--from-beginning", action="store_true", help="also those that were sent once more before"
    )

    out = commands.add_parser("outbox", parents=[common], description=outbox.__doc__, formatter_class=raw)
    out.add_argument("--service", required=True, choices=list(outbox.SCHEMAS))
    out.add_argument("--since", required=True, type=_moment, help="RFC 3339, with a zone")
    out.add_argument("--until", type=_moment, help="RFC 3339, with a zone; default all")
    out.add_argument("--after", type=int, default=0, help="go on after this row, as a progress line told")
    return parser


def _moment(text: str) -> datetime:
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        raise ValueError("without a zone")
    return moment


def _dead_letters(text: str) -> str:
    if not text.endswith(dead_letters.SUFFIX):
        raise ValueError("no dead-letter topic")
    return text


def _count(text: str) -> int:
    number = int(text)
    if number < 1:
        raise ValueError("must be positive")
    return number


# What argparse says that a wrong value should have been.
_moment.__name__ = "time with a zone"
_count.__name__ = "positive number"
_dead_letters.__name__ = f"topic that ends in {dead_letters.SUFFIX}"


if __name__ == "__main__":
    sys.exit(main())
