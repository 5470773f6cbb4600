"""Wiring of partner-bank-api."""

from fastapi import FastAPI

from payments.common.app import create_app
from payments.common.db import Database
from payments.partner_bank.routes import FAULTS_PATH, Routes
from payments.partner_bank.settings import Settings
from payments.partner_bank.store import Store
from payments.partner_bank.usecases import Bank

__all__ = ["Settings", "create"]


def create(settings: Settings) -> FastAPI:
    """The app, with everything it stands on."""
    database = Database(settings, application=settings.service)
    store = Store(database)
    bank = Bank(store, delay=settings.processing_delay_seconds)
    return create_app(
        settings,
        routes=Routes(bank, store, faults=settings.faults).routes(),
        resources=[database],
        ready=store.ready,
        dependencies={"database": store.ping},
        # Testers ask for faults by hand; the route does not exist in production.
        open_paths=frozenset({FAULTS_PATH}) if settings.faults else frozenset(),
    )
