"""Wiring of account-service."""

from fastapi import FastAPI

from payments.account.expire import Expirer
from payments.account.measures import ledger
from payments.account.peers import PartnerBank
from payments.account.queries import Queries
from payments.account.reads import Reads
from payments.account.reconcile import Reconciler
from payments.account.routes import Routes
from payments.account.settings import Settings
from payments.account.statement_routes import Statements
from payments.account.store import SCHEMA, Store
from payments.common.app import create_app
from payments.common.auth import TokenFile
from payments.common.db import Database
from payments.common.http import Http
from payments.common.kafka import Producer
from payments.common.outbox import RETENTION, Relay
from payments.common.outbox_lag import outbox_lag

__all__ = ["Settings", "create"]


def create(settings: Settings) -> FastAPI:
    """The app, with everything it stands on."""
    database = Database(settings, application=settings.service)
    producer = Producer(settings.brokers, client_id=settings.service)
    relay = Relay(database, producer, schema=SCHEMA, source=settings.service, retention=RETENTION)
    http = Http(TokenFile(settings.identity_token_file))
    bank = PartnerBank(http.peer("partner-bank-api", settings.partner_bank_api_url))
    store = Store(database)
    queries = Queries(database)
    reconciler = Reconciler(store, bank, seconds=settings.reconcile_seconds)
    expirer = Expirer(store, bank, seconds=settings.expire_seconds)
    return create_app(
        settings,
        routes=[
            *Routes(store, hold_days=settings.hold_days).routes(),
            *Reads(queries).routes(),
            *Statements(queries).routes(),
        ],
        resources=[database, producer, relay, http, reconciler, expirer],
        ready=store.ready,
        dependencies={"database": store.ping, "kafka": producer.ping, "partner-bank-api": bank.ping},
        samples=[outbox_lag(database, SCHEMA), ledger(database)],
    )
