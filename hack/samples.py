"""hack/sample N: N verified customers with a user and a USD account each, in the sample platform.

Prints one JSON line for each: {"username", "password", "customer_id", "account_number"}. For trials and load
tests of a dev platform; each run makes new ones.
"""

from __future__ import annotations

import argparse
import json
import secrets
from decimal import Decimal, InvalidOperation

from hack.command import exit_with
from hack.kubectl import Cluster
from hack.up import NAMESPACE

_HASH = "import sys; from payments.gateway.passwords import hash_password as h; print(h(sys.stdin.read()))"

# All in one transaction: a customer has either everything or nothing.
_CREATE = """
BEGIN;
CREATE TEMPORARY TABLE fresh AS
    SELECT 'sample_' || :'run' || '_' || n AS id, 'SMP' || upper(:'run') || lpad(n::text, 5, '0') AS account
    FROM generate_series(1, :'count'::int) AS n;
INSERT INTO kyc.customers (customer_id, name, email, country, status, level)
    SELECT id, 'Sample Customer ' || id, id || '@example.com', 'US', 'verified', 'full' FROM fresh;
INSERT INTO gateway.users (user_id, username, customer_id, role, password_hash)
    SELECT 'user_' || id, id, id, 'customer', :'hash' FROM fresh;
SELECT count(accounts.open_account(account, id, 'USD', :'balance'::bigint)::text) FROM fresh;
COMMIT;
SELECT id, account FROM fresh;
"""


def main() -> int:
    """Create the customers; 0 when all exist, 1 when the platform did not take them (then none exists)."""
    parser = argparse.ArgumentParser(prog="hack/sample", description=__doc__)
    parser.add_argument("count", type=int, metavar="N", help="how many customers (1 to 10000)")
    parser.add_argument("--balance", default="1000.00", help="opening balance in USD (1000.00)")
    parser.add_argument("--namespace", default=NAMESPACE, help=f"namespace of the platform ({NAMESPACE})")
    arguments = parser.parse_args()
    if not 1 <= arguments.count <= 10_000:
        parser.error("N must be from 1 to 10000")
    try:
        balance = Decimal(arguments.balance) * 100
    except InvalidOperation:
        balance = Decimal(-1)
    if not 0 <= balance <= 10**12 or balance != balance.to_integral_value():
        parser.error("--balance must be an amount such as 1000.00")
    for line in create(Cluster.from_environment(), arguments.namespace, arguments.count, int(balance)):
        print(json.dumps(line))
    return 0


def create(cluster: Cluster, namespace: str, count: int, balance: int) -> list[dict[str, str]]:
    """Make the customers; `balance` in cents. Raises CalledProcessError, then nothing was made."""
    password = secrets.token_urlsafe(12)
    # The platform's own hasher; the password goes through standard input, not through the process list.
    hashed = cluster.kubectl(
        *("-n", namespace, "exec", "-i", "deploy/api-gateway", "--", "python3", "-c", _HASH), stdin=password
    ).strip()
    variables = {"run": secrets.token_hex(3), "count": str(count), "balance": str(balance), "hash": hashed}
    rows = cluster.sql(namespace, _CREATE, **variables)
    return [
        {"username": row[0], "password": password, "customer_id": row[0], "account_number": row[1]}
        for row in rows
        if len(row) == 2
    ]


if __name__ == "__main__":
    exit_with(main)
