"""The proof on whole books, and on books that somebody damaged."""

import random
from collections import Counter
from datetime import UTC, datetime, timedelta

import psycopg
import pytest

from payments.verification.checks import EVERYTHING, TRAIL
from payments.verification.snapshot import Snapshot
from tests.integration.verification.damages import DAMAGES
from tests.integration.verification.plants import Connection, plant
from tests.integration.verification.world import World

PLANTED = 50


def kinds(connection: Connection) -> set[str]:
    """Kinds of everything that the checks of the books say now, within the connection's transaction."""
    at = datetime.now(UTC)
    now = Snapshot(connection, {"at": at, "cutoff": at, "since": None, "sure": at - timedelta(days=1)})
    outcomes = [now.run(check) for check in EVERYTHING if check not in TRAIL]
    return {mismatch.kind for outcome in outcomes for mismatch in outcome.mismatches}


def test_whole_books_are_found_whole(world: World) -> None:
    assert world.statuses["succeeded"] > 60, world.statuses
    counted: dict[str, int] = {}
    for command in ("money", "reconcile", "run"):
        answer = world.verify(world.stack.servers.database, command, "--grace", "0", "--format", "json")
        assert answer.code == 0, answer.output + answer.errors
        counted |= {check["check"]: check["counted"] for check in answer.report["checks"]}
    empty = {name for name, number in counted.items() if not number}
    assert empty == {"held_money_equals_holds"}, "a check that looked at nothing proves nothing"


def test_planted_mismatches_are_all_found_by_kind_and_id(world: World) -> None:
    with world.copy() as (name, connection):
        planted = plant(connection, random.Random(world.seed), PLANTED)
        print(f"SEED={world.seed}, planted {dict(Counter(kind for kind, _ in planted))}")  # noqa: T201
        assert len(set(planted)) == PLANTED
        assert len({kind for kind, _ in planted}) >= 6
        found = world.found(name, "reconcile")
        assert found == set(planted), f"seed {world.seed}"


@pytest.mark.parametrize("damage", DAMAGES)
def test_damage_is_named(scratch: Connection, damage: str) -> None:
    statements, expected = DAMAGES[damage]
    with scratch.transaction(force_rollback=True):
        for statement in statements.split(";"):
            scratch.execute(statement.encode())
        assert kinds(scratch) == expected
    assert kinds(scratch) == set()


def test_what_is_on_its_way_is_no_mismatch(world: World) -> None:
    """A posting just made, its payment still processing; without a grace period it shows."""
    with world.copy() as (name, connection):
        (payment,) = connection.execute(
            "SELECT id FROM payments.payments WHERE status = 'succeeded' ORDER BY id DESC LIMIT 1"
        ).fetchone() or ("",)
        connection.execute(
            "UPDATE payments.payments SET status = 'processing', claim = 'x' WHERE id = %s",
            [payment],
        )
        late = {kind for kind, _ in world.found(name, "reconcile")}
        assert "status_differs" in late
        soon = world.verify(name, "reconcile", "--grace", "600", "--format", "json")
        said = {m["kind"] for check in soon.report["checks"] for m in check["mismatches"]}
        assert "status_differs" not in said


def test_since_leaves_out_what_was_looked_at_before(world: World) -> None:
    with world.copy() as (name, connection):
        plant(connection, random.Random(world.seed), 20)
        assert len(world.found(name, "reconcile", "--since", "2020-01-01T00:00:00Z")) == 20
        nothing = world.found(name, "reconcile", "--since", "2100-01-01T00:00:00Z")
        assert {kind for kind, _ in nothing} <= {"posted_twice"}  # entries carry no time of their own


def test_the_role_reads_books_and_changes_nothing(world: World) -> None:
    may = "has_table_privilege('verification', t, '{}')"
    changes = " OR ".join(may.format(right) for right in ("INSERT", "UPDATE", "DELETE", "TRUNCATE"))
    rights = f"""
        SELECT table_schema || '.' || table_name AS name, {may.format("SELECT")}, {changes}
        FROM (SELECT *, (quote_ident(table_schema) || '.' || quote_ident(table_name))::regclass AS t
              FROM information_schema.tables
              WHERE table_schema NOT IN ('pg_catalog', 'information_schema')) AS tables"""
    with world.connect(world.stack.servers.database) as connection:
        rows = connection.execute(rights.encode()).fetchall()
    assert not [name for name, _, changes in rows if changes]
    readable = {name for name, reads, _ in rows if reads}
    assert {
        "payments.payments",
        "accounts.entries",
        "bank.transfers",
        "audit.events",
        "kyc.outbox",
    } <= readable
    assert not {"gateway.users", "kyc.customers", "otp.challenges", "payments.idempotency_keys"} & readable
    host, port = world.stack.servers.postgres
    with psycopg.connect(
        host=host,
        port=port,
        dbname=world.stack.servers.database,
        user="verification",
        password="dev-verification",
        autocommit=True,
    ) as connection:
        for statement in ("DELETE FROM verification.runs", "UPDATE accounts.accounts SET posted_minor = 1"):
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                connection.execute(statement.encode())
