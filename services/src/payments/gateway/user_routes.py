"""Users, as operators administer them."""

import re

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from payments.common.clock import rfc3339
from payments.common.errors import Problem
from payments.common.routes import reply
from payments.gateway import answers, body
from payments.gateway.auth_routes import check_password
from payments.gateway.domain import AUDITOR, CUSTOMER, OPERATOR, Session
from payments.gateway.gate import signed_in
from payments.gateway.models import (
    ChangeUserRequest,
    CreateUserRequest,
    NoQuery,
    PageQuery,
    ResetPasswordRequest,
)
from payments.gateway.operations import Operation
from payments.gateway.passthrough import query
from payments.gateway.password_policy import new_password
from payments.gateway.passwords import Passwords
from payments.gateway.revocations import Revocations
from payments.gateway.user_store import Account, Change, Changed, UserStore

_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,127}")


class UserRoutes:
    """Endpoints under /v1/users."""

    def __init__(self, users: UserStore, passwords: Passwords, revocations: Revocations) -> None:
        self._users = users
        self._passwords = passwords
        self._revocations = revocations
        self._create = msgspec.json.Decoder(CreateUserRequest)
        self._change = msgspec.json.Decoder(ChangeUserRequest)
        self._reset = msgspec.json.Decoder(ResetPasswordRequest)

    async def list(self, request: Request) -> Response:
        """A page of users."""
        signed_in(request, OPERATOR, AUDITOR)
        asked = query(request, PageQuery)
        given = msgspec.convert(dict(request.query_params), PageQuery, strict=False) if asked else PageQuery()
        found = await self._users.page(given.starting_after or "", given.limit + 1)
        data = [_shown(account) for account in found[: given.limit]]
        return reply({"object": "list", "data": data, "has_more": len(found) > given.limit})

    async def read(self, request: Request) -> Response:
        """One user."""
        signed_in(request, OPERATOR, AUDITOR)
        query(request, NoQuery)
        account = await self._users.get(_user_id(request))
        if account is None:
            raise Problem("user_not_found")
        return reply(_shown(account))

    async def create(self, request: Request) -> Response:
        """A new user."""
        operator = signed_in(request, OPERATOR)
        given = body.decode(self._create, (await body.read(request)).raw or b"{}")
        check_customer(given.role, given.customer_id)
        password = given.password if given.password is not None else new_password()
        check_password(password, given.username)
        account = await self._users.create(
            given.username,
            given.role,
            given.customer_id,
            await self._passwords.hash(password),
            by=operator.person.user_id,
        )
        if account is None:
            raise Problem("username_taken", errors=[{"field": "username", "message": "is taken"}])
        shown = _shown(account, None if given.password is not None else password)
        return reply(shown, 201, {"Location": f"/v1/users/{account.person.user_id}"})

    async def change(self, request: Request) -> Response:
        """Disable, enable, or give another role."""
        operator = signed_in(request, OPERATOR)
        given = body.decode(self._change, (await body.read(request)).raw or b"{}")
        user_id = _user_id(request, other_than=operator)
        if given.role is not None or given.customer_id is not None:
            check_customer(given.role, given.customer_id)
        disabled = None if given.status is None else given.status == "disabled"
        change = Change(role=given.role, customer_id=given.customer_id, disabled=disabled)
        changed = await self._users.change(user_id, change, by=operator.person.user_id)
        return reply(_shown((await self._announced(changed)).account))

    async def reset_password(self, request: Request) -> Response:
        """Give a new password to somebody who lost the old one."""
        operator = signed_in(request, OPERATOR)
        given = body.decode(self._reset, (await body.read(request)).raw or b"{}")
        user_id = _user_id(request, other_than=operator)
        account = await self._users.get(user_id)
        if account is None:
            raise Problem("user_not_found")
        password = given.password if given.password is not None else new_password()
        check_password(password, account.person.username)
        change = Change(password_hash=await self._passwords.hash(password))
        changed = await self._users.change(user_id, change, by=operator.person.user_id)
        account = (await self._announced(changed)).account
        return reply(_shown(account, None if given.password is not None else password))

    async def _announced(self, changed: Changed | None) -> Changed:
        if changed is None:
            raise Problem("user_not_found")
        if changed.ended is not None:
            await self._revocations.announce(changed.ended)
        return changed


def check_customer(role: str | None, customer_id: str | None) -> None:
    """Raises Problem(validation_failed) unless customers, and they alone, have a customer id."""
    if (role == CUSTOMER) != (customer_id is not None):
        message = "is needed for the role customer, and for no other"
        raise Problem("validation_failed", errors=[{"field": "customer_id", "message": message}])


def _user_id(request: Request, *, other_than: Session | None = None) -> str:
    user_id = str(request.path_params["id"])
    if not _ID.fullmatch(user_id):
        raise Problem("user_not_found")
    if other_than is not None and user_id == other_than.person.user_id:
        detail = "Operators change others, not themselves, so that there is always one left"
        raise Problem("illegal_state", detail)
    return user_id


def _shown(account: Account, password: str | None = None) -> answers.User:
    person = account.person
    return answers.User(
        id=person.user_id,
        object="user",
        username=person.username,
        role=person.role,  # type: ignore[arg-type]  # checked by the table
        customer_id=person.customer_id or None,
        status="disabled" if account.disabled else "active",
        created_at=rfc3339(account.created_at),
        updated_at=rfc3339(account.updated_at),
        password=password,
    )


def operations(users: UserRoutes) -> list[Operation]:
    """Administration of users."""
    return [
        Operation(
            method="POST",
            path="/v1/users",
            summary="Create a user",
            description="Operators only. Without `password` one is made and shown this once.",
            tag="Users",
            endpoint=users.create,
            request=CreateUserRequest,
            response=answers.User,
            status=201,
            errors=("forbidden", "username_taken"),
        ),
        Operation(
            method="GET",
            path="/v1/users",
            summary="List users",
            description="Operators and auditors only.",
            tag="Users",
            endpoint=users.list,
            query=PageQuery,
            response=answers.Page[answers.User],
            errors=("forbidden",),
        ),
        Operation(
            method="GET",
            path="/v1/users/{id}",
            summary="Read a user",
            description="Operators and auditors only.",
            tag="Users",
            endpoint=users.read,
            query=NoQuery,
            response=answers.User,
            errors=("forbidden", "user_not_found"),
        ),
        Operation(
            method="PATCH",
            path="/v1/users/{id}",
            summary="Disable or enable a user, or change the role",
            description="Operators only. Disabling and another role end all of the user's sessions at once.",
            tag="Users",
            endpoint=users.change,
            request=ChangeUserRequest,
            response=answers.User,
            errors=("forbidden", "user_not_found", "illegal_state"),
        ),
        Operation(
            method="POST",
            path="/v1/users/{id}/password",
            summary="Give a user a new password",
            description="Operators only. All of the user's sessions end at once.",
            tag="Users",
            endpoint=users.reset_password,
            request=ResetPasswordRequest,
            response=answers.User,
            errors=("forbidden", "user_not_found", "illegal_state"),
        ),
    ]
