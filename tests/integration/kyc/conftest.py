"""kyc-service and what it stands on, running."""

import httpx
import pytest

from hack.dev.identity import Identity
from hack.dev.stack import Stack
from tests.support.internal_calls import Calls, ensure


@pytest.fixture
def kyc(stack: Stack, identity: Identity, client: httpx.AsyncClient) -> Calls:
    """kyc-service, called as risk-service."""
    ensure(stack, "kyc-service")
    return Calls(stack, identity, client, "kyc-service", "risk-service")
