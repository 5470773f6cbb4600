"""When a customer counts as verified. Pure."""

from dataclasses import dataclass
from datetime import date
from typing import Literal

Status = Literal["verified", "pending", "rejected", "unknown"]
Kind = Literal["individual", "business"]


@dataclass(frozen=True, slots=True)
class Customer:
    """What screening and risk may know of a customer.

    `version` is the number of the last change to this customer, 0 for an unknown one. `documents_expire_on`
    is the last day on which the documents are good.
    """

    customer_id: str
    status: Status
    level: str | None = None
    kind: Kind | None = None
    name: str | None = None
    country: str | None = None
    date_of_birth: date | None = None
    documents_expire_on: date | None = None
    version: int = 0

    def verified(self, today: date) -> bool:
        """True when the verification holds today (UTC)."""
        in_date = self.documents_expire_on is None or today <= self.documents_expire_on
        return self.status == "verified" and in_date


def unknown(customer_id: str) -> Customer:
    """A customer nobody has registered: not verified."""
    return Customer(customer_id, "unknown")
