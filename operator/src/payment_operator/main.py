"""The operator's process: settings read once, parts wired, Kopf run. ``python3 -m payment_operator.main``."""

from __future__ import annotations

import asyncio
import logging
import os
import secrets
import signal
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from functools import partial
from itertools import chain, repeat
from typing import Any, TypeVar

import kopf
from prometheus_client import start_http_server

from payment_operator import fence, handlers, metrics, standby, traces, watchlines
from payment_operator.catalog import schemas, secret_kinds
from payment_operator.cluster import Cluster, connect
from payment_operator.credentials import authorization
from payment_operator.desire import Desire
from payment_operator.director import Director
from payment_operator.discovery import Discovery
from payment_operator.errors import OperatorError
from payment_operator.kinds import GROUP, PLATFORM
from payment_operator.lease import Lease
from payment_operator.loglevel import LevelFile
from payment_operator.prometheus import Prometheus
from payment_operator.reconcile import Reconciler
from payment_operator.render import Renderer, find_helm
from payment_operator.resync import Resync
from payment_operator.secretwatch import SecretWatch
from payment_operator.settings import Settings
from payment_operator.shared import SharedFile
from payment_operator.snapshot import Snapshots
from payment_operator.versions import Versions, charts
from payment_operator.watchful import Terms, Watchful
from payment_operator.workqueue import WorkQueue

logger = logging.getLogger(__name__)
Result = TypeVar("Result")

#: Seconds after which the API server, and then the client, ends a watch; none is dead for longer unnoticed.
WATCH_SERVER_SECONDS, WATCH_CLIENT_SECONDS = 300, 310
#: A key that is due for so many seconds and does not run means that the workers hang.
STALL_SECONDS = 300.0
#: Seconds for one request about the Lease, well below its deadline.
LEASE_REQUEST_SECONDS = 3.0
#: Exit status of an operator that lost its Lease (EX_TEMPFAIL of sysexits.h).
LOST = 75


class Operator:
    """All parts of a running operator."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._cluster = Cluster(
            connect(settings.io_threads + settings.workers),
            timeout=settings.request_timeout,
            threads=settings.io_threads,
            keep=settings.resync_seconds / 2,
        )
        folders, helm = charts(settings.chart, settings.versions), find_helm(settings.helm)
        renderers = [Renderer(folder, helm=helm, timeout=settings.helm_timeout) for folder in folders]
        versions = Versions(renderers, default=renderers[-1].version)
        logger.info("versions carried: %s; new platforms get %s", ", ".join(versions.names), versions.default)
        kinds = secret_kinds(sorted({name for folder in folders for name in schemas(folder)}))
        discovery = Discovery(self._cluster, time.monotonic)
        desire = Desire(self._cluster, versions, kinds, discovery, settings.metrics_address)
        terms = Terms(
            settle=timedelta(seconds=settings.settle_seconds),
            calm=timedelta(seconds=settings.scale_in_seconds),
            advice=timedelta(seconds=settings.advice_seconds),
        )
        watchful = Watchful(Prometheus(), terms, partial(authorization, self._cluster))
        director = Director(self._cluster, desire, Snapshots(self._cluster), watchful)
        shared = SharedFile(settings.defaults)
        self._level = LevelFile(settings.log_level_file)
        self._reconciler = Reconciler(
            self._cluster, director, lambda: datetime.now(UTC), shared, settings.watch_namespaces
        )
        self._threads = ThreadPoolExecutor(settings.workers + 1, thread_name_prefix="reconcile")
        self.queue = WorkQueue(self._reconcile, workers=settings.workers, clock=time.monotonic)
        self._resync = Resync(
            self.queue, self._namespaces, interval=settings.resync_seconds, clock=time.monotonic
        )
        self._secrets = SecretWatch(
            self._cluster.configuration,
            [*(kind.name for kind in kinds), *settings.secret_names],
            settings.watch_namespaces,
            self._changed_secret,
        )
        self._tasks: list[asyncio.Task[None]] = []

    def guard(self, ask: Callable[[], None]) -> None:
        """Call `ask` before each write."""
        fence.guard(self._cluster.dynamic, ask)

    async def start(self, **_: Any) -> None:
        """Start the workers and the full passes, in Kopf's loop."""
        self.queue.start()
        self._tasks = [
            asyncio.create_task(self._resync.run(), name="full passes"),
            asyncio.create_task(self._secrets.run(), name="watch of Secrets"),
            asyncio.create_task(self._level.run(), name="level of the logs"),
        ]

    async def stop(self, **_: Any) -> None:
        """Stop them; a reconcile under way ends with its current request."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self.queue.stop()
        self._threads.shutdown(wait=False, cancel_futures=True)

    async def healthy(self, **_: Any) -> str:
        """The liveness probe: fails when nothing would be repaired any more."""
        ended = [f"{task.get_name()} ended" for task in self._tasks if task.done()]
        wrong = ", ".join(ended) or self._resync.stalled() or self.queue.stalled(STALL_SECONDS)
        if wrong:
            raise kopf.PermanentError(wrong)
        return "ok"

    def _changed_secret(self, namespace: str, name: str, version: str) -> None:
        self._cluster.secrets.forget((namespace, name), version)
        self.queue.add(namespace)

    async def _reconcile(self, namespace: str) -> float | None:
        started = time.monotonic()
        try:
            again = await self._in_thread(self._traced, namespace)
        except Exception as error:
            metrics.RECONCILES.labels("error").inc()
            metrics.ERRORS.labels(
                error.reason if isinstance(error, OperatorError) else type(error).__name__
            ).inc()
            raise
        finally:
            metrics.DURATION.observe(time.monotonic() - started)
        metrics.RECONCILES.labels("ok").inc()
        metrics.LAST_RECONCILE.set_to_current_time()
        return again

    def _traced(self, namespace: str) -> float | None:
        with traces.reconciling(namespace):
            return self._reconciler.reconcile(namespace)

    async def _namespaces(self) -> Sequence[str]:
        def find() -> list[str]:
            places = self._settings.watch_namespaces or (None,)
            found = [item for place in places for item in self._cluster.list(PLATFORM, place)]
            return [item["metadata"]["namespace"] for item in found]

        return await self._in_thread(find)

    async def _in_thread(self, function: Callable[..., Result], *arguments: Any) -> Result:
        return await asyncio.get_running_loop().run_in_executor(self._threads, function, *arguments)


class NoDifferences(kopf.DiffBaseStorage):
    """Kopf compares each object with what it saw of it before, for handlers that this operator has none of.

    The copies that it makes for that cost a third of its time.
    """

    def build(self, **_: Any) -> kopf.BodyEssence:
        """Nothing of the object."""
        return kopf.BodyEssence({})

    def fetch(self, **_: Any) -> kopf.BodyEssence | None:
        """Nothing was stored."""
        return None

    def store(self, **_: Any) -> None:
        """Nothing is stored."""


class Endless:
    """Seconds between the tries of a watch, for ever: after those that it is given Kopf ends the process, and
    an API server may be away for longer. The last pause bounds how long events are missed afterwards.
    """

    def __iter__(self) -> Iterator[float]:
        return chain((0.5, 1.0, 2.0, 4.0), repeat(5.0))


def kopf_settings() -> kopf.OperatorSettings:
    """Kopf only watches: no finalizers, no annotations, no events, no peering."""
    settings = kopf.OperatorSettings()
    settings.watching.server_timeout = WATCH_SERVER_SECONDS
    settings.watching.client_timeout = WATCH_CLIENT_SECONDS
    settings.watching.connect_timeout = 10
    settings.networking.request_timeout = 30
    settings.networking.connect_timeout = 10
    settings.networking.error_backoffs = Endless()
    settings.posting.enabled = False
    settings.scanning.disabled = True
    settings.persistence.finalizer = f"{GROUP}/unused"
    settings.persistence.diffbase_storage = NoDifferences()
    return settings


def main() -> None:
    """Run until a signal."""
    settings = Settings()
    logging.basicConfig(
        level=settings.log_level,
        format="%(asctime)s %(levelname)s %(name)s: %(message)s",
        datefmt="%Y-%m-%dT%H:%M:%S%z",
    )
    for chatty in ("kopf", "aiohttp.access"):
        logging.getLogger(chatty).setLevel(logging.WARNING)
    operator = Operator(settings)
    registry = kopf.OperatorRegistry()
    tuned = kopf_settings()
    watchlines.install()
    kopf.on.login(registry=registry)(kopf.login_via_client)
    kopf.on.startup(registry=registry)(operator.start)
    kopf.on.cleanup(registry=registry)(operator.stop)
    kopf.on.probe(id="health", registry=registry)(operator.healthy)
    handlers.register(registry, tuned, operator.queue)
    if settings.metrics_port:
        start_http_server(settings.metrics_port)
    with leading(settings) as ask, traced(settings):
        operator.guard(ask)
        kopf.run(
            registry=registry,
            settings=tuned,
            standalone=True,
            namespaces=settings.watch_namespaces,
            clusterwide=not settings.watch_namespaces,
            liveness_endpoint=f"http://0.0.0.0:{settings.health_port}/healthz"
            if settings.health_port
            else None,
        )


@contextmanager
def traced(settings: Settings) -> Iterator[None]:
    """Record spans for the block, if there is a collector for them."""
    stop = traces.start(settings.trace_endpoint, settings.trace_ratio, pod=settings.identity)
    try:
        yield
    finally:
        stop()


@contextmanager
def leading(settings: Settings) -> Iterator[Callable[[], None]]:
    """Wait until this operator holds the Lease; hold it for the block. Losing it ends the process at once.

    Gives what is to be asked before each write: one that was stopped for long must not end what it began.
    """
    if not settings.lease_namespace:
        metrics.LEADER.set(1)
        yield lambda: None
        return
    # As the first process of a container this one would ignore the signal.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    cluster = Cluster(connect(1), timeout=LEASE_REQUEST_SECONDS, threads=1)
    lease = Lease(cluster, settings.lease_namespace, f"{settings.identity}_{secrets.token_hex(4)}")
    with standby.probes(settings.health_port):
        lease.acquire()
    lease.keep(lost)
    yield lambda: None if lease.fresh else lost()
    lease.release()


def lost() -> None:
    """Another operator may lead from now on: whatever is under way must not write any more."""
    logger.critical("the Lease is lost, the process ends")
    os._exit(LOST)


if __name__ == "__main__":
    main()
