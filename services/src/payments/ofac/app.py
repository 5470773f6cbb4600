"""Wiring of ofac-service."""

from fastapi import FastAPI

from payments.common.app import create_app
from payments.common.background import Loop
from payments.common.db import Database
from payments.common.kafka import Producer
from payments.common.outbox import RETENTION, Relay
from payments.ofac.domain.decision import Thresholds
from payments.ofac.routes import Routes
from payments.ofac.settings import Settings
from payments.ofac.store import SCHEMA, Store
from payments.ofac.usecases import Screener

__all__ = ["Settings", "create"]


def create(settings: Settings) -> FastAPI:
    """The app, with everything it stands on."""
    database = Database(settings, application=settings.service)
    producer = Producer(settings.kafka_bootstrap_servers, client_id=settings.service)
    relay = Relay(database, producer, schema=SCHEMA, source=settings.service, retention=RETENTION)
    store = Store(database)
    screener = Screener(store, Thresholds(settings.review_threshold, settings.match_threshold))

    async def ready() -> bool:
        return await store.ready() and screener.loaded

    return create_app(
        settings,
        routes=Routes(screener).routes(),
        resources=[database, producer, relay, Loop("sanctions list", screener.refresh)],
        ready=ready,
        dependencies={"database": store.revision, "kafka": producer.ping},
    )
