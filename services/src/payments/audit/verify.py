"""Proves the audit trail: python3 -m payments.audit.verify [--anchor SEQ:HASH] [--without-kafka].

Recomputes every hash of the chain, compares its end with the one noted beside it, and looks for sequence
numbers of the sources that are missing. An anchor is an entry that was noted elsewhere before: all those of
the Kafka topic audit-anchors must still stand, and one given by hand, for example from the service's log line
"audit chain head". Prints a JSON report.
"""

import argparse
import asyncio
import sys

import msgspec
from aiokafka.errors import KafkaError

from payments.audit.anchors import read
from payments.audit.domain import Head
from payments.audit.store import Store
from payments.audit.usecases import Report, parse_anchor, verify
from payments.common.db import Database
from payments.common.errors import Problem
from payments.common.settings import DatabaseSettings, KafkaSettings


def main() -> int:
    """0 when the trail is intact and complete, 1 when not, 3 when database or Kafka did not answer."""
    parser = argparse.ArgumentParser(
        prog="python3 -m payments.audit.verify",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--anchor", type=parse_anchor, help="an entry noted before, SEQ:HASH")
    parser.add_argument(
        "--without-kafka", action="store_true", help="leave out the anchors of the topic audit-anchors"
    )
    parser.add_argument("--last", type=int, help="check only that many entries at the end")
    arguments = parser.parse_args()
    try:
        report = asyncio.run(_run(arguments))
    except Problem as error:
        sys.stderr.write(f"error: {error.detail}\n")
        return 3
    except (KafkaError, OSError, TimeoutError) as error:
        sys.stderr.write(f"error: the anchors could not be read: {error!r}\n")
        return 3
    sys.stdout.write(msgspec.json.format(msgspec.json.encode(report)).decode() + "\n")
    return 0 if report.intact and report.complete else 1


async def _run(arguments: argparse.Namespace) -> Report:
    anchors = [] if arguments.anchor is None else [arguments.anchor]
    if not arguments.without_kafka:
        kafka = KafkaSettings()  # type: ignore[call-arg]  # filled from the environment
        anchors += [Head(a.sequence, a.hash) for a in await read(kafka.brokers)]
    settings = DatabaseSettings()  # type: ignore[call-arg]  # filled from the environment
    async with Database(settings, application="audit-verify") as database:
        return await verify(Store(database), last=arguments.last, anchors=anchors)


if __name__ == "__main__":
    sys.exit(main())
