"""Wiring of notification-service."""

from contextlib import AbstractAsyncContextManager
from datetime import timedelta
from typing import Any

from fastapi import FastAPI

from payments.common.app import create_app
from payments.common.auth import TokenFile
from payments.common.background import Loop
from payments.common.consumer_lag import consumer_lag
from payments.common.db import Database
from payments.common.http import Http
from payments.common.kafka import Consumer, Producer
from payments.contracts.event import NOTIFICATION_EVENTS
from payments.notification.consumers import Handler
from payments.notification.domain import Channel
from payments.notification.peers import Contacts
from payments.notification.providers import Provider
from payments.notification.providers.fcm import Fcm
from payments.notification.providers.http import HttpProvider, credential
from payments.notification.providers.sandbox import PURGE_BATCH, Sandbox
from payments.notification.providers.sendgrid import SendGrid
from payments.notification.providers.twilio import Twilio
from payments.notification.routes import SANDBOX_PATH, Routes
from payments.notification.settings import Settings
from payments.notification.store import Store
from payments.notification.usecases import Sender

__all__ = ["Settings", "create"]


def create(settings: Settings) -> FastAPI:
    """The app, with everything it stands on. Raises CredentialsError when a real provider has none."""
    database = Database(settings, application=settings.service)
    brokers = settings.brokers
    producer = Producer(brokers, client_id=settings.service)
    http = Http(TokenFile(settings.identity_token_file))
    kyc = http.peer("kyc-service", settings.kyc_service_url, timeout=3)
    sandbox = Sandbox(database) if settings.sandboxed else None
    real = real_providers(settings)
    providers: dict[Channel, Provider] = {**real}
    chosen: dict[Channel, str] = {
        "sms": settings.sms_provider,
        "email": settings.email_provider,
        "push": settings.push_provider,
    }
    if sandbox is not None:
        providers |= {channel: sandbox for channel, name in chosen.items() if name == sandbox.name}
    store = Store(database, claim=timedelta(seconds=settings.claim_seconds))
    sender = Sender(store, Contacts(kyc), providers)
    consumer = Consumer(
        brokers,
        topic=NOTIFICATION_EVENTS,
        group=settings.service,
        handler=Handler(sender, settings.max_attempts),
        producer=producer,
    )
    resources: list[AbstractAsyncContextManager[Any]] = [database, producer, http, *real.values(), consumer]
    if sandbox is not None:
        resources.append(cleaning(sandbox, settings))
    return create_app(
        settings,
        routes=Routes(sender, sandbox).routes(),
        resources=resources,
        ready=store.ready,
        dependencies={"database": store.ping, "kafka": producer.ping, "kyc-service": kyc.ping},
        open_paths=frozenset({SANDBOX_PATH}) if sandbox is not None else frozenset(),
        samples=[consumer_lag(brokers, topic=NOTIFICATION_EVENTS, group=settings.service)],
    )


def cleaning(sandbox: Sandbox, settings: Settings) -> Loop:
    """Deletes old messages of the sandbox, which hold one-time passwords."""

    async def clean() -> float:
        forgotten = await sandbox.purge(timedelta(seconds=settings.sandbox_retention_seconds))
        return 0 if forgotten == PURGE_BATCH else settings.sandbox_cleaning_seconds

    return Loop("cleaning of the sandbox", clean, max_backoff=60)


def real_providers(settings: Settings) -> dict[Channel, HttpProvider]:
    """The providers on the internet that the settings name. Raises CredentialsError."""
    found: dict[Channel, HttpProvider] = {}
    timeout = settings.provider_timeout_seconds
    if settings.sms_provider == "twilio":
        folder, variable = settings.sms_credentials_dir, "SMS_CREDENTIALS_DIR"
        found["sms"] = Twilio(
            url=settings.twilio_url,
            account=credential(folder, variable, "account-sid"),
            token=credential(folder, variable, "auth-token"),
            sender=credential(folder, variable, "from"),
            timeout=timeout,
        )
    if settings.email_provider == "sendgrid":
        folder, variable = settings.email_credentials_dir, "EMAIL_CREDENTIALS_DIR"
        found["email"] = SendGrid(
            url=settings.sendgrid_url,
            api_key=credential(folder, variable, "api-key"),
            sender=credential(folder, variable, "from"),
            timeout=timeout,
        )
    if settings.push_provider == "fcm":
        folder, variable = settings.push_credentials_dir, "PUSH_CREDENTIALS_DIR"
        account = credential(folder, variable, "service-account.json")
        found["push"] = Fcm(url=settings.fcm_url, service_account=account, timeout=timeout)
    return found
