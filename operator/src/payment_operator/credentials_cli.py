"""``python3 -m payment_operator.credentials_cli``: the missing Secrets of a plain Helm install."""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path

from payment_operator.apply import Writer
from payment_operator.catalog import ROTATING, schemas, secret_kinds
from payment_operator.cluster import Cluster, connect
from payment_operator.credentials import Keeper, Stamp
from payment_operator.errors import OperatorError
from payment_operator.kinds import BY_KIND
from payment_operator.manifest import Object
from payment_operator.settings import Settings

RETRY_SECONDS = 2.0
THREADS = 4
MANAGER = "Helm"


def main(arguments: list[str] | None = None) -> int:
    """Exit code 0: everything is there; 1: it could not be made; 2: wrong arguments."""
    options = _parser().parse_args(arguments)
    cluster = Cluster(connect(THREADS), timeout=10.0, threads=THREADS)
    writer = Writer(cluster, options.namespace)
    kinds = [
        kind
        for kind in secret_kinds(schemas(options.chart))
        if not kind.part or kind.part in options.parts.split(",")
    ]
    keeper = Keeper(cluster, writer, options.namespace, kinds)
    started = time.monotonic()
    while True:
        try:
            made = keeper.ensure(Stamp(options.release, MANAGER), None, write=True)
            for document in made.config_maps:
                _publish(cluster, options.namespace, document)
        except OperatorError as error:
            if error.final or time.monotonic() - started > options.timeout:
                print(f"failed: {error}", file=sys.stderr)  # noqa: T201
                return 1
            print(f"again in {RETRY_SECONDS:.0f} s: {error}", file=sys.stderr)  # noqa: T201
            time.sleep(RETRY_SECONDS)
            continue
        seconds = time.monotonic() - started
        print(f"{len(kinds) - len(ROTATING)} Secrets and 2 key sets are there ({seconds:.1f} s)")  # noqa: T201
        return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python3 -m payment_operator.credentials_cli",
        description="Make the platform's Secrets that are missing; none is ever replaced.",
    )
    parser.add_argument("--namespace", required=True, help="namespace of the platform")
    parser.add_argument("--release", default="", help="name of the Helm release, for labels")
    parser.add_argument(
        "--from-catalog", action="store_true", help="take the list from the chart's catalog (always)"
    )
    parser.add_argument(
        "--chart", type=Path, default=Settings().chart, help="folder of the chart (%(default)s)"
    )
    parser.add_argument(
        "--parts", default="", help="parts of the observability stack that run, separated by commas"
    )
    parser.add_argument(
        "--timeout", type=float, default=120.0, help="seconds to go on trying (default %(default)s)"
    )
    return parser


def _publish(cluster: Cluster, namespace: str, document: Object) -> None:
    """Public halves follow their keys, unless somebody else made the object first."""
    name = document["metadata"]["name"]
    kind = BY_KIND["ConfigMap"]
    present = cluster.get(kind, namespace, name)
    labels = (present or {}).get("metadata", {}).get("labels") or {}
    if present is None or labels.get("app.kubernetes.io/component") == "credentials":
        if present is None or present.get("data") != document["data"]:
            cluster.apply(kind, namespace, name, document)
            print(f"ConfigMap {name} written")  # noqa: T201


if __name__ == "__main__":
    raise SystemExit(main())
