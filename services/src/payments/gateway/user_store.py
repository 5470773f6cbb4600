"""Users as operators administer them. What takes access away ends it at once: the generation grows."""

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from payments.common.db import Database
from payments.common.ids import new_id
from payments.gateway.domain import Person
from payments.gateway.store import END_SESSION, INSERT_EVENT, about, event, user_of

if TYPE_CHECKING:
    import asyncpg
    from asyncpg.pool import PoolConnectionProxy

_COLUMNS = "user_id, username, customer_id, role, generation, password_hash, disabled, created_at, updated_at"
_LIST = f"SELECT {_COLUMNS} FROM gateway.users WHERE user_id > $1 ORDER BY user_id LIMIT $2"  # noqa: S608
_GET = f"SELECT {_COLUMNS} FROM gateway.users WHERE user_id = $1"  # noqa: S608
_BY_NAME = f"SELECT {_COLUMNS} FROM gateway.users WHERE username = $1"  # noqa: S608
_INSERT = f"""
INSERT INTO gateway.users (user_id, username, customer_id, role, password_hash) VALUES ($1, $2, $3, $4, $5)
ON CONFLICT (username) DO NOTHING RETURNING {_COLUMNS}"""  # noqa: S608
_UPDATE = f"""
UPDATE gateway.users SET role = $2, customer_id = $3, disabled = $4,
    password_hash = coalesce($5, password_hash), generation = generation + $6, updated_at = now()
WHERE user_id = $1 RETURNING {_COLUMNS}"""  # noqa: S608


@dataclass(frozen=True, slots=True)
class Account:
    """A user as administered."""

    person: Person
    disabled: bool
    created_at: datetime
    updated_at: datetime


@dataclass(frozen=True, slots=True)
class Change:
    """What is to become of a user; None leaves it. `customer_id` counts with a new role alone."""

    role: str | None = None
    customer_id: str | None = None
    disabled: bool | None = None
    password_hash: str | None = None


@dataclass(frozen=True, slots=True)
class Changed:
    """The user now; `ended` is the mark of the generation that ended, if one did."""

    account: Account
    ended: str | None


class UserStore:
    """All methods raise Problem(service_unavailable) when the database is away.

    Args:
        revocation_seconds: how long the end of a generation matters: an access token's life and a margin.
    """

    def __init__(self, database: Database, *, revocation_seconds: float) -> None:
        self._database = database
        self._revocation_seconds = revocation_seconds

    async def page(self, after: str, limit: int) -> list[Account]:
        """Users in the order of their ids, from the one after `after`."""
        return [_account(row) for row in await self._database.fetch(_LIST, after, limit)]

    async def get(self, user_id: str) -> Account | None:
        """The user of that id."""
        row = await self._database.fetchrow(_GET, user_id)
        return None if row is None else _account(row)

    async def by_name(self, username: str) -> Account | None:
        """The user of that name."""
        row = await self._database.fetchrow(_BY_NAME, username)
        return None if row is None else _account(row)

    async def create(
        self, username: str, role: str, customer_id: str | None, password_hash: str, *, by: str
    ) -> Account | None:
        """A new user, None when the name is taken; event user.created."""
        async with self._database.transaction() as connection:
            row = await connection.fetchrow(
                _INSERT, f"user_{new_id()}", username, customer_id, role, password_hash
            )
            if row is None:
                return None
            account = _account(row)
            await _tell(connection, "user.created", account, by)
            return account

    async def change(
        self, user_id: str, change: Change, *, by: str, generation: int | None = None
    ) -> Changed | None:
        """Change a user; None when there is none, or it has another `generation` than the one named.

        Another role, a new password and disabling end all sessions. Events user.changed and
        user.password_changed; a change that changes nothing writes nothing.
        """
        async with self._database.transaction() as connection:
            row = await connection.fetchrow(f"{_GET} FOR UPDATE", user_id)
            if row is None or generation not in (None, row["generation"]):
                return None
            before = _account(row)
            role = change.role or before.person.role
            customer = (change.customer_id if change.role else before.person.customer_id) or None
            disabled = before.disabled if change.disabled is None else change.disabled
            same = (role, customer or "") == (before.person.role, before.person.customer_id)
            if same and disabled == before.disabled and change.password_hash is None:
                return Changed(before, None)
            ends = not same or change.password_hash is not None or (disabled and not before.disabled)
            row = await connection.fetchrow(
                _UPDATE, user_id, role, customer, disabled, change.password_hash, int(ends)
            )
            assert row is not None
            account = _account(row)
            if not same or disabled != before.disabled:
                await _tell(connection, "user.changed", account, by)
            if change.password_hash is not None:
                await _tell(connection, "user.password_changed", account, by)
            if not ends:
                return Changed(account, None)
            await self._end(connection, before.person, by)
            return Changed(account, before.person.mark)

    async def _end(self, connection: "PoolConnectionProxy[asyncpg.Record]", person: Person, by: str) -> None:
        data = {**about(person), "generation": person.generation, "by": by}
        await connection.execute(
            END_SESSION,
            *event(person.subject, "user.sessions_ended", data),
            person.mark,
            person.user_id,
            "user",
            self._revocation_seconds,
        )


async def _tell(
    connection: "PoolConnectionProxy[asyncpg.Record]", kind: str, account: Account, by: str
) -> None:
    status = "disabled" if account.disabled else "active"
    data = {**about(account.person), "username": account.person.username, "status": status, "by": by}
    await connection.execute(INSERT_EVENT, *event(account.person.subject, kind, data))


def _account(row: Any) -> Account:
    user = user_of(row)
    return Account(user.person, user.disabled, row["created_at"], row["updated_at"])
