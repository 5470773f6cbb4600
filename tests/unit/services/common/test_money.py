from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from payments.common.money import MAX_MINOR, AmountError, check_minor, exponent, to_decimal, to_minor


@pytest.mark.parametrize(
    ("text", "currency", "minor"),
    [
        ("1000.00", "USD", 100_000),
        ("0.01", "USD", 1),
        ("1E3", "USD", 100_000),
        ("7", "JPY", 7),
        ("1.234", "KWD", 1234),
        ("10000000000.00", "EUR", MAX_MINOR),
    ],
)
def test_minor_units(text: str, currency: str, minor: int) -> None:
    assert to_minor(Decimal(text), currency) == minor
    assert to_decimal(minor, currency) == Decimal(text)


@pytest.mark.parametrize(
    ("text", "currency", "reason"),
    [
        ("0.001", "USD", "more than 2 decimals"),
        ("1.5", "JPY", "more than 0 decimals"),
        ("0", "USD", "from 1"),
        ("-5", "USD", "from 1"),
        ("NaN", "USD", "finite"),
        ("Infinity", "USD", "finite"),
        ("1E999999", "USD", "from 1"),
        ("1E-999999", "USD", "decimals"),
        ("10000000000.01", "USD", "from 1"),
        ("1", "XXX", "ISO 4217"),
        ("1", "usd", "ISO 4217"),
    ],
)
def test_refusals_name_the_reason(text: str, currency: str, reason: str) -> None:
    with pytest.raises(AmountError, match=reason):
        to_minor(Decimal(text), currency)


@pytest.mark.parametrize("amount", [0, -1, MAX_MINOR + 1])
def test_bounds_of_minor_units(amount: int) -> None:
    with pytest.raises(AmountError):
        check_minor(amount)


@given(st.integers(1, MAX_MINOR), st.sampled_from(["USD", "JPY", "KWD", "ISK", "EUR"]))
def test_there_and_back(minor: int, currency: str) -> None:
    assert to_minor(to_decimal(minor, currency), currency) == minor
    assert -to_decimal(minor, currency).as_tuple().exponent == exponent(currency)  # type: ignore[operator]
