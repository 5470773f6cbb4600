"""The load balancer's container, once for the module."""

from collections.abc import Iterator

import pytest

from tests.integration.load_balancer import container
from tests.integration.load_balancer.container import LoadBalancer


@pytest.fixture(scope="module")
def load_balancer(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LoadBalancer]:
    running = container.start(tmp_path_factory.mktemp("load-balancer"))
    yield running
    running.stop_gateway()
    container.remove()


@pytest.fixture
def gateway(load_balancer: LoadBalancer) -> Iterator[LoadBalancer]:
    """The load balancer with its gateway running."""
    load_balancer.start_gateway()
    yield load_balancer
    load_balancer.stop_gateway()
