"""Conditions and keys of platforms on /metrics, as they are now; nothing of platforms that are gone."""

from datetime import UTC, datetime, timedelta

from prometheus_client import REGISTRY

from payment_operator.errors import reasons
from payment_operator.platform_metrics import Shown
from payment_operator.rotate import Standing

NOW = datetime(2026, 3, 1, tzinfo=UTC)


def condition(name: str, status: str) -> float | None:
    labels = {"platform_namespace": "ns", "platform": name, "condition": "Ready", "status": status}
    return REGISTRY.get_sample_value("payment_operator_platform_condition", labels)


def moment(kind: str) -> float | None:
    labels = {"platform_namespace": "ns", "platform": "shop", "key_set": "signing-keys"}
    return REGISTRY.get_sample_value(f"payment_operator_key_{kind}_timestamp_seconds", labels)


def status(value: str) -> dict[str, object]:
    return {"conditions": [{"type": "Ready", "status": value}]}


def test_a_condition_is_one_for_its_status_and_zero_for_the_others() -> None:
    shown = Shown()
    shown.show("ns", "shop", status("False"), ())
    assert [condition("shop", value) for value in ("True", "False", "Unknown")] == [0, 1, 0]
    shown.show("ns", "shop", status("True"), ())
    assert [condition("shop", value) for value in ("True", "False", "Unknown")] == [1, 0, 0]
    shown.keep("ns", [])


def test_keys_tell_their_age_and_when_the_next_is_due() -> None:
    shown = Shown()
    rotating = Standing("signing-keys", "Current", "", None, NOW, NOW + timedelta(days=30))
    shown.show("ns", "shop", status("True"), [rotating])
    assert moment("in_use_since") == NOW.timestamp()
    assert moment("rotation_due") == (NOW + timedelta(days=30)).timestamp()
    shown.show("ns", "shop", status("True"), [Standing("signing-keys", "Current", "", None, NOW)])
    assert moment("in_use_since") == NOW.timestamp()
    assert moment("rotation_due") is None
    shown.keep("ns", [])
    assert moment("in_use_since") is None


def test_platforms_that_are_gone_are_forgotten_and_others_stay() -> None:
    shown = Shown()
    for name in ("shop", "bank"):
        shown.show("ns", name, status("True"), ())
    shown.keep("other", [])
    assert condition("shop", "True") == 1
    shown.keep("ns", ["bank"])
    assert condition("shop", "True") is None and condition("bank", "True") == 1
    shown.keep("ns", [])


def test_every_reason_of_an_error_is_told_before_the_first_one() -> None:
    """A rate misses the first step of a series that begins with it."""
    for reason in ("InternalError", "UnsupportedJump", "RenderTimeout", "ApiError"):
        assert reason in reasons()
        assert REGISTRY.get_sample_value("payment_operator_errors_total", {"reason": reason}) is not None
