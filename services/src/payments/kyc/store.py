"""Reads the schema `kyc`."""

from dataclasses import dataclass
from datetime import date

from payments.common.db import Database
from payments.kyc.domain import Customer, Kind

SCHEMA = "kyc"
REVISION = "0002"

_FIND = """
SELECT customer_id, status, level, kind, name, country, date_of_birth, documents_expire_on, version
FROM kyc.customers WHERE customer_id = $1"""
_CONTACT = "SELECT customer_id, name, email, phone, push_token FROM kyc.customers WHERE customer_id = $1"
_AFTER = """
SELECT customer_id, name, kind, country, date_of_birth FROM kyc.customers
WHERE customer_id > $1 ORDER BY customer_id LIMIT $2"""
_VERSION = "SELECT coalesce(max(version), 0) FROM kyc.customers"


@dataclass(frozen=True, slots=True)
class Contact:
    """Where a customer is reached: e-mail address, phone (E.164), device for push messages."""

    customer_id: str
    name: str
    email: str | None
    phone: str | None
    push_token: str | None


@dataclass(frozen=True, slots=True)
class Subject:
    """What is screened of a customer."""

    customer_id: str
    name: str
    kind: Kind
    country: str | None
    date_of_birth: date | None


class Store:
    """Customers. Every call raises Problem(service_unavailable) while the database is away."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def find(self, customer_id: str) -> Customer | None:
        """The customer, None when there is none."""
        row = await self._database.fetchrow(_FIND, customer_id)
        return None if row is None else Customer(**row)

    async def contact(self, customer_id: str) -> Contact | None:
        """Addresses of the customer, None when there is none."""
        row = await self._database.fetchrow(_CONTACT, customer_id)
        return None if row is None else Contact(**row)

    async def subjects(self, after: str, limit: int) -> list[Subject]:
        """Customers by their ids, for screening."""
        return [Subject(**row) for row in await self._database.fetch(_AFTER, after, limit)]

    async def version(self) -> int:
        """The number of the last change to any customer; it grows with every change."""
        return int(await self._database.fetchval(_VERSION))

    async def ready(self) -> bool:
        """True when the database answers with the schema that this code needs."""
        return await self._database.ready(SCHEMA, REVISION)
