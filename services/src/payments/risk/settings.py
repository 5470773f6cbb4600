"""Settings of risk-service."""

from decimal import Decimal
from pathlib import Path

from pydantic import Field

from payments.common.settings import ServiceSettings


class Settings(ServiceSettings):
    """Everything that risk-service reads from its environment."""

    kyc_service_url: str
    ofac_service_url: str
    review_limit_major: Decimal = Field(
        Decimal("75000"),
        gt=0,
        description="Payments over this amount, in major units of their currency, wait for an operator.",
    )
    peer_timeout_seconds: float = Field(2.0, gt=0, le=30)
    cache_entries: int = Field(50_000, ge=1, description="Answers kept of each peer.")
    risk_rules_file: Path | None = Field(
        None, description="The rules, a JSON document (see payments.risk.rules); default the built-in ones."
    )
