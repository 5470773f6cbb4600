"""Wiring of audit-service."""

from contextlib import AbstractAsyncContextManager
from typing import Any

from fastapi import FastAPI

from payments.audit.anchors import Anchorer
from payments.audit.consumers import Recorder
from payments.audit.exports.engine import Engine
from payments.audit.exports.influxdb import InfluxDB, PaymentPoints
from payments.audit.exports.loop import Export, Figures
from payments.audit.exports.positions import INFLUXDB, SEARCH, Position
from payments.audit.exports.search import SearchIndex
from payments.audit.routes import Routes
from payments.audit.settings import Settings
from payments.audit.store import Store
from payments.audit.verification import LastRun
from payments.common.app import create_app
from payments.common.consumer_lag import consumer_lag
from payments.common.db import Database
from payments.common.kafka import Consumer, Producer
from payments.contracts.event import PAYMENT_EVENTS

__all__ = ["Settings", "create"]

_SEARCH_FIGURES = Figures.of("search", "indexed", "the search index")
_INFLUXDB_FIGURES = Figures.of("influxdb", "written", "InfluxDB")


def create(settings: Settings) -> FastAPI:
    """The app, with everything it stands on."""
    database = Database(settings, application=settings.service)
    brokers = settings.brokers
    producer = Producer(brokers, client_id=settings.service)
    store = Store(database)
    recorder = Consumer(
        brokers,
        topic=PAYMENT_EVENTS,
        group=settings.service,
        handler=Recorder(store),
        producer=producer,
    )
    anchorer = Anchorer(store, producer, seconds=settings.anchor_seconds)
    return create_app(
        settings,
        routes=Routes(store).routes(),
        resources=[
            database,
            producer,
            anchorer,
            recorder,
            LastRun(database),
            *_exports(settings, database, store),
        ],
        ready=store.ready,
        dependencies={"database": store.ping, "kafka": producer.ping},
        samples=[consumer_lag(brokers, topic=PAYMENT_EVENTS, group=settings.service)],
    )


def _exports(settings: Settings, database: Database, store: Store) -> list[AbstractAsyncContextManager[Any]]:
    """The copies of the trail that are switched on."""
    resources: list[AbstractAsyncContextManager[Any]] = []
    if settings.search_url:
        engine = Engine(
            settings.search_url, settings.search_username, settings.search_password.get_secret_value()
        )
        index = SearchIndex(engine, retention=settings.search_retention)
        position = Position(database, SEARCH)
        resources += [engine, Export("search index", store, position, index, _SEARCH_FIGURES)]
    if settings.influxdb_url:
        influxdb = InfluxDB(
            settings.influxdb_url,
            settings.influxdb_token.get_secret_value(),
            org=settings.influxdb_org,
            bucket=settings.influxdb_bucket,
        )
        points = PaymentPoints(influxdb, store)
        position = Position(database, INFLUXDB)
        resources += [influxdb, Export("points of payments", store, position, points, _INFLUXDB_FIGURES)]
    return resources
