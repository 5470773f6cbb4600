from datetime import date

import pytest

from payments.kyc.domain import Customer, Status, unknown

TODAY = date(2026, 5, 4)


@pytest.mark.parametrize(
    ("status", "expires", "verified"),
    [
        ("verified", None, True),
        ("verified", date(2026, 5, 4), True),
        ("verified", date(2026, 5, 3), False),
        ("pending", None, False),
        ("rejected", date(2030, 1, 1), False),
    ],
)
def test_a_verification_holds_through_the_documents_last_day(
    status: Status, expires: date | None, verified: bool
) -> None:
    assert Customer("c", status, documents_expire_on=expires).verified(TODAY) is verified


def test_an_old_verification_is_told_as_expired() -> None:
    yesterday = date(2026, 5, 3)
    assert Customer("c", "verified", documents_expire_on=yesterday).status_on(TODAY) == "expired"
    assert Customer("c", "verified", documents_expire_on=TODAY).status_on(TODAY) == "verified"
    assert Customer("c", "rejected", documents_expire_on=yesterday).status_on(TODAY) == "rejected"


def test_somebody_unknown_is_not_verified() -> None:
    customer = unknown("nobody")
    assert not customer.verified(TODAY)
    assert customer.version == 0
