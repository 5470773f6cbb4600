"""A service as a FastAPI app: its routes, its resources, its probes."""

import asyncio
import gc
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from typing import Any

from fastapi import FastAPI
from fastapi.telemetry import TelemetryConfig
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from payments.common import metrics, sampling
from payments.common.auth import ActorVerifier, CallerVerifier
from payments.common.clock import rfc3339, utcnow
from payments.common.errors import Problem
from payments.common.middleware import OPEN_PATHS, Callers, Problems, RequestContext
from payments.common.red import Measured
from payments.common.routes import reply
from payments.common.sampling import Sample
from payments.common.settings import ServiceSettings

Check = Callable[[], Awaitable[Any]]

#: FastAPI's own spans cost more than all of ours, and tell of queries and errors what must not be told.
OWN_SPANS: TelemetryConfig = {"tracing": False, "metrics": False, "logs": False, "auto_configure": False}

_STATUS_CODES = {404: "not_found", 405: "method_not_allowed", 413: "payload_too_large"}


def create_app(
    settings: ServiceSettings,
    *,
    routes: Sequence[BaseRoute],
    resources: Sequence[AbstractAsyncContextManager[Any]] = (),
    ready: Callable[[], Awaitable[bool]] | None = None,
    dependencies: dict[str, Check] | None = None,
    open_paths: frozenset[str] = frozenset(),
    samples: Sequence[Sample] = (),
) -> FastAPI:
    """The app of an internal service.

    Args:
        routes: made by `payments.common.routes`.
        resources: entered in order when the app starts, closed in reverse when it stops. Entering must not
            wait for other machines: a pod starts, unready, while its database is away.
        ready: True when this service's own database answers with the schema it needs.
        dependencies: for /health, name -> call that raises when the dependency is away.
        open_paths: further paths that need no caller's token.
        samples: of gauges, taken in the background.
    """
    callers = CallerVerifier(
        issuer_file=settings.identity_issuer_file,
        jwks_file=settings.identity_jwks_file,
        namespace=settings.identity_namespace,
        allowed=settings.callers,
        reload=settings.key_reload_seconds,
    )
    served = [*routes, *probes(settings, ready, dependencies or {})]
    samplers = sampling.loops(samples, settings.metrics_sample_seconds)
    app = FastAPI(
        title=settings.service,
        openapi_url=None,
        redirect_slashes=False,
        telemetry=OWN_SPANS,
        lifespan=lifespan([*resources, *samplers]),
        routes=served,
        middleware=[
            Middleware(Measured, routes=served),
            Middleware(RequestContext, timeout=settings.request_timeout_seconds),
            Middleware(Problems),
            Middleware(
                Callers,
                callers=callers,
                actors=ActorVerifier(settings.gateway_jwks_file, reload=settings.key_reload_seconds),
                open_paths=OPEN_PATHS | open_paths,
            ),
        ],
    )
    app.state.stopping = False
    app.add_exception_handler(HTTPException, http_exception)
    app.add_exception_handler(Problem, problem)
    return app


def lifespan(
    resources: Sequence[AbstractAsyncContextManager[Any]],
) -> Callable[[FastAPI], AbstractAsyncContextManager[None]]:
    """Enter `resources` in order for as long as the app runs."""

    @asynccontextmanager
    async def run(_: FastAPI) -> AsyncIterator[None]:
        async with AsyncExitStack() as stack:
            for resource in resources:
                await stack.enter_async_context(resource)
            gc.collect()
            gc.freeze()  # what exists now lives as long as the process: never scan it again
            yield

    return run


def probes(
    settings: ServiceSettings,
    ready: Callable[[], Awaitable[bool]] | None,
    dependencies: dict[str, Check],
) -> list[Route]:
    """/live knows no dependency, /ready asks the own database, /health tells about all of them; /metrics."""

    async def live(_: Request) -> Response:
        return reply({"status": "alive"})

    async def is_ready(request: Request) -> Response:
        if request.app.state.stopping:
            return reply({"status": "stopping"}, 503)
        if ready is not None and not await _passes(ready):
            return reply({"status": "waiting for the database"}, 503)
        return reply({"status": "ready"})

    async def health(_: Request) -> Response:
        own = ready is None or await _passes(ready)
        states = await asyncio.gather(*(_healthy(check) for check in dependencies.values()))
        return reply(
            {
                "status": "healthy" if own else "unhealthy",
                "service": settings.service,
                "instance": settings.pod_name,
                "dependencies": dict(zip(dependencies, states, strict=True)),
                "timestamp": rfc3339(utcnow()),
            },
            200 if own else 503,
        )

    return [
        Route("/live", live, methods=["GET"]),
        Route("/ready", is_ready, methods=["GET"]),
        Route("/health", health, methods=["GET"]),
        Route(metrics.PATH, metrics.endpoint, methods=["GET"]),
    ]


async def _passes(check: Callable[[], Awaitable[bool]]) -> bool:
    try:
        async with asyncio.timeout(2.5):
            return await check()
    except (Problem, TimeoutError):
        return False


async def _healthy(check: Check) -> str:
    try:
        async with asyncio.timeout(2.5):
            await check()
    except Exception:  # whatever the client library raises: the dependency is not healthy
        return "unhealthy"
    return "healthy"


async def problem(request: Request, error: Exception) -> Response:
    """A Problem that a route raised, as its response."""
    assert isinstance(error, Problem)
    return error.response(request.url.path)


async def http_exception(request: Request, error: Exception) -> Response:
    """Starlette's own 404 and 405 as problems."""
    assert isinstance(error, HTTPException)
    code = _STATUS_CODES.get(error.status_code, "malformed_request")
    response = Problem(code, status=error.status_code).response(request.url.path)
    response.headers.update(error.headers or {})
    return response
