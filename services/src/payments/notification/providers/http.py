"""What the real providers have in common: one HTTPS request a message, with a timeout and few at a time."""

import asyncio
from abc import ABC, abstractmethod
from collections.abc import Sequence
from pathlib import Path
from typing import Self

import httpx

from payments.common import tracing
from payments.notification.providers import NO_ADDRESS, Outcome, Outgoing

AT_ONCE = 10


class CredentialsError(ValueError):
    """Credentials that cannot be used; the message names the file."""


def credential(folder: Path | None, variable: str, name: str) -> str:
    """The content of a file of the credentials' folder. Raises CredentialsError."""
    if folder is None:
        raise CredentialsError(f"{variable} is not set; it names the folder with the provider's credentials")
    try:
        value = (folder / name).read_text().strip()
    except OSError as error:
        raise CredentialsError(f"{variable}: {folder / name} cannot be read: {error.strerror}") from error
    if not value:
        raise CredentialsError(f"{variable}: {folder / name} is empty")
    return value


class HttpProvider(ABC):
    """A provider on the internet. The process holds one client for it, closed at the end."""

    name: str

    def __init__(self, base_url: str, timeout: float, auth: httpx.Auth | None = None) -> None:
        self._client = httpx.AsyncClient(base_url=base_url, timeout=timeout, auth=auth, trust_env=True)
        self._slots = asyncio.Semaphore(AT_ONCE)
        # Nothing of the trace goes along: these are strangers.
        attributes: tracing.Attributes = {"http.request.method": "POST", "peer.service": self.name}
        self._shape = tracing.Shape("POST", tracing.CLIENT, attributes)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._client.aclose()

    async def send(self, batch: Sequence[Outgoing]) -> list[Outcome]:
        """See Provider."""
        return list(await asyncio.gather(*(self._guarded(message) for message in batch)))

    async def _guarded(self, message: Outgoing) -> Outcome:
        if not message.to:
            return NO_ADDRESS
        try:
            async with self._slots:
                with tracing.begin(self._shape) or tracing.NOTHING:
                    return await self._send_one(message, message.to)
        except httpx.HTTPError as error:
            return Outcome(error=f"{self.name}: {type(error).__name__}")

    @abstractmethod
    async def _send_one(self, message: Outgoing, to: str) -> Outcome:
        """Send one message; may raise httpx.HTTPError."""

    @staticmethod
    def _field(response: httpx.Response, name: str) -> str:
        """A member of a JSON answer as text, empty when it is not there."""
        try:
            return str(response.json()[name])
        except (ValueError, KeyError, TypeError):
            return ""

    def _refused(self, response: httpx.Response) -> Outcome:
        """An answer other than success: 4xx is about this message, except limits and our credentials."""
        permanent = 400 <= response.status_code < 500 and response.status_code not in (401, 403, 408, 429)
        return Outcome(error=f"{self.name}: status {response.status_code}", permanent=permanent)
