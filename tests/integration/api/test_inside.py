"""Whoever gets past the gateway meets the same rules inside: known callers, customers' own objects."""

from typing import Any

import httpx
import pytest
from joserfc import jwt
from joserfc.jwk import ECKey

from tests.integration.api.inside import GATEWAY, INSIDE, OPEN, Services, asked_by, passed_on
from tests.integration.api.matrix import ROUTES
from tests.integration.api.problems import wrong_with
from tests.integration.api.route import CUSTOMER, Target
from tests.integration.api.world import Person, World, fresh_key

PERSONAL = [name for name, known in INSIDE.items() if known.personal]
NARROW = [name for name, known in INSIDE.items() if known.callers]
# These would move money without a payment: that they are refused must do.
MOVES = ("POST /transfers", "POST /reserve-funds", "POST /holds/")


def call(
    world: World,
    name: str,
    target: Target,
    *,
    caller: str | None,
    actor: str | None = None,
    customer_id: str = "",
    key: str | None = None,
) -> httpx.Response:
    """One call of a service, with raw tokens; `name` is "service METHOD path"."""
    service, method, _ = name.split(" ")
    headers = {"Idempotency-Key": key or fresh_key()}
    if caller is not None:
        headers["Authorization"] = f"Bearer {caller}"
    if actor is not None:
        headers["X-Actor-Token"] = actor
    body = asked_by(target, customer_id)
    url = world.stack.url(service) + target.path
    return world.http.request(
        method, url, headers=headers, json={} if body is None and method != "GET" else body
    )


def refused(answer: httpx.Response, *statuses: int, why: str) -> None:
    """Fails unless the answer is a problem of one of these statuses."""
    assert answer.status_code in statuses, (why, answer.status_code, answer.text)
    wrong = wrong_with(answer.status_code, dict(answer.headers), answer.content)
    assert wrong is None, (why, wrong)


def test_every_route_inside_is_known(services: Services) -> None:
    assert not services.unknown(), "\n" + services.unknown()


def test_services_that_may_not_call_are_refused_at_every_route(services: Services, world: World) -> None:
    identity, calls = world.stack.identity, 0
    everybody = {*world.stack.services, "load-balancer", "default", "postgres"}
    for name in services.routes:
        if name in OPEN:
            continue
        service, method, path = name.split(" ")
        allowed = services.allowed(service)
        target = Target(path.replace("{", "").replace("}", ""))
        a_caller = min(allowed)
        strangers: dict[str, tuple[str | None, int]] = {
            "none": (None, 401),
            "garbage": ("x.y.z", 401),
            "audience": (identity.token(a_caller, audience="kubernetes"), 401),
            "namespace": (identity.token(a_caller, namespace="elsewhere"), 403),
            "actor": (identity.actor_token("cust_001"), 401),
        }
        strangers |= {other: (identity.token(other), 403) for other in everybody - allowed}
        for who, (token, status) in strangers.items():
            refused(call(world, name, target, caller=token), status, why=f"{who} at {name}")
            calls += 1
    print(f"{calls} calls by strangers")  # noqa: T201


@pytest.mark.parametrize("name", NARROW)
def test_routes_that_are_for_one_service_alone(
    name: str, services: Services, world: World, owner: Person, other: Person
) -> None:
    target = INSIDE[name].make(world, owner, other)
    for caller in services.allowed(name.partition(" ")[0]) - INSIDE[name].callers:
        refused(call(world, name, target, caller=world.stack.identity.token(caller)), 403, why=caller)


@pytest.mark.parametrize("name", PERSONAL)
def test_nobody_acts_for_another_customer(
    name: str, services: Services, world: World, owner: Person, other: Person
) -> None:
    identity = world.stack.identity
    target, caller = INSIDE[name].make(world, owner, other), identity.token(services.caller(name))
    refused(
        call(world, name, target, caller=caller, actor=identity.actor_token(other.customer_id)),
        403,
        404,
        why="other",
    )
    for why, actor in _bad_actors(world, owner).items():
        refused(call(world, name, target, caller=caller, actor=actor), 401, why=why)
    if not any(f" {moves}" in name for moves in MOVES) and "audit" not in name:
        mine = call(world, name, target, caller=caller, actor=identity.actor_token(owner.customer_id))
        if " GET /transfers" not in name:  # which nobody asks but confirm-service itself
            assert mine.is_success, mine.text
        alone = call(world, name, target, caller=caller)
        assert alone.is_success, alone.text


@pytest.mark.parametrize("name", [name for name, route in ROUTES.items() if route.roles])
def test_owners_of_data_check_the_actor_themselves(
    name: str, services: Services, world: World, owner: Person, other: Person
) -> None:
    behind = [found for found in services.routes if found.partition(" ")[2] == name]
    if not behind:  # the gateway's own
        assert name.partition(" ")[2].startswith(("/auth/", "/v1/users", "/v1/audit/")), name
        return
    (inside,), route, identity = behind, ROUTES[name], world.stack.identity
    target, caller = route.make(world, owner, other), identity.token(GATEWAY)
    refused(call(world, inside, target, caller=caller, customer_id=owner.customer_id), 401, why="no actor")
    for why, actor in _bad_actors(world, owner).items():
        refused(call(world, inside, target, caller=caller, actor=actor), 401, why=why)
    for role in {CUSTOMER, "operator", "auditor", "janitor"} - route.roles:
        actor = identity.actor_token("", user_id="staff", role=role)
        answer = call(world, inside, target, caller=caller, actor=actor, customer_id=owner.customer_id)
        refused(answer, 401, 403, 404, why=role)
    if route.owned:
        foreign = identity.actor_token(other.customer_id)
        answer = call(world, inside, target, caller=caller, actor=foreign, customer_id=other.customer_id)
        refused(answer, 404, why="foreign")
    person = owner.customer_id if CUSTOMER in route.roles else ""
    role = CUSTOMER if person else min(route.roles)
    mine = identity.actor_token(person, user_id="somebody", role=role)
    answer = call(world, inside, target, caller=caller, actor=mine, customer_id=person)
    assert answer.is_success, answer.text
    assert passed_on(inside)


def _bad_actors(world: World, owner: Person) -> dict[str, str]:
    identity = world.stack.identity
    good = identity.actor_token(owner.customer_id)
    key, header = identity.gateway_key, {"alg": "ES256", "typ": "actor+jwt", "kid": identity.gateway_key.kid}
    claims: dict[str, Any] = jwt.decode(good, key, algorithms=["ES256"]).claims
    past = claims | {"iat": claims["iat"] - 900, "exp": claims["iat"] - 600}
    return {
        "expired": jwt.encode(header, past, key, algorithms=["ES256"]),
        "forged": jwt.encode(header, claims, ECKey.generate_key("P-256"), algorithms=["ES256"]),
        "access": owner.token,
        "service": identity.token(GATEWAY),
    }
