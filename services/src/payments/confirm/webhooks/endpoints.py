"""The webhook endpoints in PostgreSQL. The owner is part of every predicate; each change is an event, too."""

from datetime import timedelta

import msgspec
from msgspec import UNSET

from payments.common import context
from payments.common.clock import rfc3339
from payments.common.db import Database
from payments.common.errors import Problem
from payments.common.ids import new_id
from payments.confirm.answers import Answer
from payments.confirm.idempotency import Key
from payments.confirm.webhooks import signing
from payments.confirm.webhooks.bodies import CreateEndpoint, UpdateEndpoint
from payments.confirm.webhooks.keyed import Connection, Done, lock, once

LIMIT = 16  # endpoints a customer
SECRETS = 5  # that sign at a time, however often one is rolled

_DOCUMENT = "payments.webhook_endpoint_document(webhook_endpoints)::text"
_LIST = f"""
    SELECT {_DOCUMENT} FROM payments.webhook_endpoints WHERE customer_id = $1 ORDER BY id DESC"""  # noqa: S608
_SHOW = f"""
    SELECT {_DOCUMENT} FROM payments.webhook_endpoints WHERE id = $1 AND customer_id = $2"""  # noqa: S608
_COUNT = "SELECT count(*) FROM payments.webhook_endpoints WHERE customer_id = $1"
_INSERT = f"""
    INSERT INTO payments.webhook_endpoints (id, customer_id, url, enabled_events, description, metadata)
    VALUES ($1, $2, $3, $4, $5, $6) RETURNING {_DOCUMENT}"""  # noqa: S608
# An endpoint that is enabled again begins anew: what it failed before does not count.
_UPDATE = f"""
    UPDATE payments.webhook_endpoints SET
        url = coalesce($3, url), enabled_events = coalesce($4, enabled_events),
        description = CASE WHEN $5::boolean THEN $6::text ELSE description END,
        metadata = coalesce($7::jsonb, metadata),
        status = coalesce($8::text, status),
        disabled_reason = CASE $8::text WHEN 'enabled' THEN NULL
                                  WHEN 'disabled' THEN coalesce(disabled_reason, 'customer')
                                  ELSE disabled_reason END,
        failing_since = CASE WHEN $8::text = 'enabled' AND status = 'disabled' THEN NULL
                             ELSE failing_since END,
        updated_at = now()
    WHERE id = $1 AND customer_id = $2 RETURNING {_DOCUMENT}"""  # noqa: S608
# First what refers to it: whoever ends an attempt locks the delivery before the endpoint.
_DELETE_DELIVERIES = """
    DELETE FROM payments.webhook_deliveries WHERE endpoint_id =
        (SELECT id FROM payments.webhook_endpoints WHERE id = $1 AND customer_id = $2)"""
_DELETE = f"""
    DELETE FROM payments.webhook_endpoints WHERE id = $1 AND customer_id = $2 RETURNING {_DOCUMENT}"""  # noqa: S608
_RETIRE = """
    UPDATE payments.webhook_secrets SET expires_at = now() + $2
    WHERE endpoint_id = $1 AND expires_at IS NULL RETURNING expires_at"""
_FORGET = """
    DELETE FROM payments.webhook_secrets WHERE endpoint_id = $1 AND id NOT IN (
        SELECT id FROM payments.webhook_secrets WHERE endpoint_id = $1 ORDER BY id DESC LIMIT $2)"""
_NEW_SECRET = "INSERT INTO payments.webhook_secrets (endpoint_id, secret) VALUES ($1, $2)"  # noqa: S105
_EMIT = "SELECT payments.emit($1, 'payment-events', $2, $3, $4, $5)"


class Endpoints:
    """Reads and writes endpoints.

    Args:
        overlap: how long a rolled secret goes on signing beside the new one.
    """

    def __init__(self, database: Database, *, overlap: timedelta) -> None:
        self._database = database
        self._overlap = overlap

    async def page(self, customer: str) -> bytes:
        """All of a customer's endpoints, newest first."""
        rows = await self._database.fetch(_LIST, customer)
        data = [msgspec.Raw(row[0].encode()) for row in rows]
        return msgspec.json.encode({"object": "list", "data": data, "has_more": False})

    async def show(self, endpoint: str, customer: str) -> bytes:
        """An endpoint. Raises Problem(not_found)."""
        return _found(await self._database.fetchval(_SHOW, endpoint, customer))

    async def create(self, body: CreateEndpoint, key: Key) -> Answer:
        """201 with the endpoint and its secret. Raises Problem(webhook_endpoint_limit)."""

        async def work(connection: Connection) -> Done:
            if await connection.fetchval(_COUNT, key.owner) >= LIMIT:
                raise Problem("webhook_endpoint_limit", f"A customer has at most {LIMIT} webhook endpoints")
            endpoint, secret = new_id(), signing.new_secret()
            document = await connection.fetchval(
                _INSERT,
                endpoint,
                key.owner,
                body.url,
                list(dict.fromkeys(body.enabled_events)),
                body.description,
                msgspec.json.encode(body.metadata).decode(),
            )
            await connection.execute(_NEW_SECRET, endpoint, secret)
            await _emit(connection, "created", key.owner, document)
            return Done(endpoint, 201, _with(document, secret=secret))

        answer = await once(self._database, key, work)
        endpoint = msgspec.json.decode(answer.body)["id"]
        return answer._replace(location=f"/v1/webhook_endpoints/{endpoint}")

    async def update(self, endpoint: str, customer: str, body: UpdateEndpoint) -> bytes:
        """The endpoint as it is now; disabling cancels what waits for it. Raises Problem(not_found)."""
        metadata = None if body.metadata is UNSET else msgspec.json.encode(body.metadata).decode()
        events = None if body.enabled_events is UNSET else list(dict.fromkeys(body.enabled_events))
        async with self._database.transaction() as connection:
            await lock(connection, customer)
            document = await connection.fetchval(
                _UPDATE,
                endpoint,
                customer,
                None if body.url is UNSET else body.url,
                events,
                body.description is not UNSET,
                None if body.description is UNSET else body.description,
                metadata,
                None if body.status is UNSET else body.status,
            )
            found = _found(document)
            if body.status == "disabled":
                await connection.execute("SELECT payments.cancel_webhooks($1)", endpoint)
            await _emit(connection, "updated", customer, document)
        return found

    async def delete(self, endpoint: str, customer: str) -> bytes:
        """Delete an endpoint with its deliveries; events stay. Raises Problem(not_found)."""
        async with self._database.transaction() as connection:
            await lock(connection, customer)
            await connection.execute(_DELETE_DELIVERIES, endpoint, customer)
            document = await connection.fetchval(_DELETE, endpoint, customer)
            _found(document)
            await _emit(connection, "deleted", customer, document)
        return msgspec.json.encode({"id": endpoint, "object": "webhook_endpoint", "deleted": True})

    async def roll_secret(self, endpoint: str, key: Key) -> Answer:
        """200 with the endpoint and its new secret; the old one goes on signing for the overlap."""

        async def work(connection: Connection) -> Done:
            document = await connection.fetchval(_SHOW, endpoint, key.owner)
            _found(document)
            secret = signing.new_secret()
            until = await connection.fetchval(_RETIRE, endpoint, self._overlap)
            await connection.execute(_NEW_SECRET, endpoint, secret)
            await connection.execute(_FORGET, endpoint, SECRETS)
            await _emit(connection, "secret_rolled", key.owner, document)
            return Done(endpoint, 200, _with(document, secret=secret, old_secret_expires_at=rfc3339(until)))

        return await once(self._database, key, work)


def _found(document: str | None) -> bytes:
    if document is None:
        raise Problem("not_found", "There is no such webhook endpoint")
    return document.encode()


def _with(document: str, **more: str) -> bytes:
    return msgspec.json.encode(msgspec.json.decode(document) | more)


async def _emit(connection: Connection, what: str, customer: str, document: str) -> None:
    await connection.execute(
        _EMIT, new_id(), customer, f"webhook_endpoint.{what}", document, context.traceparent.get()
    )
