"""notification-service and what it stands on, running."""

import httpx
import pytest

from hack.dev.identity import Identity
from hack.dev.stack import Stack
from tests.support.internal_calls import Calls, ensure


@pytest.fixture
def notification(stack: Stack, identity: Identity, client: httpx.AsyncClient) -> Calls:
    """notification-service, called as otp-service."""
    ensure(stack, "kyc-service", "notification-service")
    return Calls(stack, identity, client, "notification-service", "otp-service")
