"""The body of a payment request, plain or encrypted; each encrypted one is good for one use."""

import asyncio
import hashlib
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Self

from starlette.requests import Request

from payments.common.errors import Problem, unavailable
from payments.common.redis import Cache, RedisError
from payments.gateway import body
from payments.gateway.domain import Session
from payments.gateway.encryption import DecryptionFailed, Encryption, Opened

_FRESH_SECONDS = 300
# A JWE is refused for its age after twice the window at the latest; the original's form says no time.
_REMEMBER_JWE_SECONDS = 2 * _FRESH_SECONDS + 60
_REMEMBER_SECONDS = 86_400
_THREADS = 2


class Payloads:
    """Reads bodies and remembers the encrypted ones, so that a copy is refused.

    Retrying means encrypting again (with a new IV) under the same Idempotency-Key.

    Redis remembers, and may lose it all. A copy of a JWE is bound to its Idempotency-Key, under which nothing
    happens twice. The original's form is bound to nothing, so it is taken only where the body names a payment
    that exists already: that succeeds once, whatever the key.
    """

    def __init__(self, encryption: Encryption, cache: Cache, *, prefix: str) -> None:
        self._encryption = encryption
        self._cache = cache
        self._prefix = f"{prefix}:payload:"
        self._executor = ThreadPoolExecutor(_THREADS, thread_name_prefix="decrypt")

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        self._executor.shutdown(wait=False, cancel_futures=True)

    async def read(
        self, request: Request, session: Session, *, original: bool = False
    ) -> tuple[bytes, Opened | None]:
        """The plain body, and how it was encrypted.

        Args:
            original: the original's form is taken too.

        Raises:
            Problem: decryption_failed whatever is wrong with an encrypted body; service_unavailable when
                Redis cannot tell whether it was used before; else as `body.read`.
        """
        received = await body.read(request, jose=True)
        sealed = request.headers.get("x-encrypted", "").lower() == "true"
        if received.media_type != body.JOSE and not sealed:
            return received.raw, None
        opening = (
            self._encryption.open_jwe if received.media_type == body.JOSE else self._encryption.open_body
        )
        key = body.idempotency_key(request)
        if opening == self._encryption.open_body and not original:
            raise Problem("decryption_failed")
        loop = asyncio.get_running_loop()
        try:
            opened = await loop.run_in_executor(self._executor, opening, received.raw)
            _check_binding(opened, session, f"{request.method} {request.url.path}", key)
            await self._use_once(opened, session)
        except DecryptionFailed as error:
            raise Problem("decryption_failed") from error
        return opened.plaintext, opened

    def seal(self, opened: Opened, answer: bytes) -> tuple[bytes, str]:
        """The encrypted answer and its media type."""
        return self._encryption.seal(opened, answer)

    async def _use_once(self, opened: Opened, session: Session) -> None:
        used = [opened.fingerprint]
        seconds = _REMEMBER_SECONDS
        if opened.header is not None:
            seconds = _REMEMBER_JWE_SECONDS
            used.append(f"{session.person.user_id} {opened.header.jti}".encode())
        try:
            async with self._cache.client.pipeline(transaction=True) as pipeline:
                for mark in used:
                    name = self._prefix + hashlib.sha256(mark).hexdigest()
                    pipeline.set(name, 1, nx=True, ex=seconds)
                fresh = await pipeline.execute()
        except RedisError as error:
            raise unavailable("The replay protection") from error
        if not all(fresh):
            raise DecryptionFailed


def _check_binding(opened: Opened, session: Session, route: str, key: str) -> None:
    header = opened.header
    if header is None:
        return
    bound = (header.sub, header.aud, header.idempotency_key) == (session.person.subject, route, key)
    if not bound or abs(time.time() - header.iat) > _FRESH_SECONDS:
        raise DecryptionFailed
