"""Wiring of ofac-service."""

from datetime import timedelta

from fastapi import FastAPI

from payments.common.app import create_app
from payments.common.auth import TokenFile
from payments.common.background import Loop
from payments.common.db import Database
from payments.common.http import Http
from payments.common.kafka import Producer
from payments.common.outbox import RETENTION, Relay
from payments.common.outbox_lag import outbox_lag
from payments.ofac.customers import Customers
from payments.ofac.decision_log import DecisionLog
from payments.ofac.domain.decision import Thresholds
from payments.ofac.operator_routes import OperatorRoutes
from payments.ofac.refresh import Freshness, Refresher
from payments.ofac.rescreen_store import RescreenStore
from payments.ofac.rescreening import Rescreener
from payments.ofac.routes import Routes
from payments.ofac.rule_store import RuleStore
from payments.ofac.settings import Settings
from payments.ofac.store import SCHEMA, Store
from payments.ofac.usecases import Screener

__all__ = ["Settings", "create"]


def create(settings: Settings) -> FastAPI:
    """The app, with everything it stands on."""
    database = Database(settings, application=settings.service)
    producer = Producer(settings.brokers, client_id=settings.service)
    relay = Relay(database, producer, schema=SCHEMA, source=settings.service, retention=RETENTION)
    store = Store(database)
    screener = Screener(store, Thresholds(settings.review_threshold, settings.match_threshold))
    freshness = Freshness(database, timedelta(days=settings.sanctions_stale_days))
    http = Http(TokenFile(settings.identity_token_file))
    kyc = http.peer("kyc-service", settings.kyc_service_url)
    rescreenings = RescreenStore(database)
    rescreener = Rescreener(screener, rescreenings, Customers(kyc), batch=settings.rescreening_batch)
    operators = OperatorRoutes(screener, DecisionLog(database), RuleStore(database), rescreenings, freshness)
    loops = [Loop("sanctions list", screener.refresh), Loop("age of the list", freshness.step), rescreener]
    if settings.sanctions_source:
        refresher = Refresher(
            database,
            settings,
            settings.sanctions_source,
            interval=settings.sanctions_refresh_seconds,
            timeout=settings.sanctions_timeout_seconds,
        )
        loops.append(Loop("refresh of the list", refresher.step, max_backoff=30.0))

    async def ready() -> bool:
        return await store.ready() and screener.loaded

    return create_app(
        settings,
        routes=[*Routes(screener, freshness).routes(), *operators.routes()],
        resources=[database, producer, http, relay, *loops],
        ready=ready,
        dependencies={
            "database": store.revision,
            "kafka": producer.ping,
            "kyc-service": kyc.ping,
            "sanctions_list": freshness.check,
        },
        samples=[outbox_lag(database, SCHEMA)],
    )
