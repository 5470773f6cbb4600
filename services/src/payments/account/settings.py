"""Settings of account-service."""

from pydantic import Field

from payments.common.settings import DatabaseSettings, KafkaSettings, ServiceSettings


class Settings(ServiceSettings, DatabaseSettings, KafkaSettings):
    """Everything that account-service reads from its environment."""

    partner_bank_api_url: str = Field(description="Base URL of partner-bank-api.")
    hold_days: int = Field(
        default=7,
        ge=1,
        description="After this a hold is overdue: the bank is told to take its order no more. Only when it "
        "says that nothing was carried out is the money released; until then it may be on its way.",
    )
    expire_seconds: float = Field(default=30, gt=0, description="Between two rounds of expiring holds.")
    reconcile_seconds: float = Field(
        default=30, gt=0, description="Between two comparisons of new postings with the partner bank's book."
    )
