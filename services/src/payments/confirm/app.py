"""Wires the confirm-service together."""

from datetime import timedelta

from fastapi import FastAPI

from payments.common.app import create_app
from payments.common.auth import TokenFile
from payments.common.db import Database
from payments.common.http import Http
from payments.common.kafka import Producer
from payments.common.outbox import Relay
from payments.common.outbox_lag import outbox_lag
from payments.confirm.backlog import backlog
from payments.confirm.janitor import Janitor
from payments.confirm.money_peers import Accounts, Bank
from payments.confirm.peers import Otp, Risk
from payments.confirm.queries import Queries
from payments.confirm.refunds import Refunds
from payments.confirm.routes import Routes, UseCases
from payments.confirm.settings import Settings
from payments.confirm.store import REVISION, Store
from payments.confirm.usecases.authorize import Authorize
from payments.confirm.usecases.cancel import Cancel
from payments.confirm.usecases.confirm import Confirm
from payments.confirm.usecases.create import Create
from payments.confirm.usecases.execute import Execute
from payments.confirm.usecases.refund import CreateRefunds
from payments.confirm.usecases.resend_otp import ResendOtp
from payments.confirm.usecases.review import Review
from payments.confirm.usecases.settlement import Settlement
from payments.confirm.webhooks.wiring import wire

__all__ = ["Settings", "create"]

SCHEMA = "payments"
BANK_TIMEOUT = 8.0


def create(settings: Settings) -> FastAPI:
    """The confirm-service as an app."""
    database = Database(settings, application=settings.service)
    http = Http(TokenFile(settings.identity_token_file))
    producer = Producer(settings.brokers, client_id=settings.service)
    relay = Relay(database, producer, schema=SCHEMA, source=settings.service)

    risk = http.peer("risk-service", settings.risk_service_url)
    otp = http.peer("otp-service", settings.otp_service_url)
    account = http.peer("account-service", settings.account_service_url)
    bank = http.peer("partner-bank-api", settings.partner_bank_api_url, timeout=BANK_TIMEOUT)

    lease = timedelta(seconds=settings.lease_seconds)
    patience = settings.lease_seconds * 0.4  # the rest is for what was begun in time
    store = Store(database, lease=lease, expiry=timedelta(hours=settings.payment_expiry_hours))
    refunds = Refunds(database, lease=lease)
    queries = Queries(database)
    accounts = Accounts(account)
    settlement = Settlement(store, relay)
    confirm = Confirm(
        store,
        settlement,
        Authorize(store, settlement, Risk(risk), Otp(otp)),
        Execute(store, settlement, accounts, Bank(bank)),
        patience=patience,
    )
    refund = CreateRefunds(refunds, accounts, Bank(bank), relay)
    janitor = Janitor(
        store,
        refunds,
        confirm,
        refund,
        keys_kept=timedelta(hours=settings.idempotency_hours),
        cleaning_seconds=settings.cleaning_seconds,
        stuck_after=timedelta(seconds=settings.stuck_seconds),
    )
    use_cases = UseCases(
        create=Create(store, accounts, relay),
        confirm=confirm,
        cancel=Cancel(store, relay),
        refund=refund,
        resend_otp=ResendOtp(store, queries, Otp(otp)),
        review=Review(store, confirm, relay, patience=patience),
        queries=queries,
    )

    webhook_routes, webhook_loops = wire(settings, database)

    async def ready() -> bool:
        return await database.ready(SCHEMA, REVISION)

    return create_app(
        settings,
        routes=[*Routes(use_cases).routes(), *webhook_routes],
        resources=[database, http, producer, relay, janitor, *webhook_loops],
        ready=ready,
        dependencies={
            "postgres": lambda: database.fetchval("SELECT 1", timeout=2),
            "kafka": producer.ping,
            "risk_service": risk.ping,
            "otp_service": otp.ping,
            "account_service": account.ping,
            "partner_bank_api": bank.ping,
        },
        samples=[outbox_lag(database, SCHEMA), backlog(database)],
    )
