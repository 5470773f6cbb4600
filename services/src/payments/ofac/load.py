"""Puts a sanctions list in force: python3 -m payments.ofac.load FOLDER.

FOLDER holds sdn.csv and, when there are, alt.csv, add.csv and sdn_comments.csv, as published. The services
take the new list over within a second. Loading the list that is in force changes nothing.
"""

import argparse
import sys
import time
from pathlib import Path

import psycopg

from payments.ofac.connect import connection
from payments.ofac.loading import load
from payments.ofac.sdn import FILES, ListError, read


def main() -> int:
    """0 when the list is in force, 1 when the database did not take it, 2 when it is no list."""
    parser = argparse.ArgumentParser(
        prog="python3 -m payments.ofac.load",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("folder", type=Path)
    parser.add_argument("--source", default="OFAC_SDN_LIST", help="where the list is from")
    parser.add_argument("--by", required=True, help="who loads it; kept with the list")
    arguments = parser.parse_args()
    began = time.monotonic()
    try:
        found = read(
            {name: path.read_bytes() for name in FILES if (path := arguments.folder / name).exists()}
        )
    except (ListError, OSError) as error:
        sys.stderr.write(f"error: {error}\n")
        return 2
    sys.stdout.write(f"{len(found.entries)} entries read ({time.monotonic() - began:.1f} s)\n")
    sys.stdout.flush()
    try:
        with connection() as opened:
            list_id = load(opened, found, source=arguments.source, by=arguments.by)
    except psycopg.Error as error:
        sys.stderr.write(f"error: the database did not take the list: {error}\n")
        return 1
    sys.stdout.write(f"list {list_id} is in force ({time.monotonic() - began:.1f} s)\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
