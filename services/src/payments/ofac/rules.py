"""Decisions of persons about customers: python3 -m payments.ofac.rules block|allow|revoke … --customer ID.

`block` stops every payment of a customer. `allow` clears a customer of an entry (or, without --entry, of all)
that only looks alike. The services follow within a second.
"""

import argparse
import sys

import psycopg

from payments.ofac.connect import connection
from payments.ofac.loading import add_rule, revoke_rules


def main() -> int:
    """0 when the rule is as asked, 1 when the database did not take it."""
    parser = argparse.ArgumentParser(
        prog="python3 -m payments.ofac.rules",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("action", choices=("block", "allow", "revoke-block", "revoke-allow"))
    parser.add_argument("--customer", required=True)
    parser.add_argument("--entry", type=int, help="ent_num of the entry, for allow")
    parser.add_argument("--reason", help="why; required to block or allow")
    parser.add_argument("--by", help="who decides; required to block or allow")
    arguments = parser.parse_args()
    revoke, _, action = arguments.action.rpartition("-")
    if not revoke and not (arguments.reason and arguments.by):
        parser.error("--reason and --by are required")
    if action == "block" and arguments.entry is not None:
        parser.error("--entry is for allow only")
    try:
        with connection() as opened:
            if revoke:
                count = revoke_rules(opened, customer_id=arguments.customer, action=action)
                sys.stdout.write(f"{count} rules revoked\n")
            else:
                new = add_rule(
                    opened,
                    customer_id=arguments.customer,
                    action=action,
                    ent_num=arguments.entry,
                    reason=arguments.reason,
                    by=arguments.by,
                )
                sys.stdout.write("the rule is in force\n" if new else "the rule was in force already\n")
    except psycopg.Error as error:
        sys.stderr.write(f"error: the database did not take the rule: {error}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
