"""Where the files of a list come from: a folder, or a web server."""

from pathlib import Path
from urllib.parse import urljoin, urlsplit

import aiohttp

from payments.ofac.sdn import FILES, SUMS

# The published files together have some 20 MB.
MAX_BYTES = 100 * 2**20
MAX_REDIRECTS = 3
_REDIRECTS = frozenset({301, 302, 303, 307, 308})


class SourceError(Exception):
    """The source did not give the files; the message tells what it did."""


def from_folder(folder: Path) -> dict[str, bytes]:
    """The files that there are. Raises SourceError."""
    try:
        return {name: path.read_bytes() for name in (*FILES, SUMS) if (path := folder / name).exists()}
    except OSError as error:
        raise SourceError(f"{folder} cannot be read: {error.strerror}") from error


async def from_url(base: str, *, timeout: float) -> dict[str, bytes]:
    """All four files below `base`, and SHA256SUMS where the server has it.

    Redirects are followed on the very server only.

    Args:
        timeout: seconds for each file.

    Raises:
        SourceError: no answer, another status than 200, a redirect elsewhere, too much.
    """
    limit = aiohttp.ClientTimeout(total=timeout, sock_connect=min(10.0, timeout))
    # No proxy of the environment, no cookies.
    async with aiohttp.ClientSession(timeout=limit, cookie_jar=aiohttp.DummyCookieJar()) as session:
        files = {}
        for name in FILES:
            content = await _get(session, f"{base.rstrip('/')}/{name}", base)
            if content is None:
                raise SourceError(f"the server has no {name}")
            files[name] = content
        sums = await _get(session, f"{base.rstrip('/')}/{SUMS}", base)
        return files if sums is None else {**files, SUMS: sums}


async def _get(session: aiohttp.ClientSession, url: str, base: str) -> bytes | None:
    for _ in range(MAX_REDIRECTS + 1):
        try:
            async with session.get(url, allow_redirects=False) as response:
                if response.status == 404:
                    return None
                if response.status in _REDIRECTS:
                    url = _redirect(url, response.headers.get("Location", ""), base)
                    continue
                if response.status != 200:
                    raise SourceError(f"the server answered {response.status}")
                return await _read(response)
        except (aiohttp.ClientError, TimeoutError, OSError, ValueError) as error:
            raise SourceError(f"the server did not answer: {type(error).__name__}") from error
    raise SourceError("the server redirects without end")


def _redirect(url: str, location: str, base: str) -> str:
    target = urljoin(url, location)
    if _server(target) != _server(base):
        raise SourceError("the server redirects to another one; name that one as the source if it is right")
    return target


def _server(url: str) -> tuple[str, str]:
    parts = urlsplit(url)
    return parts.scheme, parts.netloc.lower()


async def _read(response: aiohttp.ClientResponse) -> bytes:
    parts, size = [], 0
    async for part in response.content.iter_chunked(2**16):
        parts.append(part)
        size += len(part)
        if size > MAX_BYTES:
            raise SourceError(f"a file of more than {MAX_BYTES} bytes")
    return b"".join(parts)
