"""A small stand-in for the controllers of a cluster: what is declared counts as running at once.

It writes the status of Deployments, StatefulSets and Jobs as kube-controller-manager does once the pods of
the present generation are ready; nothing runs, and nothing is collected.
"""

from __future__ import annotations

import asyncio
import json
import ssl
import threading
from datetime import UTC, datetime
from typing import Any

import aiohttp

from hack.controlplane.api import path
from hack.controlplane.servers import CONTROLLERS, ControlPlane

Object = dict[str, Any]
KINDS = ("Deployment", "StatefulSet", "Job")
#: Annotation of a Deployment or StatefulSet whose pods are to count as not ready.
DOWN = "controllers.example/down"
PARALLEL = 8
SECONDS = 30.0
LINE_LIMIT = 4 * 2**20


class Controllers:
    """Runs in a thread of its own for the block."""

    def __init__(self, plane: ControlPlane) -> None:
        self._plane = plane
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._main, name="controllers", daemon=True)
        self._task: asyncio.Task[None] | None = None
        self._slots = asyncio.Semaphore(PARALLEL)

    def __enter__(self) -> Controllers:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._loop.call_soon_threadsafe(lambda: self._task and self._task.cancel())
        self._thread.join(SECONDS)

    def _main(self) -> None:
        asyncio.set_event_loop(self._loop)
        self._task = self._loop.create_task(self._run())
        try:
            self._loop.run_until_complete(self._task)
        except asyncio.CancelledError:
            # TLS connections need a moment to close.
            self._loop.run_until_complete(asyncio.sleep(0.25))
        finally:
            self._loop.close()

    async def _run(self) -> None:
        context = ssl.create_default_context(cafile=str(self._plane.ca))
        async with aiohttp.ClientSession(
            base_url=self._plane.url,
            connector=aiohttp.TCPConnector(ssl=context, limit=0),
            headers={"Authorization": f"Bearer {CONTROLLERS.token}"},
            read_bufsize=LINE_LIMIT,
        ) as session:
            await asyncio.gather(*(self._follow(session, kind) for kind in KINDS))

    async def _follow(self, session: aiohttp.ClientSession, kind: str) -> None:
        writes: set[asyncio.Task[None]] = set()
        forever = aiohttp.ClientTimeout(total=None, connect=SECONDS)
        while True:
            async with session.get(path(kind, ""), params={"watch": "true"}, timeout=forever) as answer:
                answer.raise_for_status()
                async for line in answer.content:
                    event = json.loads(line)
                    if event["type"] not in ("ADDED", "MODIFIED") or settled(kind, event["object"]):
                        continue
                    task = asyncio.create_task(self._settle(session, kind, event["object"]))
                    writes.add(task)
                    task.add_done_callback(writes.discard)

    async def _settle(self, session: aiohttp.ClientSession, kind: str, obj: Object) -> None:
        metadata = obj["metadata"]
        async with (
            self._slots,
            session.patch(
                f"{path(kind, metadata['namespace'], metadata['name'])}/status",
                json={"metadata": {"uid": metadata["uid"]}, "status": status_of(kind, obj)},
                headers={"Content-Type": "application/merge-patch+json"},
                timeout=aiohttp.ClientTimeout(total=SECONDS),
            ) as answer,
        ):
            # Gone, or another one of the same name meanwhile.
            if answer.status not in (404, 409, 422):
                answer.raise_for_status()


def settled(kind: str, obj: Object) -> bool:
    """Whether the status already says what `status_of` would."""
    status = obj.get("status", {})
    if kind == "Job":
        return bool(status.get("conditions"))
    return all(status.get(key, 0) == value for key, value in status_of(kind, obj).items())


def status_of(kind: str, obj: Object) -> Object:
    """The status of an object whose pods all run; none of them is ready while it is annotated as DOWN."""
    if kind == "Job":
        now = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        done = [{"type": kind, "status": "True"} for kind in ("SuccessCriteriaMet", "Complete")]
        return {"startTime": now, "completionTime": now, "succeeded": 1, "conditions": done}
    pods = obj["spec"].get("replicas", 1)
    ready = 0 if DOWN in obj["metadata"].get("annotations", {}) else pods
    counts = {"replicas": pods, "updatedReplicas": pods, "readyReplicas": ready, "availableReplicas": ready}
    return {"observedGeneration": obj["metadata"]["generation"]} | counts
