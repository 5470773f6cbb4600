"""Wiring of otp-service."""

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
from payments.otp.peers import Notifier
from payments.otp.routes import Routes
from payments.otp.settings import Settings, decode_key
from payments.otp.store import PURGE_BATCH, SCHEMA, Limits, Store
from payments.otp.usecases import Passwords

__all__ = ["Settings", "create"]


def create(settings: Settings) -> FastAPI:
    """The app, with everything it stands on."""
    database = Database(settings, application=settings.service)
    producer = Producer(settings.brokers, client_id=settings.service)
    relay = Relay(database, producer, schema=SCHEMA, source=settings.service, retention=RETENTION)
    http = Http(TokenFile(settings.identity_token_file))
    peer = http.peer(
        "notification-service", settings.notification_service_url, timeout=settings.send_timeout_seconds
    )
    store = Store(
        database,
        Limits(
            ttl=timedelta(seconds=settings.otp_ttl_seconds),
            max_tries=settings.otp_max_tries,
            max_resends=settings.otp_max_resends,
            window=timedelta(seconds=settings.otp_resend_window_seconds),
            gap=timedelta(seconds=settings.otp_resend_gap_seconds),
        ),
    )

    async def clean() -> float:
        forgotten = await store.purge(timedelta(seconds=settings.otp_retention_seconds))
        return 0 if forgotten == PURGE_BATCH else settings.otp_cleaning_seconds

    key = decode_key(settings.otp_hmac_key)
    passwords = Passwords(store, Notifier(peer), key, valid_minutes=settings.otp_ttl_seconds // 60)
    return create_app(
        settings,
        routes=Routes(passwords).routes(),
        resources=[database, producer, relay, http, Loop("cleaning of otp", clean, max_backoff=60)],
        ready=store.ready,
        dependencies={"database": store.ping, "kafka": producer.ping, "notification-service": peer.ping},
        samples=[outbox_lag(database, SCHEMA)],
    )
