"""Wires webhooks together: their routes, and what runs as long as the service does."""

from contextlib import AbstractAsyncContextManager
from datetime import timedelta
from typing import Any

from starlette.routing import Route

from payments.common.db import Database
from payments.confirm.settings import Settings
from payments.confirm.webhooks import retries
from payments.confirm.webhooks.addresses import Guard
from payments.confirm.webhooks.deliveries import Deliveries
from payments.confirm.webhooks.dispatcher import Dispatcher, Pruner
from payments.confirm.webhooks.endpoints import Endpoints
from payments.confirm.webhooks.fanout import Fanout
from payments.confirm.webhooks.routes import Routes
from payments.confirm.webhooks.sender import Sender
from payments.confirm.webhooks.trail import Trail


def wire(
    settings: Settings, database: Database
) -> tuple[list[Route], list[AbstractAsyncContextManager[Any]]]:
    """Routes and resources. Switched off, nothing is sent and the routes say so."""
    guard = Guard(
        https_only=settings.platform_profile != "dev",
        allow_private=settings.webhooks_allow_private,
        denied=settings.webhook_denied_networks,
    )
    deliveries = Deliveries(
        database,
        lease=timedelta(seconds=settings.webhooks_timeout_seconds + settings.webhooks_lease_seconds),
        parallel=settings.webhooks_parallel,
        patience=timedelta(hours=settings.webhooks_disable_after_hours),
    )
    sender = Sender(guard, timeout=settings.webhooks_timeout_seconds)
    dispatcher = Dispatcher(
        deliveries,
        sender,
        table=retries.parse(settings.webhooks_retry_seconds),
        limit=settings.webhooks_in_flight,
    )
    routes = Routes(
        Endpoints(database, overlap=timedelta(hours=settings.webhooks_secret_overlap_hours)),
        Trail(database),
        guard,
        enabled=settings.webhooks_enabled,
    ).routes()
    if not settings.webhooks_enabled:
        return routes, []
    pruner = Pruner(deliveries, age=timedelta(days=settings.webhooks_retention_days))
    return routes, [sender, dispatcher, Fanout(database, made=dispatcher.wake), pruner]
