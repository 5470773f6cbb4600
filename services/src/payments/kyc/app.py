"""Wiring of kyc-service."""

from fastapi import FastAPI

from payments.common.app import create_app
from payments.common.background import Loop
from payments.common.db import Database
from payments.common.kafka import Producer
from payments.common.outbox import RETENTION, Relay
from payments.common.outbox_lag import outbox_lag
from payments.kyc.decision_store import DecisionStore
from payments.kyc.operator_routes import OperatorRoutes
from payments.kyc.routes import Routes
from payments.kyc.settings import Settings
from payments.kyc.store import SCHEMA, Store

__all__ = ["Settings", "create"]


def create(settings: Settings) -> FastAPI:
    """The app, with everything it stands on."""
    database = Database(settings, application=settings.service)
    producer = Producer(settings.brokers, client_id=settings.service)
    relay = Relay(database, producer, schema=SCHEMA, source=settings.service, retention=RETENTION)
    store, decisions = Store(database), DecisionStore(database)
    return create_app(
        settings,
        routes=[*Routes(store).routes(), *OperatorRoutes(decisions).routes()],
        resources=[database, producer, relay, Loop("expiry of documents", decisions.expire)],
        ready=store.ready,
        dependencies={"database": store.version, "kafka": producer.ping},
        samples=[outbox_lag(database, SCHEMA)],
    )
