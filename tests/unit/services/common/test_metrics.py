"""Names of metrics, and what a scrape says."""

import re
import secrets

import pytest
from starlette.requests import Request

from payments.common import metrics


async def scrape(accept: str) -> tuple[str, str]:
    headers = [(b"accept", accept.encode())]
    answer = await metrics.endpoint(Request({"type": "http", "headers": headers}))
    return answer.headers["content-type"], bytes(answer.body).decode()


@pytest.mark.parametrize(
    "name", ["requests_total", "payments_Requests_total", "payments_requests", "payments__"]
)
def test_bad_names_are_refused(name: str) -> None:
    with pytest.raises(ValueError, match=re.escape(name)):
        metrics.counter(name, "Requests.")


async def test_values_are_scraped() -> None:
    suffix = secrets.token_hex(3)
    done = metrics.counter(f"payments_test_{suffix}_done_total", "Things done.", ["outcome"])
    waiting = metrics.gauge(f"payments_test_{suffix}_waiting", "Things that wait.")
    times = metrics.histogram(f"payments_test_{suffix}_duration_seconds", "Time of a thing.")
    done.labels("well").inc(2)
    waiting.set_function(lambda: 7)
    times.observe(0.02)
    kind, text = await scrape("text/plain")
    assert kind.startswith("text/plain")
    assert f'payments_test_{suffix}_done_total{{outcome="well"}} 2.0' in text
    assert f"payments_test_{suffix}_waiting 7.0" in text
    assert f'payments_test_{suffix}_duration_seconds_bucket{{le="0.025"}} 1.0' in text
    kind, text = await scrape("application/openmetrics-text; version=1.0.0")
    assert kind.startswith("application/openmetrics-text") and text.endswith("# EOF\n")
    with pytest.raises(ValueError, match="Duplicated"):
        metrics.gauge(f"payments_test_{suffix}_waiting", "Again.")
