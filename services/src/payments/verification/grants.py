"""What the role `verification` may read: the books and the outboxes, and nothing of passwords or people.

Granted by the migration Job after all owners, so that every table is there.
"""

import psycopg
from psycopg import sql

ROLE = "verification"
#: Tables by schema; besides them every outbox.
BOOKS = {
    "accounts": ("accounts", "balances", "holds", "transfers", "entries"),
    "payments": ("payments", "refunds"),
    "bank": ("transfers", "returns"),
    "audit": ("events", "head"),
}
_OUTBOXES = """
SELECT nspname FROM pg_class JOIN pg_namespace AS n ON n.oid = relnamespace
WHERE relname = 'outbox' AND relkind IN ('r', 'p')"""
#: Who tells of the last run on /metrics.
_METRICS_ROLE = "audit"


def grant(connection: psycopg.Connection) -> None:
    """Give the rights; safe to repeat. Raises psycopg.Error."""
    role = sql.Identifier(ROLE)
    tables = [(schema, table) for schema, names in BOOKS.items() for table in names]
    tables += [(row[0], "outbox") for row in connection.execute(_OUTBOXES)]
    for schema in sorted({schema for schema, _ in tables}):
        connection.execute(sql.SQL("GRANT USAGE ON SCHEMA {} TO {}").format(sql.Identifier(schema), role))
    for name in tables:
        connection.execute(sql.SQL("GRANT SELECT ON {} TO {}").format(sql.Identifier(*name), role))
    connection.execute(sql.SQL("GRANT EXECUTE ON FUNCTION accounts.mask(text) TO {}").format(role))
    reader = sql.Identifier(_METRICS_ROLE)
    connection.execute(sql.SQL("GRANT USAGE ON SCHEMA verification TO {}").format(reader))
    connection.execute(sql.SQL("GRANT SELECT ON verification.runs TO {}").format(reader))
