"""Recording: which share, what a lost collector does, and that off nothing is loaded."""

import random
import subprocess
import sys
import time
from pathlib import Path

import pytest

from payments.common import telemetry, tracing
from payments.common.settings import ServiceSettings
from payments.common.telemetry import Exporter, Recording
from payments.common.tracing import Shape, Span
from tests.support.otlp_receiver import Receiver

SHAPE = Shape("x", tracing.CLIENT, {})


def settings(**more: object) -> ServiceSettings:
    return ServiceSettings.model_validate({"service": "confirm-service", "http_port": 1, **more})


def started(monkeypatch: pytest.MonkeyPatch, **more: object) -> Recording:
    monkeypatch.setattr(tracing, "recorder", None)  # put back afterwards
    monkeypatch.setattr(telemetry, "PAUSE_SECONDS", 0.2)
    return telemetry.start(settings(**more))


def end_one() -> None:
    Span(SHAPE, "1" * 32, "").end()


@pytest.mark.parametrize("ratio", [0.0, 0.05, 0.25, 1.0])
def test_the_share_that_is_recorded(ratio: float) -> None:
    class Nowhere(Exporter):
        def __init__(self) -> None:
            pass

        def shutdown(self) -> None:
            pass

    recording = Recording(Nowhere(), ratio)
    chance = random.Random(random.randrange(2**32))
    traces = [f"{chance.getrandbits(128):032x}" for _ in range(4000)]
    found = [recording.samples(trace) for trace in traces]
    recording.close()
    assert abs(sum(found) / len(found) - ratio) < 0.03
    assert [recording.samples(trace) for trace in traces[:100]] == found[:100]  # by the id alone


def test_closing_sends_what_is_queued(monkeypatch: pytest.MonkeyPatch) -> None:
    with Receiver() as receiver:
        recording = started(monkeypatch, otel_exporter_otlp_endpoint=receiver.url, service_version="1.2.3")
        for _ in range(300):
            end_one()
        recording.close()
        assert len(receiver.spans) == 300
        resource = receiver.spans[0].resource
    assert resource["service.name"] == "confirm-service" and resource["service.version"] == "1.2.3"
    assert resource["telemetry.sdk.name"] == "opentelemetry"


def test_a_collector_that_asks_for_credentials_gets_them(monkeypatch: pytest.MonkeyPatch) -> None:
    with Receiver() as receiver:
        recording = started(
            monkeypatch,
            otel_exporter_otlp_endpoint=receiver.url,
            otel_exporter_otlp_authorization="Bearer abc\n",
        )
        end_one()
        recording.close()
        assert receiver.headers["authorization"] == "Bearer abc"
    found = settings(otel_exporter_otlp_authorization="Bearer abc")
    assert "abc" not in repr(found)


def test_a_dead_collector_costs_nothing_and_is_told_once(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(telemetry, "QUEUE", 1000)
    monkeypatch.setenv("OTEL_BSP_SCHEDULE_DELAY", "20")
    dropped = telemetry.DROPPED._value.get()
    recording = started(monkeypatch, otel_exporter_otlp_endpoint="http://127.0.0.1:9")
    began = time.perf_counter()
    for _ in range(3):
        for _ in range(200):
            end_one()
        time.sleep(0.1)
    recording.close()
    assert time.perf_counter() - began < 3
    assert telemetry.DROPPED._value.get() - dropped == 600
    assert [r.getMessage() for r in caplog.records if r.name == telemetry.__name__] == [
        "traces are dropped, http://127.0.0.1:9/v1/traces does not take them: ConnectionRefusedError"
    ]


def test_a_collector_that_hangs_holds_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(telemetry, "TIMEOUT_SECONDS", 0.3)
    with Receiver() as receiver, receiver.hanging():
        recording = started(monkeypatch, otel_exporter_otlp_endpoint=receiver.url)
        began = time.perf_counter()
        for _ in range(1000):
            end_one()
        assert time.perf_counter() - began < 0.25  # nobody waits
        recording.close()
        assert time.perf_counter() - began < 3


def test_off_no_library_is_loaded() -> None:
    program = "import sys, payments.run, payments.confirm.app; print('opentelemetry.sdk' in sys.modules)"
    folder = Path(__file__).parents[4] / "services/src"
    done = subprocess.run(
        [sys.executable, "-c", program],
        env={"PYTHONPATH": str(folder)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.strip() == "False"


@pytest.mark.parametrize("endpoint", ["collector:4318", "ftp://x", "http://"])
def test_an_endpoint_is_a_url(endpoint: str) -> None:
    with pytest.raises(ValueError, match="otel_exporter_otlp_endpoint"):
        settings(otel_exporter_otlp_endpoint=endpoint)
