"""How long a service takes from its process' start to its first answer, against `python -c pass`."""

from __future__ import annotations

import statistics
import subprocess
import time
import urllib.error
import urllib.request

from hack.dev.catalog import environment, python
from hack.dev.stack import Stack

RUNS = 7


def startup(stack: Stack) -> dict[str, tuple[float, float]]:
    """Median seconds to the first answer of /live, and their ratio to an interleaved `python -c pass`."""
    results = {}
    for name in stack.services:
        bare, served = [], []
        for _ in range(RUNS):
            bare.append(_bare())
            served.append(_serve(stack, name))
        median = statistics.median(served)
        results[name] = (median, median / statistics.median(bare))
    return results


def _bare() -> float:
    began = time.perf_counter()
    subprocess.run([python(), "-c", "pass"], check=True)
    return time.perf_counter() - began


def _serve(stack: Stack, name: str) -> float:
    service = stack.services[name]
    variables = environment(service, stack.identity, stack.servers, stack.ports)
    url = f"{stack.url(name)}/live"
    began = time.perf_counter()
    process = subprocess.Popen(
        [python(), "-m", "payments.run"], env=variables, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        while time.perf_counter() - began < 30:
            try:
                with urllib.request.urlopen(url, timeout=1):
                    return time.perf_counter() - began
            except (urllib.error.URLError, ConnectionError):
                time.sleep(0.005)
        raise TimeoutError(f"{name} did not answer {url} within 30 s")
    finally:
        process.terminate()
        process.wait(15)
