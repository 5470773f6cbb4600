"""Asks Prometheus about a platform at work, and says what follows: floors, restarts, other requests."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import timedelta

from payment_operator.advice import Use
from payment_operator.errors import ApiError
from payment_operator.load import Load, Sample, load_of, uses_of
from payment_operator.prometheus import NoMetrics, Prometheus, address, secret_of
from payment_operator.recent import Recent
from payment_operator.resize import resized
from payment_operator.scaling import lifted, targets
from payment_operator.view import View
from payment_operator.wedged import judge, limit_of, sound

logger = logging.getLogger(__name__)
Ask = Callable[[str], list[Sample]]
#: Seconds for which an answer is good: Prometheus looks every 15 s.
KEEP = 10.0
#: What was used in hours is good for so many steps of an autoscaler's floor.
STEPS = 5


@dataclass(frozen=True, slots=True)
class Terms:
    """``settle``: what a restart or a dependency that came back is given; ``calm``: see scaling.py.

    ``advice``: the least between two changes of what a service asks for.
    """

    settle: timedelta = timedelta(seconds=300)
    calm: timedelta = timedelta(seconds=60)
    advice: timedelta = timedelta(days=1)


class Watchful:
    """For platforms with a Prometheus; all others are left as they are. Thread-safe."""

    def __init__(
        self, prometheus: Prometheus, terms: Terms, authorization: Callable[[str, str], str] = lambda *_: ""
    ) -> None:
        """``authorization`` is the header that a Secret, by namespace and name, holds. Raises ApiError."""
        self._prometheus = prometheus
        self._authorization = authorization
        self._terms = terms
        keep = min(KEEP, terms.calm.total_seconds())
        self._recent: Recent[tuple[str, str], Load] = Recent(keep, time.monotonic)
        self._used: Recent[tuple[str, str], Mapping[str, Use]] = Recent(
            STEPS * terms.calm.total_seconds(), time.monotonic
        )

    def asked(self, view: View) -> View:
        """The view with the load of now, and with the floors that follow from it."""
        url = address(view.spec, view.namespace) if view.spec else None
        if url is None:
            return view
        ask = self._asking(view, url)
        load = self._load(url, view.namespace, ask)
        desired = lifted(
            view.desired, view.observed.live, targets(view.spec), load, view.now, self._terms.calm
        )
        return replace(view, load=load, desired=desired, uses=self._uses(url, view.namespace, ask))

    def judged(self, view: View) -> View:
        """The view with the services that hang, once nothing else explains it."""
        busy = view.upgrading or view.paused or view.plan.waits or view.plan.apply or view.plan.conflicts
        if view.load is None or view.spec is None or busy:
            return view
        if not sound(view.previous, view.now, self._terms.settle):
            return view
        found = judge(view.load.stuck, view.deployments(), limit_of(view.spec), view.now, self._terms.settle)
        return replace(view, hanging=found)

    def resized(self, view: View) -> View:
        """The view with what services are to ask for, once they have run for long."""
        return resized(view, self._terms.advice)

    def _asking(self, view: View, url: str) -> Ask:
        secret = secret_of(view.spec) if view.spec else ""

        def ask(query: str) -> list[Sample]:
            try:
                authorization = self._authorization(view.namespace, secret) if secret else ""
            except ApiError as problem:
                raise NoMetrics(f"Secret {secret} cannot be read: {problem}") from problem
            return self._prometheus.ask(url, query, authorization)

        return ask

    def _uses(self, url: str, namespace: str, ask: Ask) -> Mapping[str, Use] | None:
        def read() -> Mapping[str, Use]:
            return uses_of(namespace, ask)

        try:
            return self._used.get((namespace, url), read)
        except NoMetrics as problem:
            logger.info("%s: nothing is known of what was used: %s", namespace, problem)
            return None

    def _load(self, url: str, namespace: str, ask: Ask) -> Load | None:
        def read() -> Load:
            return load_of(namespace, ask)

        try:
            return self._recent.get((namespace, url), read)
        except NoMetrics as problem:
            logger.info("%s: nothing is known of the load: %s", namespace, problem)
            return None
