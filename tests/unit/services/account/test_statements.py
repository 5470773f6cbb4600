from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from payments.account.statements import LONGEST, Period, PeriodError, period

TODAY = date(2026, 3, 15)


def test_a_day_in_utc_is_from_midnight_to_midnight() -> None:
    wanted = period(TODAY, TODAY, TODAY)
    assert wanted.begins == datetime(2026, 3, 15, tzinfo=UTC)
    assert wanted.ends == datetime(2026, 3, 16, tzinfo=UTC)


@pytest.mark.parametrize(
    ("first", "last", "expected"),
    [
        (None, None, (date(2026, 3, 1), TODAY)),
        (None, date(2026, 2, 10), (date(2026, 2, 1), date(2026, 2, 10))),
        (date(2026, 1, 5), None, (date(2026, 1, 5), TODAY)),
    ],
)
def test_what_is_not_said_is_this_month(
    first: date | None, last: date | None, expected: tuple[date, date]
) -> None:
    assert period(first, last, TODAY) == Period(*expected)


@given(st.dates() | st.none(), st.dates() | st.none())
def test_any_two_days_are_a_period_or_name_the_field(first: date | None, last: date | None) -> None:
    try:
        wanted = period(first, last, TODAY)
    except PeriodError as error:
        assert error.field in ("from", "to")
        return
    assert wanted.first <= wanted.last <= TODAY
    assert timedelta(0) < wanted.ends - wanted.begins <= LONGEST
