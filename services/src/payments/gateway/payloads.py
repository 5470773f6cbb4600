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
_REMEMBER_SECONDS = 86_400
_THREADS = 2


class Payloads:
    """Reads bodies and remembers the encrypted ones, for a day, so that a copy is refused.

    Retrying means encrypting again (with a new IV) under the same Idempotency-Key.
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

    async def read(self, request: Request, session: Session) -> tuple[bytes, Opened | None]:
        """The plain body, and how it was encrypted.

        Raises:
            Problem: decryption_failed whatever is wrong with an encrypted body; service_unavailable when
                Redis cannot tell whether it was used before; else as `body.read`.
        """
        received = await body.read(request, jose=True)
        if received.media_type == body.JOSE:
            opening = self._encryption.open_jwe
        elif request.headers.get("x-encrypted", "").lower() == "true":
            opening = self._encryption.open_body
        else:
            return received.raw, None
        loop = asyncio.get_running_loop()
        try:
            opened = await loop.run_in_executor(self._executor, opening, received.raw)
            _check_binding(opened, session, f"{request.method} {request.url.path}")
            await self._use_once(opened, session)
        except DecryptionFailed as error:
            raise Problem("decryption_failed") from error
        return opened.plaintext, opened

    def seal(self, opened: Opened, answer: bytes) -> tuple[bytes, str]:
        """The encrypted answer and its media type."""
        return self._encryption.seal(opened, answer)

    async def _use_once(self, opened: Opened, session: Session) -> None:
        used = [opened.fingerprint]
        if opened.header is not None and opened.header.jti is not None:
            used.append(f"{session.person.user_id} {opened.header.jti}".encode())
        try:
            async with self._cache.client.pipeline(transaction=True) as pipeline:
                for mark in used:
                    name = self._prefix + hashlib.sha256(mark).hexdigest()
                    pipeline.set(name, 1, nx=True, ex=_REMEMBER_SECONDS)
                fresh = await pipeline.execute()
        except RedisError as error:
            raise unavailable("The replay protection") from error
        if not all(fresh):
            raise DecryptionFailed


def _check_binding(opened: Opened, session: Session, route: str) -> None:
    header = opened.header
    if header is None:
        return
    if header.sub is not None and header.sub != session.person.subject:
        raise DecryptionFailed
    if header.aud is not None and header.aud != route:
        raise DecryptionFailed
    if header.iat is not None and abs(time.time() - header.iat) > _FRESH_SECONDS:
        raise DecryptionFailed
