"""Settings of partner-bank-api."""

from pydantic import Field

from payments.common.settings import DatabaseSettings, ServiceSettings


class Settings(ServiceSettings, DatabaseSettings):
    """Everything that partner-bank-api reads from its environment."""

    processing_delay_seconds: float = Field(
        default=0.05,
        ge=0,
        le=25,
        description="Between an order and its outcome; a real bank takes about 1 s.",
    )

    @property
    def faults(self) -> bool:
        """Faults can be asked for in trials only."""
        return self.platform_profile in ("dev", "staging")
