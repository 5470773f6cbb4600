"""ofac-service and what it stands on, running."""

import httpx
import pytest

from hack.dev.identity import Identity
from hack.dev.stack import Stack
from tests.support.internal_calls import Calls, ensure


@pytest.fixture
def ofac(stack: Stack, identity: Identity, client: httpx.AsyncClient) -> Calls:
    """ofac-service, called as risk-service."""
    ensure(stack, "ofac-service")
    return Calls(stack, identity, client, "ofac-service", "risk-service")
