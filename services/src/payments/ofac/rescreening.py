"""Screens all customers again when another list comes into force: in batches, once for each list."""

import asyncio
import logging
from dataclasses import dataclass

from payments.common import metrics
from payments.common.background import Loop
from payments.ofac.customers import Customer, Customers
from payments.ofac.domain.decision import Rule, Screening, Subject, Thresholds
from payments.ofac.rescreen_store import Finding, RescreenStore
from payments.ofac.screening import LoadedList, screen
from payments.ofac.usecases import SCREENINGS, Screener

log = logging.getLogger(__name__)

IDLE_SECONDS = 2.0
# Payments are screened by the same processes: leave them the time between two batches.
PAUSE_SECONDS = 0.05
FLAGGED = metrics.counter(
    "payments_sanctions_flagged_total", "Customers that a new list flagged who were not flagged before."
)


@dataclass(frozen=True, slots=True)
class Screened:
    """A customer with the decision about them."""

    subject: Subject
    screening: Screening


class Rescreener(Loop):
    """One batch a step. A batch is one transaction, so that it can be interrupted anywhere and goes on there.

    Only one instance works at a time. A list that is replaced meanwhile is not gone on with.
    """

    def __init__(self, screener: Screener, store: RescreenStore, customers: Customers, *, batch: int) -> None:
        super().__init__("rescreening", self.step, max_backoff=30.0)
        self._screener = screener
        self._store = store
        self._customers = customers
        self._batch = batch

    async def step(self) -> float:
        """Screen the next customers. Raises Problem(service_unavailable): nothing is lost."""
        if not self._screener.loaded or not await self._store.open():
            return IDLE_SECONDS
        async with self._store.work() as work:
            if work is None:
                return IDLE_SECONDS
            loaded = await self._screener.current(work.revision)
            if loaded.active.list_id != work.list_id:
                return 0
            customers, more = await self._customers.after(work.reached, self._batch)
            rules = await work.rules([(one.customer_id, one.name) for one in customers])
            thresholds = self._screener.thresholds
            screened = await asyncio.to_thread(_screen, loaded, customers, rules, thresholds)
            findings = [Finding(one.subject, one.screening) for one in screened]
            method = self._screener.method(loaded, work.revision)
            newly = await work.save(findings, method, done=not more)
        for one in screened:
            SCREENINGS.labels(one.screening.decision, "rescreening").inc()
        FLAGGED.inc(newly)
        if not more:
            log.info("all customers are screened against list %d", work.list_id)
        return PAUSE_SECONDS if more else IDLE_SECONDS


def _screen(
    loaded: LoadedList, customers: list[Customer], rules: list[list[Rule]], thresholds: Thresholds
) -> list[Screened]:
    found = []
    for customer, theirs in zip(customers, rules, strict=True):
        subject = Subject(customer.customer_id, customer.name, customer.country, customer.date_of_birth)
        found.append(Screened(subject, screen(loaded, subject, customer.kind, theirs, thresholds)))
    return found
