"""What many platforms cost: time to Ready and to repair, memory, CPU, and calls of the API by verb."""

from __future__ import annotations

import random
import time
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

from hack.controlplane.api import Api, crowding, wait
from hack.controlplane.audit import Audit
from hack.controlplane.install import SECRET_NAMES
from hack.controlplane.operators import Operator
from hack.controlplane.servers import OPERATORS, ControlPlane
from hack.progress import say

#: Seconds that a platform may take on its own share of the machine, and that all may take anyway.
EACH, ALL = 10.0, 60.0
#: Numbers of the operators, of which each is counted alone.
INSTALLS, RESTS = 10, 11


@dataclass
class Figures:
    """Of one run; seconds, MiB and calls for each platform."""

    platforms: int
    ready: list[float] = field(default_factory=list)
    repair: list[float] = field(default_factory=list)
    repair_beside_failing: list[float] = field(default_factory=list)
    memory_empty: float = 0.0
    memory: float = 0.0
    memory_peak: float = 0.0
    cpu: float = 0.0
    install_calls: dict[str, float] = field(default_factory=dict)
    resync_calls: dict[str, float] = field(default_factory=dict)
    resync_cpu: float = 0.0


def measure(
    plane: ControlPlane, api: Api, count: int, *, seed: int, samples: int = 20, quiet: float = 6.0
) -> Figures:
    """Install `count` platforms at once, look at them at rest, and repair some with and without one failing.

    Raises AssertionError when one does not become Ready, or writes happen at rest.
    """
    figures = Figures(count)
    names = [f"scale-{count}-{n:03}" for n in range(count)]
    for name in names:
        api.namespace(name)
    audit = Audit(plane.audit_log, OPERATORS[INSTALLS].uid)
    audit.mark()
    # Full passes come by restart here, so that each is counted alone.
    settings = {"SECRET_NAMES": ",".join(SECRET_NAMES)}
    with Operator(plane, number=INSTALLS, resync=3600, settings=settings) as operator:
        wait(lambda: watches(audit), 60, "the operator's watches")
        figures.memory_empty = operator.pss()
        audit.mark()
        figures.ready = _install(api, names)
        time.sleep(quiet)
        figures.cpu = operator.cpu() / count
        figures.memory, figures.memory_peak = operator.pss(), operator.peak()
        figures.install_calls = _each(audit, names)
        chosen = random.Random(seed).sample(names, min(samples, count))
        figures.repair = [repair(api, name) for name in chosen]
        failing = f"scale-{count}-failing"
        _declare_failing(api, failing)
        figures.repair_beside_failing = [repair(api, name) for name in chosen]
        figures.memory_peak = operator.peak()
        api.delete("PaymentPlatform", failing, "payments")
    _rest(plane, names, figures, quiet)
    for name in names:
        api.delete("PaymentPlatform", name, "payments")
    return figures


def watches(audit: Audit) -> bool:
    """Whether the operator watches platforms and all kinds of children."""
    return len({call.resource for call in audit.calls() if call.verb == "watch"}) >= 12


def repair(api: Api, namespace: str, name: str = "kyc-service") -> float:
    """Seconds until a deleted Service is back."""
    before = api.there("Service", namespace, name)["metadata"]["uid"]
    api.delete("Service", namespace, name)

    def back() -> bool:
        live = api.get("Service", namespace, name)
        return live is not None and live["metadata"]["uid"] != before

    return wait(back, 60, f"Service/{name} of {namespace}", pause=0.05)


def percentile(values: Sequence[float], share: float) -> float:
    """The nearest rank."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))]


def _install(api: Api, names: Sequence[str]) -> list[float]:
    began: dict[str, float] = {}

    def declare(name: str) -> None:
        began[name] = time.monotonic()
        api.declare(name)

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(declare, names))
    took: dict[str, float] = {}
    give_up = time.monotonic() + ALL + EACH * len(names)
    told = time.monotonic()
    while len(took) < len(names):
        for platform in api.list("PaymentPlatform"):
            name = platform["metadata"]["namespace"]
            if name in began and name not in took and platform.get("status", {}).get("release"):
                took[name] = time.monotonic() - began[name]
        if time.monotonic() > give_up + (crowding() - 1) * ALL:
            raise AssertionError(f"{len(names) - len(took)} of {len(names)} platforms are not rolled out")
        if time.monotonic() - told > 20:
            told = time.monotonic()
            say(f"{len(took)} of {len(names)} platforms are rolled out")
        time.sleep(0.2 if len(names) <= 20 else 1.0)
    late = [name for name in names if not api.is_ready(name)]
    if late:
        wait(lambda: all(api.is_ready(name) for name in late), ALL, "all Ready")
    return list(took.values())


def _declare_failing(api: Api, namespace: str) -> None:
    """Never Ready: its external Redis lacks its Secret, so each look at it ends in an error."""
    api.namespace(namespace)
    external = {"host": "redis.invalid", "credentialsSecretRef": {"name": SECRET_NAMES[0]}}
    api.declare(namespace, redis={"mode": "External", "external": external})
    wait(
        lambda: api.conditions(namespace).get("Degraded", {}).get("status") == "True",
        60,
        "the failing platform is told",
    )


def _rest(plane: ControlPlane, names: Sequence[str], figures: Figures, quiet: float) -> None:
    """One full pass over platforms that nothing happened to: the one that an operator begins with."""
    audit = Audit(plane.audit_log, OPERATORS[RESTS].uid)
    audit.mark()
    with Operator(plane, number=RESTS, resync=3600) as operator:
        wait(lambda: watches(audit), 60, "the operator's watches")
        seen = [-1]

        def still() -> bool:
            seen.append(sum(call.verb != "watch" for call in audit.calls()))
            return seen[-1] == seen[-2]

        wait(still, ALL + EACH * len(names), "the end of a full pass", pause=quiet)
        figures.resync_cpu = operator.cpu() / figures.platforms
    figures.resync_calls = _each(audit, names)
    written = audit.children_written()
    if written:
        raise AssertionError(f"{len(written)} writes at rest: {', '.join(map(str, written[:5]))}")


def _each(audit: Audit, names: Sequence[str]) -> dict[str, float]:
    verbs = Counter(call.verb for call in audit.calls() if call.namespace in names)
    return {verb: number / len(names) for verb, number in sorted(verbs.items()) if verb != "watch"}
