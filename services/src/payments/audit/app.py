"""Wiring of audit-service."""

from fastapi import FastAPI

from payments.audit.anchors import Anchorer
from payments.audit.consumers import Recorder
from payments.audit.routes import Routes
from payments.audit.settings import Settings
from payments.audit.store import Store
from payments.audit.verification import LastRun
from payments.common.app import create_app
from payments.common.db import Database
from payments.common.kafka import Consumer, Producer
from payments.contracts.event import PAYMENT_EVENTS

__all__ = ["Settings", "create"]


def create(settings: Settings) -> FastAPI:
    """The app, with everything it stands on."""
    database = Database(settings, application=settings.service)
    servers = settings.kafka_bootstrap_servers
    producer = Producer(servers, client_id=settings.service)
    store = Store(database)
    recorder = Consumer(
        servers,
        topic=PAYMENT_EVENTS,
        group=settings.service,
        handler=Recorder(store),
        producer=producer,
    )
    anchorer = Anchorer(store, producer, seconds=settings.anchor_seconds)
    return create_app(
        settings,
        routes=Routes(store).routes(),
        resources=[database, producer, anchorer, recorder, LastRun(database)],
        ready=store.ready,
        dependencies={"database": store.ping, "kafka": producer.ping},
    )
