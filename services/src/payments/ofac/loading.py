"""Writes lists into the schema `ofac`: for the command line, refreshes and demo data; synchronous."""

from dataclasses import dataclass

import psycopg

from payments.ofac.sdn import SanctionsList

# A list with less than this share of the entries or names of the one in force is taken for a broken one.
SMALLEST_SHARE = 0.8


class ListRefused(Exception):
    """A list that is none to put in force; the message tells why and how to insist."""


@dataclass(frozen=True, slots=True)
class Loaded:
    """The list in force; `new` is False when it was so before."""

    list_id: int
    new: bool


def load(
    connection: psycopg.Connection, found: SanctionsList, *, source: str, by: str, insist: bool = False
) -> Loaded:
    """Store a list and put it in force in one transaction; the same list again changes nothing.

    Args:
        insist: take a list, too, that is much smaller than the one in force.

    Raises:
        ListRefused: it is much smaller; the list in force stays.
    """
    with connection.transaction(), connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtext('ofac.list_versions'))")
        active = cursor.execute(
            "SELECT id, hash, entries, names FROM ofac.list_versions WHERE active"
        ).fetchone()
        if active is not None and active[1] == found.hash:
            return Loaded(int(active[0]), new=False)
        if active is not None and not insist:
            _compare("entries", active[2], len(found.entries))
            _compare("names", active[3], found.names)
        row = cursor.execute(
            "INSERT INTO ofac.list_versions (source, hash, entries, names, bytes, loaded_by)"
            " VALUES (%s, %s, %s, %s, %s, %s) RETURNING id",
            (source, found.hash, len(found.entries), found.names, found.bytes, by),
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
        return Loaded(list_id, new=True)


def _compare(what: str, now: int, then: int) -> None:
    if then < SMALLEST_SHARE * now:
        raise ListRefused(
            f"the list has {then} {what}, the one in force {now}: it looks cut short; if it is right, load it"
            " with `python3 -m payments.ofac.load --insist`"
        )


def block(connection: psycopg.Connection, *, customer_id: str, reason: str, by: str) -> bool:
    """Block a customer; False when they are blocked already."""
    cursor = connection.execute(
        "INSERT INTO ofac.rules (customer_id, action, reason, made_by)"
        " SELECT %s, 'block', %s, %s WHERE NOT EXISTS (SELECT FROM ofac.rules WHERE customer_id = %s"
        " AND action = 'block' AND revoked_at IS NULL AND expires_at IS NULL)",
        (customer_id, reason, by, customer_id),
    )
    return cursor.rowcount == 1
