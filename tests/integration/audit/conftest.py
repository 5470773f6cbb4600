"""audit-service and what it stands on, running."""

import httpx
import pytest

from hack.dev.identity import Identity
from hack.dev.stack import Stack
from tests.support.internal_calls import Calls, ensure


@pytest.fixture
def audit(stack: Stack, identity: Identity, client: httpx.AsyncClient) -> Calls:
    """audit-service, called as api-gateway."""
    ensure(stack, "audit-service")
    return Calls(stack, identity, client, "audit-service", "api-gateway")
