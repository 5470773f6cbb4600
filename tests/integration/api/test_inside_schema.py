"""Every internal service, asked by one that may: whatever comes, no 5xx, and every error is a problem."""

from time import monotonic

import pytest

from tests.integration.api.conftest import SOAK
from tests.integration.api.inside import GATEWAY, Services
from tests.integration.api.matrix import ROUTES
from tests.integration.api.schema_runner import Report, load, run
from tests.integration.api.world import Person, World, fresh_key

EXAMPLES = 300 if SOAK else 3
INTERNAL = (
    "account-service",
    "audit-service",
    "confirm-service",
    "kyc-service",
    "notification-service",
    "ofac-service",
    "otp-service",
    "partner-bank-api",
    "risk-service",
)


def test_all_services_are_tried(services: Services) -> None:
    assert {*INTERNAL, GATEWAY} == services.stack.services.keys()


@pytest.mark.parametrize("service", INTERNAL)
@pytest.mark.timeout(3600 if SOAK else 300)
def test_a_service_survives(service: str, services: Services, world: World, owner: Person, seed: int) -> None:
    began, identity, report = monotonic(), world.stack.identity, Report()
    schema = load(services.document(service, owner.customer_id), world.stack.url(service))
    actors = [None, identity.actor_token(owner.customer_id), identity.actor_token("", role="operator")]
    for number, actor in enumerate(actors):

        def headers(label: str, actor: str | None = actor) -> dict[str, str]:
            caller = identity.token(services.caller(f"{service} {label}"))
            given = {"Authorization": f"Bearer {caller}", "Idempotency-Key": fresh_key()}
            return given if actor is None else given | {"X-Actor-Token": actor}

        def edges(label: str, number: int = number) -> bool:
            return number == 1 and (SOAK or label not in ROUTES)  # the others' are tried through the gateway

        run(
            schema,
            headers,
            seed=seed + number,
            examples=EXAMPLES,
            coverage=edges,
            report=report,
            problem_only=True,
        )
    print(f"{service}: {report.summary()} in {monotonic() - began:.1f} s")  # noqa: T201
    assert not report.failures, report.text()
