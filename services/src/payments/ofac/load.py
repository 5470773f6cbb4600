"""Puts a sanctions list in force: python3 -m payments.ofac.load FOLDER.

FOLDER holds sdn.csv and, when there are, alt.csv, add.csv and sdn_comments.csv, as published. The services
take the new list over within a second. Loading the list that is in force changes nothing. With SHA256SUMS in
the folder each file is checked against it. A list that is broken, or much smaller than the one in force, is
refused, and the one in force stays.
"""

import argparse
import sys
import time
from pathlib import Path

import psycopg

from payments.common.settings import DatabaseSettings
from payments.common.sync_database import connect
from payments.ofac.loading import ListRefused, load
from payments.ofac.sdn import ListError, read
from payments.ofac.sources import SourceError, from_folder


def main() -> int:
    """0 when the list is in force, 1 when the database did not take it, 2 when it is no good list."""
    parser = argparse.ArgumentParser(
        prog="python3 -m payments.ofac.load",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("folder", type=Path)
    parser.add_argument("--source", default="OFAC_SDN_LIST", help="where the list is from")
    parser.add_argument("--by", required=True, help="who loads it; kept with the list")
    parser.add_argument("--insist", action="store_true", help="take a list that is much smaller, too")
    arguments = parser.parse_args()
    began = time.monotonic()
    try:
        found = read(from_folder(arguments.folder))
    except (ListError, SourceError) as error:
        sys.stderr.write(f"error: {error}\n")
        return 2
    sys.stdout.write(f"{len(found.entries)} entries read ({time.monotonic() - began:.1f} s)\n")
    sys.stdout.flush()
    try:
        settings = DatabaseSettings()  # type: ignore[call-arg]  # filled from the environment
        with connect(settings, "statement_timeout=2min") as opened:
            loaded = load(opened, found, source=arguments.source, by=arguments.by, insist=arguments.insist)
    except ListRefused as error:
        sys.stderr.write(f"error: {error}\n")
        return 2
    except psycopg.Error as error:
        sys.stderr.write(f"error: the database did not take the list: {error}\n")
        return 1
    sys.stdout.write(f"list {loaded.list_id} is in force ({time.monotonic() - began:.1f} s)\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
