"""When a customer counts as verified. Pure."""

from dataclasses import dataclass
from datetime import date
from typing import Literal

Status = Literal["verified", "pending", "rejected", "documents_required", "expired", "unknown"]
Kind = Literal["individual", "business"]
Level = Literal["basic", "full", "enhanced"]
Verdict = Literal["approve", "reject", "require_documents"]


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

    def status_on(self, today: date) -> Status:
        """The status today (UTC): from the day after the documents' last one it is `expired`."""
        ended = self.documents_expire_on is not None and today > self.documents_expire_on
        return "expired" if self.status == "verified" and ended else self.status

    def verified(self, today: date) -> bool:
        """True when the verification holds today (UTC)."""
        return self.status_on(today) == "verified"


def unknown(customer_id: str) -> Customer:
    """A customer nobody has registered: not verified."""
    return Customer(customer_id, "unknown")
