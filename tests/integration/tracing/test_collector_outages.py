"""A collector that is dead, hangs or refuses: payments end as ever and as fast; nothing floods the logs."""

import asyncio
import sys
import time

import pytest

from hack.dev.stack import Stack
from tests.integration.tracing.conftest import ON_US, Customer
from tests.support.otlp_receiver import Receiver

PAYMENTS = 15
pytestmark = pytest.mark.timeout(300)  # the stack starts within the first test


async def milliseconds(customer: Customer) -> list[float]:
    """How long each of PAYMENTS confirmations took."""
    ids = [await customer.create(ON_US) for _ in range(PAYMENTS)]
    taken = []
    for payment in ids:
        began = time.perf_counter()
        assert (await customer.confirm(payment))["status"] == "succeeded"
        taken.append((time.perf_counter() - began) * 1000)
    return taken


async def test_payments_do_not_notice(traced: Stack, customer: Customer, receiver: Receiver) -> None:
    await milliseconds(customer)  # warm
    good = await milliseconds(customer)
    with receiver.hanging():
        await asyncio.sleep(1.2)  # the exporters are in the middle of a request
        hanging = await milliseconds(customer)
    receiver.status = 503
    refusing = await milliseconds(customer)
    receiver.status = 200
    found = {
        "good": min(good),
        "hanging": min(hanging),
        "refusing": min(refusing),
        "worst while hanging": max(hanging),
    }
    sys.stdout.write(f"milliseconds: {found}\n")
    assert found["hanging"] < 2 * found["good"] + 20
    assert found["refusing"] < 2 * found["good"] + 20
    assert found["worst while hanging"] < 1500  # below the exporter's own patience
    receiver.clear()
    until = time.monotonic() + 20
    while not receiver.spans:  # and they are back by themselves
        assert time.monotonic() < until
        await customer.create(ON_US)
        await asyncio.sleep(0.5)
    folder = traced.processes.log_folder
    assert folder is not None
    for service in traced.services:
        lines = (folder / f"{service}.log").read_text().splitlines()
        lost = [line for line in lines if "traces are dropped" in line]
        assert len(lost) <= 3, (service, lost)
        assert not [line for line in lines if "Exception while exporting" in line], service
