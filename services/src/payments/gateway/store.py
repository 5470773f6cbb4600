"""Users, sessions and revocations in PostgreSQL. Every change writes its audit event with it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

import msgspec

from payments.common import context
from payments.common.db import Database
from payments.common.ids import new_id
from payments.contracts.event import PAYMENT_EVENTS
from payments.gateway.domain import CUSTOMER, Person, refresh_hash

SCHEMA = "gateway"
REVISION = "0003"
# A revocation outlives the last access token that it concerns by this much.
REVOCATION_MARGIN_SECONDS = 60

_USER = "SELECT user_id, username, customer_id, role, generation, password_hash, disabled FROM gateway.users"
INSERT_EVENT = """INSERT INTO gateway.outbox (event_id, topic, key, type, payload, traceparent)
            VALUES ($1, $2, $3, $4, $5::jsonb, $6)"""
_OPEN_SESSION = f"""
WITH event AS ({INSERT_EVENT})
INSERT INTO gateway.refresh_tokens (token_hash, session_id, user_id, expires_at, generation)
VALUES ($7, $8, $9, now() + make_interval(secs => $10), $11)"""  # noqa: S608
END_SESSION = """
WITH ended AS (
  INSERT INTO gateway.revoked_tokens (session_id, user_id, reason, expires_at)
  VALUES ($7, $8, $9, now() + make_interval(secs => $10)) ON CONFLICT DO NOTHING RETURNING session_id)
INSERT INTO gateway.outbox (event_id, topic, key, type, payload, traceparent)
SELECT $1, $2, $3, $4, $5::jsonb, $6 FROM ended"""
_LOCKED = """
SELECT t.session_id, t.used_at, t.expires_at, t.expires_at <= now() AS expired,
       EXISTS (SELECT FROM gateway.revoked_tokens r WHERE r.session_id = t.session_id) AS revoked,
       t.generation <> u.generation AS ended,
       u.user_id, u.username, u.customer_id, u.role, u.generation, u.password_hash, u.disabled
FROM gateway.refresh_tokens t JOIN gateway.users u USING (user_id)
WHERE t.token_hash = $1 FOR UPDATE OF t"""
_ROTATE = """
WITH used AS (UPDATE gateway.refresh_tokens SET used_at = now() WHERE token_hash = $1)
INSERT INTO gateway.refresh_tokens (token_hash, session_id, user_id, expires_at, generation)
VALUES ($2, $3, $4, $5, $6)"""
_REVOKED_SINCE = """
SELECT session_id, extract(epoch FROM expires_at - now())::float8 AS seconds FROM gateway.revoked_tokens
WHERE revoked_at >= $1 AND expires_at > now()"""
_KEY_IN_USE = """
WITH changed AS (
  INSERT INTO gateway.keys_in_use (purpose, kid) VALUES ($7, $8)
  ON CONFLICT (purpose) DO UPDATE SET kid = excluded.kid, since = now() WHERE keys_in_use.kid <> excluded.kid
  RETURNING kid)
INSERT INTO gateway.outbox (event_id, topic, key, type, payload, traceparent)
SELECT $1, $2, $3, $4, $5::jsonb, $6 FROM changed"""
_PURGE = """
WITH revoked AS (DELETE FROM gateway.revoked_tokens WHERE expires_at < now() - interval '1 hour')
DELETE FROM gateway.refresh_tokens WHERE expires_at < now() - interval '1 day'"""


@dataclass(frozen=True, slots=True)
class User:
    """A row of users."""

    person: Person
    password_hash: str
    disabled: bool


@dataclass(frozen=True, slots=True)
class Rotation:
    """What became of a refresh token that was handed in."""

    outcome: Literal["rotated", "reused", "refused"]
    person: Person | None = None
    session_id: str = ""


class Store:
    """The gateway's schema. All methods raise Problem(service_unavailable) when the database is away."""

    def __init__(self, database: Database, *, access_seconds: int, session_seconds: int) -> None:
        self._database = database
        self._revocation_seconds = float(access_seconds + REVOCATION_MARGIN_SECONDS)
        self._session_seconds = float(session_seconds)

    async def ready(self) -> bool:
        """True when the schema has what this version needs."""
        return await self._database.ready(SCHEMA, REVISION)

    async def ping(self) -> None:
        """Raises Problem when the database is away."""
        await self._database.fetchval("SELECT 1", timeout=2)

    async def user(self, username: str) -> User | None:
        """The user of that name."""
        row = await self._database.fetchrow(f"{_USER} WHERE username = $1", username)
        return None if row is None else user_of(row)

    async def rehash(self, user_id: str, old: str, new: str) -> None:
        """Keep a hash of the same password with today's parameters, unless the password changed meanwhile."""
        await self._database.execute(
            "UPDATE gateway.users SET password_hash = $3 WHERE user_id = $1 AND password_hash = $2",
            user_id,
            old,
            new,
        )

    async def open_session(self, person: Person, session_id: str, refresh_token: str, *, client: str) -> None:
        """Begin a session; event user.logged_in."""
        data = {**about(person), "session_id": session_id, "client_ip": client}
        await self._database.execute(
            _OPEN_SESSION,
            *event(person.subject, "user.logged_in", data),
            refresh_hash(refresh_token),
            session_id,
            person.user_id,
            self._session_seconds,
            person.generation,
        )

    async def login_failed(self, person: Person | None, *, client: str) -> None:
        """Event user.login_failed; an unknown name is not kept, for people type passwords there."""
        data: dict[str, str | None] = {"user_id": None} if person is None else {**about(person)}
        key = "unknown" if person is None else person.subject
        await self._database.execute(
            INSERT_EVENT, *event(key, "user.login_failed", {**data, "client_ip": client})
        )

    async def end_session(self, person: Person, session_id: str, *, client: str) -> None:
        """Revoke all tokens of a session; event user.logged_out. Ending it again changes nothing."""
        data = {**about(person), "session_id": session_id, "client_ip": client}
        await self._database.execute(
            END_SESSION,
            *event(person.subject, "user.logged_out", data),
            session_id,
            person.user_id,
            "logout",
            self._revocation_seconds,
        )

    async def rotate(self, old: str, new: str, *, client: str) -> Rotation:
        """Exchange a refresh token for `new`, once.

        A token that was used before has leaked (or its thief was faster): the whole session ends, with
        event token.reuse_detected (RFC 9700, 4.14.2). One of an earlier generation of its person is refused.
        """
        async with self._database.transaction() as connection:
            row = await connection.fetchrow(_LOCKED, refresh_hash(old))
            if row is None or row["expired"] or row["revoked"] or row["disabled"] or row["ended"]:
                return Rotation("refused")
            person, session_id = user_of(row).person, row["session_id"]
            if row["used_at"] is None:
                await connection.execute(
                    _ROTATE,
                    refresh_hash(old),
                    refresh_hash(new),
                    session_id,
                    person.user_id,
                    row["expires_at"],
                    person.generation,
                )
                return Rotation("rotated", person, session_id)
            data = {**about(person), "session_id": session_id, "client_ip": client}
            await connection.execute(
                END_SESSION,
                *event(person.subject, "token.reuse_detected", data),
                session_id,
                person.user_id,
                "reuse",
                self._revocation_seconds,
            )
            return Rotation("reused", person, session_id)

    async def is_revoked(self, marks: Sequence[str]) -> bool:
        """True when the session, or all of its person's, has ended."""
        found = await self._database.fetchval(
            "SELECT EXISTS (SELECT FROM gateway.revoked_tokens WHERE session_id = ANY($1))", list(marks)
        )
        return bool(found)

    async def now(self) -> datetime:
        """The database's clock."""
        moment: datetime = await self._database.fetchval("SELECT now()")
        return moment

    async def revoked_since(self, moment: datetime) -> list[tuple[str, float]]:
        """Sessions and generations revoked since then, and the seconds for which they must be remembered."""
        rows = await self._database.fetch(_REVOKED_SINCE, moment)
        return [(row["session_id"], row["seconds"]) for row in rows]

    async def key_in_use(self, purpose: str, kid: str) -> None:
        """Event keys.rotated, unless that is known."""
        data = {"purpose": purpose, "kid": kid}
        await self._database.execute(_KEY_IN_USE, *event(purpose, "keys.rotated", data), purpose, kid)

    async def purge(self) -> None:
        """Forget tokens and revocations that have expired long ago."""
        await self._database.execute(_PURGE)

    @property
    def revocation_seconds(self) -> float:
        """How long a revocation matters: the life of an access token and a margin."""
        return self._revocation_seconds


def user_of(row: Any) -> User:
    """The user of a row that has all columns."""
    customer_id = row["customer_id"] if row["role"] == CUSTOMER else ""
    person = Person(row["user_id"], row["username"], customer_id, row["role"], row["generation"])
    return User(person, row["password_hash"], row["disabled"])


def about(person: Person) -> dict[str, str]:
    """What events say of a person."""
    return {"user_id": person.user_id, "customer_id": person.customer_id, "role": person.role}


def event(key: str, kind: str, data: dict[str, Any]) -> tuple[str | None, ...]:
    """Arguments of INSERT_EVENT."""
    payload = {**data, "request_id": context.request_id.get()}
    return (
        new_id(),
        PAYMENT_EVENTS,
        key,
        kind,
        msgspec.json.encode(payload).decode(),
        context.traceparent.get(),
    )
