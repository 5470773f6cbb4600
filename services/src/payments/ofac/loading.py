"""Writes lists and rules into the schema `ofac`; for the command line and the demo data, so synchronous."""

import psycopg

from payments.ofac.domain.decision import Action
from payments.ofac.sdn import SanctionsList


def load(connection: psycopg.Connection, found: SanctionsList, *, source: str, by: str) -> int:
    """Store a list and put it in force in one transaction; the same list again changes nothing.

    Returns:
        the list's id.
    """
    with connection.transaction(), connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtext('ofac.list_versions'))")
        active = cursor.execute("SELECT id, hash FROM ofac.list_versions WHERE active").fetchone()
        if active is not None and active[1] == found.hash:
            return int(active[0])
        row = cursor.execute(
            "INSERT INTO ofac.list_versions (source, hash, entries, loaded_by)"
            " VALUES (%s, %s, %s, %s) RETURNING id",
            (source, found.hash, len(found.entries), by),
        ).fetchone()
        assert row is not None
        list_id = int(row[0])
        with cursor.copy(
            "COPY ofac.entries (list_id, ent_num, type, name, programs, countries, remarks) FROM STDIN"
        ) as copy:
            for entry in found.entries:
                programs, countries = list(entry.programs), list(entry.countries)
                copy.write_row(
                    (list_id, entry.ent_num, entry.type, entry.primary, programs, countries, entry.remarks)
                )
        with cursor.copy("COPY ofac.aliases (list_id, ent_num, number, kind, name) FROM STDIN") as copy:
            for entry in found.entries:
                for number, alias in enumerate(entry.names[1:], 1):
                    copy.write_row((list_id, entry.ent_num, number, alias.kind, alias.text))
        cursor.execute("UPDATE ofac.list_versions SET active = false WHERE active")
        cursor.execute("UPDATE ofac.list_versions SET active = true WHERE id = %s", (list_id,))
        return list_id


def add_rule(
    connection: psycopg.Connection,
    *,
    customer_id: str,
    action: Action,
    ent_num: int | None,
    reason: str,
    by: str,
) -> bool:
    """Put a rule in force; False when the same one is already."""
    cursor = connection.execute(
        "INSERT INTO ofac.rules (customer_id, action, ent_num, reason, made_by) VALUES (%s, %s, %s, %s, %s)"
        " ON CONFLICT DO NOTHING",
        (customer_id, action, ent_num, reason, by),
    )
    return cursor.rowcount == 1


def revoke_rules(connection: psycopg.Connection, *, customer_id: str, action: Action) -> int:
    """End the customer's rules of this kind; returns how many there were."""
    cursor = connection.execute(
        "UPDATE ofac.rules SET revoked_at = now()"
        " WHERE customer_id = %s AND action = %s AND revoked_at IS NULL",
        (customer_id, action),
    )
    return cursor.rowcount
