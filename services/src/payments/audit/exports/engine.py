"""The search engine: the part of the HTTP API that OpenSearch and Elasticsearch 8 share.

Answers may quote documents, so an error tells the status and the kind, and nothing else of them.
"""

import asyncio
import json
from collections.abc import AsyncIterator, Iterable, Sequence
from typing import Any, Self

import httpx

from payments.audit.exports.loop import StoreError

SECONDS = 15.0
_TIMEOUT = httpx.Timeout(10.0, connect=3.0)
_SCROLL = "2m"
_PAGE = 1000


class Engine:
    """A client. Every call raises StoreError.

    Args:
        url: scheme://host:port, a path behind it when there is a proxy.
        username: for HTTP Basic authentication; "" for none.
    """

    def __init__(
        self, url: str, username: str, password: str, *, transport: httpx.AsyncBaseTransport | None = None
    ) -> None:
        self._http = httpx.AsyncClient(
            base_url=url,
            auth=httpx.BasicAuth(username, password) if username else None,
            timeout=_TIMEOUT,
            trust_env=False,
            transport=transport,
        )

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._http.aclose()

    async def about(self) -> dict[str, Any]:
        """Name and version of the engine, and the health of the cluster."""
        root = await self._json("GET", "/")
        health = await self._json("GET", "/_cluster/health")
        version = root.get("version", {})
        return {
            "distribution": version.get("distribution", "elasticsearch"),
            "version": version.get("number"),
            "status": health.get("status"),
        }

    async def template(self, name: str) -> dict[str, Any] | None:
        """An index template, None when there is none of that name."""
        found = await self._json("GET", f"/_index_template/{name}", none=404)
        return found["index_templates"][0]["index_template"] if found else None

    async def put_template(self, name: str, template: dict[str, Any]) -> None:
        """Create or replace an index template."""
        await self._json("PUT", f"/_index_template/{name}", template)

    async def indices(self, pattern: str) -> dict[str, list[str]]:
        """Index → its aliases, of all indices that the pattern names, by their own names or by an alias."""
        found = await self._json("GET", f"/{pattern}/_alias?allow_no_indices=true", none=404)
        return {name: sorted(entry.get("aliases", {})) for name, entry in found.items()}

    async def create(self, index: str, *, alias: str = "") -> None:
        """Create an index by the template; when it is there already it gets the alias."""
        aliases: dict[str, Any] = {alias: {}} if alias else {}
        answer = await self._json("PUT", f"/{index}", {"aliases": aliases}, none=400)
        if not answer and alias:
            await self.change_aliases([{"add": {"index": index, "alias": alias}}])

    async def delete(self, index: str) -> None:
        """Delete an index; it is no error that there is none."""
        await self._json("DELETE", f"/{index}", none=404)

    async def change_aliases(self, actions: Sequence[dict[str, Any]]) -> None:
        """Add and remove aliases and remove indices: all at once or nothing."""
        await self._json("POST", "/_aliases", {"actions": list(actions)})

    async def refresh(self, pattern: str) -> None:
        """Let searches see everything that was written."""
        await self._json("POST", f"/{pattern}/_refresh?allow_no_indices=true", none=404)

    async def count(self, pattern: str) -> int:
        """Documents."""
        found = await self._json("GET", f"/{pattern}/_count?allow_no_indices=true", none=404)
        return int(_whole(found).get("count", 0))

    async def bulk(self, documents: Iterable[tuple[str, str, bytes]], *, aliases: bool = False) -> None:
        """Write documents, each (index, id, JSON), in place of what has the same id there.

        `aliases`: the names have to be aliases; the engine would make an index of any other name.
        """
        lines = []
        for index, id_, body in documents:
            lines += [json.dumps({"index": {"_index": index, "_id": id_}}).encode(), body]
        content = b"\n".join(lines) + b"\n"
        path = "/_bulk?require_alias=true" if aliases else "/_bulk"
        answer = await self._json("POST", path, content=content, media_type="application/x-ndjson")
        if not answer.get("errors"):
            return
        items = [next(iter(item.values())) for item in answer["items"]]
        refused = [item for item in items if item["status"] >= 300]
        first = refused[0]
        raise StoreError(
            f"the search engine refused {len(refused)} of {len(items)} documents, the first is"
            f" {first['_id']}: {first['status']} {_kind(first)}"
        )

    async def scan(self, pattern: str, query: dict[str, Any]) -> AsyncIterator[dict[str, Any]]:
        """Every document that `query` finds at this moment, in its order; none when there is no index."""
        body = {**query, "size": _PAGE}
        path = f"/{pattern}/_search?allow_no_indices=true&scroll={_SCROLL}"
        page = await self._json("POST", path, body, none=404)
        scroll = page.get("_scroll_id")
        try:
            while hits := _whole(page).get("hits", {}).get("hits", []):
                for hit in hits:
                    yield hit
                page = await self._json("POST", "/_search/scroll", {"scroll": _SCROLL, "scroll_id": scroll})
                scroll = page.get("_scroll_id", scroll)
        finally:
            if scroll:
                await self._json("DELETE", "/_search/scroll", {"scroll_id": [scroll]}, none=404)

    async def _json(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        content: bytes | None = None,
        media_type: str = "application/json",
        none: int = 0,
    ) -> dict[str, Any]:
        if body is not None:
            content = json.dumps(body).encode()
        headers = {"Content-Type": media_type} if content is not None else {}
        try:
            async with asyncio.timeout(SECONDS):
                response = await self._http.request(method, path, content=content, headers=headers)
        except (httpx.HTTPError, TimeoutError) as error:
            raise StoreError(f"the search engine did not answer: {type(error).__name__}") from error
        try:
            answer = response.json()
        except ValueError:
            answer = None
        if response.status_code == none:
            return {}
        if not response.is_success or not isinstance(answer, dict):
            kind = _kind(answer) if isinstance(answer, dict) else "no JSON"
            raise StoreError(f"the search engine answered {response.status_code} {kind}")
        return answer


def _whole(answer: dict[str, Any]) -> dict[str, Any]:
    if answer.get("_shards", {}).get("failed"):
        raise StoreError("a part of the search engine did not answer")
    return answer


def _kind(answer: dict[str, Any]) -> str:
    error = answer.get("error")
    return str(error.get("type", "")) if isinstance(error, dict) else ""
