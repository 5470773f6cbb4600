"""The steps of an upgrade, as a function: every phase, every end, every interruption."""

import random
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from payment_operator.upgrade import (
    DEADLINES,
    FORWARD,
    UNTOUCHED,
    WAITING,
    Check,
    Outcome,
    Phase,
    Seen,
    Upgrade,
    advance,
    from_status,
    to_status,
)

NOW = datetime(2026, 1, 1, tzinfo=UTC)
SEEN = Seen("0.1.0", "0.2.0", 4, "", NOW)
DONE, FAILED = Outcome("done"), Outcome("failed", "pod otp-1: CrashLoopBackOff: no such table")


def at(phase: Phase, **changes: object) -> Upgrade:
    """A record in a phase."""
    record = Upgrade("0.1.0", "0.2.0", phase, NOW, NOW, generation=4)
    return replace(record, **changes)  # type: ignore[arg-type]


def step(record: Upgrade | None, **changes: object) -> Upgrade:
    found = advance(record, replace(SEEN, **changes))  # type: ignore[arg-type]
    assert found is not None
    return found


def test_nothing_begins_while_the_installed_release_is_wanted() -> None:
    assert advance(None, replace(SEEN, wanted="0.1.0")) is None
    done = at(Phase.DONE)
    assert advance(done, replace(SEEN, installed="0.2.0")) == done


def test_the_way_forward() -> None:
    record, phases = step(None), []
    while record.under_way:
        phases.append(record.phase)
        assert step(record, outcome=WAITING) == record
        record = step(record, outcome=Outcome("done", note="none"))
    assert (*phases, record.phase) == FORWARD
    assert (record.snapshot, record.attempts, record.reason) == ("none", 1, "")


@pytest.mark.parametrize("phase", DEADLINES)
def test_a_failure_goes_back_if_anything_was_touched(phase: Phase) -> None:
    record = step(at(phase), outcome=FAILED)
    assert record.phase is (Phase.ROLLED_BACK if phase in UNTOUCHED else Phase.ROLLING_BACK)
    assert record.reason == f"{phase}: pod otp-1: CrashLoopBackOff: no such table"


@pytest.mark.parametrize(("phase", "seconds"), DEADLINES.items())
def test_a_phase_ends_at_its_deadline(phase: Phase, seconds: float) -> None:
    waiting = Outcome("waiting", "Deployment/otp-service rolls out")
    just = step(at(phase), outcome=waiting, now=NOW + timedelta(seconds=seconds))
    assert just.phase is phase
    late = step(at(phase), outcome=waiting, now=NOW + timedelta(seconds=seconds + 1))
    assert late.phase in (Phase.ROLLING_BACK, Phase.ROLLED_BACK)
    assert "not done within" in late.reason and "otp-service" in late.reason


def test_a_rollback_takes_its_time_and_ends() -> None:
    record = at(Phase.ROLLING_BACK, reason="Smoke: refused")
    assert step(record, outcome=WAITING, now=NOW + timedelta(days=1)) == record
    assert step(record, outcome=DONE).phase is Phase.ROLLED_BACK


def test_there_is_no_other_try_until_somebody_asks() -> None:
    failed = at(Phase.ROLLED_BACK, reason="Smoke: refused")
    assert step(failed, now=NOW + timedelta(days=9)) == failed
    for asked in ({"generation": 5}, {"retry": "1"}):
        again = step(failed, **asked)
        assert (again.phase, again.attempts, again.reason) == (Phase.PREFLIGHT, 2, "")
    other = step(failed, wanted="0.3.0", generation=5)
    assert (other.to, other.attempts) == ("0.3.0", 1)
    assert step(failed, wanted="0.1.0", generation=5) == failed


@pytest.mark.parametrize("phase", DEADLINES)
def test_a_spec_that_goes_back_meanwhile_is_followed(phase: Phase) -> None:
    back = step(at(phase), wanted="0.1.0", generation=5)
    assert back.phase is (Phase.ROLLED_BACK if phase in UNTOUCHED else Phase.ROLLING_BACK)
    assert "given up" in back.reason


def test_another_wish_meanwhile_begins_anew_once_the_services_are_back() -> None:
    assert step(at(Phase.PREFLIGHT), wanted="0.3.0").to == "0.3.0"
    back = step(at(Phase.SERVICES), wanted="0.3.0")
    assert (back.phase, back.to) == (Phase.ROLLING_BACK, "0.2.0")
    ended = step(back, wanted="0.3.0", outcome=DONE)
    assert step(ended, wanted="0.3.0").to == "0.3.0"


def test_a_record_survives_the_status() -> None:
    checks = (Check("postgres", True, "answers"), Check("kafka", False, "does not answer"))
    record = at(Phase.ROLLED_BACK, reason="Preflight: kafka", checks=checks, snapshot="none", attempts=3)
    assert from_status({"upgrade": to_status(record)}) == record
    assert from_status({}) is None


def test_from_any_outcome_it_ends() -> None:
    """Random worlds: whatever happens, the record comes to an end and never skips a phase forward."""
    for seed in range(300):
        dice = random.Random(seed)
        record, now = step(None), NOW
        for _ in range(10_000):
            if not record.under_way:
                break
            now += timedelta(seconds=dice.choice([1, 4, 60]))
            before = record
            outcome = dice.choice([WAITING] * 8 + [DONE] * 3 + [FAILED])
            record = step(record, outcome=outcome, now=now, wanted=dice.choice(["0.2.0"] * 9 + ["0.1.0"]))
            if record.phase in FORWARD:
                assert FORWARD.index(record.phase) - FORWARD.index(before.phase) in (0, 1), seed
        assert not record.under_way, seed
        assert (record.phase is Phase.ROLLED_BACK) == bool(record.reason), seed
