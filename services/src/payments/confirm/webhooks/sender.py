"""One attempt: a POST to a merchant's server, whose answer nobody trusts."""

import ssl
import time
from typing import NamedTuple, Self

import aiohttp
import certifi
from yarl import URL

from payments.confirm.webhooks.addresses import AddressRefused, Guard

KEPT_BYTES = 1024  # of an answer's body
USER_AGENT = "payment-platform-webhooks/1"


class Attempt(NamedTuple):
    """What came back: the answer's status and the beginning of its body, or why there was none."""

    duration_ms: int
    status: int | None = None
    response: str | None = None
    error: str | None = None

    @property
    def delivered(self) -> bool:
        """Any 2xx. A redirect is none: where it leads has not been agreed on."""
        return self.status is not None and 200 <= self.status < 300


class Sender:
    """Sends with a time limit for all of it, without redirects, proxies, cookies or decompression.

    Each attempt opens a connection of its own, to an address that the guard has seen.
    """

    def __init__(self, guard: Guard, *, timeout: float) -> None:
        self._guard = guard
        self._timeout = aiohttp.ClientTimeout(total=timeout)
        self._session: aiohttp.ClientSession | None = None

    async def __aenter__(self) -> Self:
        trust = ssl.create_default_context()  # what the machine trusts ...
        trust.load_verify_locations(certifi.where())  # ... where an image brings no authorities of its own
        connector = aiohttp.TCPConnector(
            limit=0,  # the dispatcher bounds it
            force_close=True,
            use_dns_cache=False,
            ssl=trust,
            socket_factory=self._guard.socket,
        )
        self._session = aiohttp.ClientSession(
            connector=connector,
            cookie_jar=aiohttp.DummyCookieJar(),
            auto_decompress=False,
            timeout=self._timeout,
        )
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._session is not None:
            await self._session.close()

    async def send(self, url: str, body: str, headers: dict[str, str]) -> Attempt:
        """POST the body. Never raises for what the other side does."""
        assert self._session is not None
        began = time.monotonic()
        status, response, error = None, None, None
        try:
            async with self._session.post(
                URL(url, encoded=True),
                data=body.encode(),
                headers={"Content-Type": "application/json", "User-Agent": USER_AGENT, **headers},
                allow_redirects=False,
            ) as answer:
                response = await _beginning(answer.content)
                status = answer.status
        except (aiohttp.ClientError, OSError, ValueError) as failure:
            error = _reason(failure)
        return Attempt(round((time.monotonic() - began) * 1000), status, response, error)


async def _beginning(content: aiohttp.StreamReader) -> str:
    kept = b""
    while len(kept) < KEPT_BYTES and (chunk := await content.read(KEPT_BYTES - len(kept))):
        kept += chunk
    # PostgreSQL takes no zero character in a text.
    return kept.decode(errors="replace").replace("\0", "\ufffd")


def _reason(failure: Exception) -> str:
    """In words for the endpoint's owner; nothing of our own network."""
    cause = getattr(failure, "os_error", failure)
    if isinstance(cause, AddressRefused):
        return "address_not_allowed"
    if isinstance(failure, TimeoutError):
        return "timeout"
    if isinstance(failure, aiohttp.ClientConnectorDNSError):
        return "name_not_resolved"
    if isinstance(failure, aiohttp.ClientSSLError | ssl.SSLError):
        return "tls_failed"
    if isinstance(failure, aiohttp.ClientConnectorError):
        return "connection_failed"
    if isinstance(
        failure, aiohttp.ServerDisconnectedError | aiohttp.ClientOSError | aiohttp.ClientPayloadError
    ):
        return "connection_lost"
    return "no_valid_answer"
