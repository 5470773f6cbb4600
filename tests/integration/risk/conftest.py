"""risk-service and what it stands on, running."""

import httpx
import pytest

from hack.dev.identity import Identity
from hack.dev.stack import Stack
from tests.support.internal_calls import Calls, ensure


@pytest.fixture
def risk(stack: Stack, identity: Identity, client: httpx.AsyncClient) -> Calls:
    """risk-service, called as confirm-service."""
    ensure(stack, "kyc-service", "ofac-service", "risk-service")
    return Calls(stack, identity, client, "risk-service", "confirm-service")
