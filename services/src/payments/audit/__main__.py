"""The copies of the audit trail in other stores: python3 -m payments.audit search|points.

  search status    how far the search index has come, and how the engine is
  search verify    compare every row of PostgreSQL with its document, and name what differs
  search rebuild   make the index anew from PostgreSQL; searches see the old one until the new one is whole
  points status    how far the points in InfluxDB have come
  points rewrite   let audit-service write every point again; points overwrite themselves

Connections are those of the pod that it runs in (DATABASE_*, SEARCH_*, INFLUXDB_*), e.g.
  kubectl exec deploy/audit-service -- python3 -m payments.audit search verify
Progress goes to stderr, the result as JSON to stdout. All of it can be interrupted and run again.

Exit codes: 0 done (verify: equal); 1 verify: different; 2 wrong usage, or the copy is switched off;
3 the database or the store did not answer, or another rebuild is at work; 130 interrupted.
"""

import argparse
import asyncio
import dataclasses
import sys
import time
from typing import Any

import msgspec
from pydantic import ValidationError

from payments.audit.exports.comparison import Comparer
from payments.audit.exports.engine import Engine
from payments.audit.exports.loop import StoreError
from payments.audit.exports.positions import INFLUXDB, REBUILD, SEARCH, Position
from payments.audit.exports.rebuild import Busy, Rebuild
from payments.audit.exports.search import PATTERN, SearchIndex
from payments.audit.settings import InfluxSettings, SearchSettings
from payments.audit.store import Store
from payments.common.db import Database
from payments.common.errors import Problem
from payments.common.settings import DatabaseSettings

Result = tuple[int, dict[str, Any]]


class _Settings(DatabaseSettings, SearchSettings, InfluxSettings):
    """What the commands need of the pod's environment."""


class _Off(Exception):
    """The variable that is empty."""


def main(arguments: list[str] | None = None) -> int:
    """The command; returns its exit code."""
    given = _parser().parse_args(arguments)
    began = time.monotonic()
    try:
        settings = _Settings()  # type: ignore[call-arg]  # filled from the environment
        code, result = asyncio.run(_work(given, settings))
    except ValidationError as error:
        names = ", ".join(str(each["loc"][0]).upper() for each in error.errors())
        sys.stderr.write(f"error: set {names}: run this in a pod of audit-service\n")
        return 2
    except _Off as off:
        sys.stderr.write(f"error: {off} is empty, so this copy is switched off; set it on the platform\n")
        return 2
    except (StoreError, Problem, Busy) as error:
        sys.stderr.write(f"error: {_told(error)}; run it again to go on\n")
        return 3
    except KeyboardInterrupt:
        sys.stderr.write("interrupted; run it again to go on\n")
        return 130
    result["seconds"] = round(time.monotonic() - began, 1)
    sys.stdout.write(msgspec.json.format(msgspec.json.encode(result)).decode() + "\n")
    return code


def _told(error: Exception) -> str:
    if isinstance(error, Busy):
        return "another rebuild is at work"
    return str(error.detail) if isinstance(error, Problem) else str(error)


async def _work(given: argparse.Namespace, settings: _Settings) -> Result:
    async with Database(settings, application="audit-copies", timeout=30.0) as database:
        if given.copy == "points":
            return await _points(given, settings, Position(database, INFLUXDB))
        if not settings.search_url:
            raise _Off("SEARCH_URL")
        password = settings.search_password.get_secret_value()
        async with Engine(settings.search_url, settings.search_username, password) as engine:
            search = SearchIndex(engine, retention=settings.search_retention)
            store, position = Store(database), Position(database, SEARCH)
            if given.command == "verify":
                compared = await Comparer(engine, search, store, position, _say).compare()
                return 0 if compared.equal else 1, {"equal": compared.equal, **dataclasses.asdict(compared)}
            if given.command == "rebuild":
                rebuild = Rebuild(engine, search, store, position, Position(database, REBUILD), _say)
                done = await (rebuild.preview() if given.dry_run else rebuild.run())
                return 0, {"dry_run": given.dry_run, **dataclasses.asdict(done)}
            return 0, await _status(engine, search, position)


async def _status(engine: Engine, search: SearchIndex, position: Position) -> dict[str, Any]:
    standing = await position.standing()
    return {
        "engine": await engine.about(),
        "entries": standing.head,
        "copied": standing.seq,
        "waiting": standing.backlog,
        "first_day": search.horizon,
        "indices": len(await engine.indices(PATTERN)),
        "documents": await engine.count(PATTERN),
    }


async def _points(given: argparse.Namespace, settings: _Settings, position: Position) -> Result:
    if not settings.influxdb_url:
        raise _Off("INFLUXDB_URL")
    standing = await position.standing()
    if given.command == "rewrite" and not given.dry_run:
        await position.seize()
        await position.move(0)
        await position.release()
        _say("audit-service writes every point again; see the metric payments_audit_influxdb_backlog")
        standing = await position.standing()
    return 0, {"entries": standing.head, "copied": standing.seq, "waiting": standing.backlog}


def _say(line: str) -> None:
    sys.stderr.write(f"{time.strftime('%H:%M:%S')} {line}\n")
    sys.stderr.flush()


def _parser() -> argparse.ArgumentParser:
    raw = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(
        prog="python3 -m payments.audit", description=__doc__, formatter_class=raw
    )
    copies = parser.add_subparsers(dest="copy", required=True)
    search = copies.add_parser("search", help="the search index").add_subparsers(
        dest="command", required=True
    )
    search.add_parser("status", help="how far it has come")
    search.add_parser("verify", help="compare it with PostgreSQL")
    points = copies.add_parser("points", help="the points in InfluxDB").add_subparsers(
        dest="command", required=True
    )
    points.add_parser("status", help="how far they have come")
    for command in (
        search.add_parser("rebuild", help="make it anew"),
        points.add_parser("rewrite", help="write all again"),
    ):
        command.add_argument("--dry-run", action="store_true", help="tell what would be done, do nothing")
    return parser


if __name__ == "__main__":
    sys.exit(main())
