"""Login, refresh, logout, and one's own password."""

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from payments.common.errors import Problem
from payments.common.ids import new_id
from payments.common.routes import reply
from payments.gateway import body
from payments.gateway.answers import Success, TokenResponse
from payments.gateway.domain import Person, new_refresh_token
from payments.gateway.gate import signed_in
from payments.gateway.guard import PASSWORD_PATH
from payments.gateway.models import LoginRequest, PasswordRequest, RefreshRequest
from payments.gateway.operations import Operation
from payments.gateway.password_policy import weakness
from payments.gateway.passwords import Passwords, outdated
from payments.gateway.revocations import Revocations
from payments.gateway.store import Store, User
from payments.gateway.throttle import LoginThrottle
from payments.gateway.tokens import Tokens
from payments.gateway.user_store import Change, UserStore


class AuthRoutes:
    """Endpoints under /auth."""

    def __init__(
        self,
        store: Store,
        users: UserStore,
        tokens: Tokens,
        passwords: Passwords,
        revocations: Revocations,
        throttle: LoginThrottle,
        *,
        access_seconds: int,
    ) -> None:
        self._store = store
        self._users = users
        self._tokens = tokens
        self._passwords = passwords
        self._revocations = revocations
        self._throttle = throttle
        self._access_seconds = access_seconds
        self._login = msgspec.json.Decoder(LoginRequest)
        self._refresh = msgspec.json.Decoder(RefreshRequest)
        self._password = msgspec.json.Decoder(PasswordRequest)

    async def login(self, request: Request) -> Response:
        """Check name and password. Unknown, disabled and wrong take equally long and look the same."""
        raw = (await body.read(request)).raw
        given = body.decode(self._login, raw or b"{}")
        body.missing_fields(given, ("username", "password"))
        assert given.username is not None and given.password is not None
        await self._throttle.check(given.username)
        user = await self._store.user(given.username)
        good = await self._passwords.check(user.password_hash if user else None, given.password)
        client: str = request.scope["address"]
        if not good or user is None or user.disabled:
            await self._throttle.failed(given.username)
            await self._store.login_failed(user.person if user else None, client=client)
            raise Problem("invalid_credentials")
        await self._renew_hash(user, given.password)
        session_id, refresh_token = new_id(), new_refresh_token()
        await self._store.open_session(user.person, session_id, refresh_token, client=client)
        return self._answer(user.person, session_id, refresh_token)

    async def refresh(self, request: Request) -> Response:
        """Exchange a refresh token for a new pair. One that was used before ends the session."""
        raw = (await body.read(request)).raw
        given = body.decode(self._refresh, raw or b"{}")
        fresh = new_refresh_token()
        rotation = await self._store.rotate(given.refresh_token, fresh, client=request.scope["address"])
        if rotation.outcome == "reused":
            await self._revocations.announce(rotation.session_id)
        if rotation.outcome != "rotated" or rotation.person is None:
            raise Problem("unauthenticated", "The refresh token is not valid; log in again")
        return self._answer(rotation.person, rotation.session_id, fresh)

    async def logout(self, request: Request) -> Response:
        """End the session: its access tokens and refresh tokens are refused from now on."""
        session = signed_in(request)
        await self._store.end_session(session.person, session.id, client=request.scope["address"])
        await self._revocations.announce(session.id)
        return reply(Success())

    async def password(self, request: Request) -> Response:
        """Change one's own password, which ends all of one's sessions: log in again."""
        session = signed_in(request)
        given = body.decode(self._password, (await body.read(request)).raw or b"{}")
        name = session.person.username
        await self._throttle.check(name)
        user = await self._store.user(name)
        known = user is not None and user.person.user_id == session.person.user_id
        good = await self._passwords.check(
            user.password_hash if user and known else None, given.current_password
        )
        client: str = request.scope["address"]
        if not good or user is None:
            await self._throttle.failed(name)
            await self._store.login_failed(session.person, client=client)
            raise Problem("invalid_credentials")
        check_password(given.new_password, name, field="new_password")
        changed = await self._users.change(
            user.person.user_id,
            Change(password_hash=await self._passwords.hash(given.new_password)),
            by=user.person.user_id,
            generation=user.person.generation,
        )
        if changed is None or changed.ended is None:
            raise Problem("unauthenticated")
        await self._revocations.announce(changed.ended)
        return reply(Success())

    async def _renew_hash(self, user: User, password: str) -> None:
        if outdated(user.password_hash):
            new = await self._passwords.hash(password)
            await self._store.rehash(user.person.user_id, user.password_hash, new)

    def _answer(self, person: Person, session_id: str, refresh_token: str) -> Response:
        return reply(
            TokenResponse(
                access_token=self._tokens.issue(person, session_id),
                expires_in=self._access_seconds,
                refresh_token=refresh_token,
            )
        )


def check_password(password: str, username: str, *, field: str = "password") -> None:
    """Raises Problem(validation_failed) for a password that is too easily guessed."""
    weak = weakness(password, username)
    if weak is not None:
        raise Problem("validation_failed", errors=[{"field": field, "message": weak}])


def operations(auth: AuthRoutes) -> list[Operation]:
    """Login, refresh, logout, password."""
    return [
        Operation(
            method="POST",
            path="/auth/login",
            summary="Log in",
            tag="Sessions",
            endpoint=auth.login,
            request=LoginRequest,
            response=TokenResponse,
            signed_in=False,
            errors=("missing_required_fields", "invalid_credentials"),
        ),
        Operation(
            method="POST",
            path="/auth/refresh",
            summary="Exchange a refresh token",
            tag="Sessions",
            endpoint=auth.refresh,
            request=RefreshRequest,
            response=TokenResponse,
            signed_in=False,
            errors=("unauthenticated",),
        ),
        Operation(
            method="POST",
            path="/auth/logout",
            summary="Log out",
            tag="Sessions",
            endpoint=auth.logout,
            response=Success,
        ),
        Operation(
            method="POST",
            path=PASSWORD_PATH,
            summary="Change one's password",
            description="All sessions of the user end at once; log in again.",
            tag="Sessions",
            endpoint=auth.password,
            request=PasswordRequest,
            response=Success,
            errors=("invalid_credentials",),
        ),
    ]
