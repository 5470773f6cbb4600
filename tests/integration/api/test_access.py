"""Routes x people: nobody gets what is not theirs; a foreign object is like one that does not exist."""

import json
import re
from typing import Any

import httpx
import pytest
from joserfc import jwt
from joserfc.jwk import ECKey

from tests.integration.api.matrix import ROUTES, operations, unknown
from tests.integration.api.problems import wrong_with
from tests.integration.api.route import CUSTOMER, Route, Target
from tests.integration.api.world import Person, Request, World, fresh_key

NOWHERE = "00000000-0000-7000-8000-000000000000"
SIGNED_IN = [name for name, route in ROUTES.items() if route.roles]
OWNED = [name for name, route in ROUTES.items() if route.owned]
LISTING = [name for name, route in ROUTES.items() if route.listing]
_ID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}|C[0-9A-F]{10}")


@pytest.fixture(scope="module")
def bad_tokens(world: World) -> dict[str, str | None]:
    """Tokens that open nothing: none, a revoked, an expired, a forged one, and tokens for other uses."""
    person = world.customer()
    identity = world.stack.identity
    session = world.login(person.username)
    key, header = identity.gateway_key, {"alg": "ES256", "typ": "at+jwt", "kid": identity.gateway_key.kid}
    claims = jwt.decode(session["access_token"], key, algorithms=["ES256"]).claims
    past = claims | {"iat": claims["iat"] - 7200, "exp": claims["iat"] - 3600}
    answer = world.http.post("/auth/logout", headers={"Authorization": f"Bearer {session['access_token']}"})
    assert answer.status_code == 200
    return {
        "none": None,
        "revoked": session["access_token"],
        "expired": jwt.encode(header, past, key, algorithms=["ES256"]),
        "forged": jwt.encode(header, claims, ECKey.generate_key("P-256"), algorithms=["ES256"]),
        "refresh": person.refresh_token,
        "actor": identity.actor_token(person.customer_id),
        "service": identity.token("api-gateway"),
    }


def test_every_route_of_the_document_is_in_the_matrix(document: dict[str, Any]) -> None:
    assert not unknown(document), "\n" + unknown(document)


def test_what_needs_no_token_is_what_the_document_says(document: dict[str, Any]) -> None:
    documented = {name for name, operation in operations(document).items() if "security" in operation}
    assert documented == set(SIGNED_IN)


@pytest.mark.parametrize("name", SIGNED_IN)
def test_only_who_may(
    name: str, world: World, owner: Person, other: Person, bad_tokens: dict[str, str | None]
) -> None:
    route, method = ROUTES[name], name.partition(" ")[0]
    target = route.make(world, owner, other)
    request = target.request(method, owner, fresh_key())
    for kind, token in bad_tokens.items():
        refused(world.send(request, token), 401, 403, why=kind)
        if method == "GET":
            head = world.http.head(
                request.path, headers={} if token is None else {"Authorization": f"Bearer {token}"}
            )
            assert head.status_code == 401, kind
    for role in ("operator", "auditor"):
        if role not in route.roles:
            refused(world.send(request, world.staff(role).token), 403, 404, why=role)
    if CUSTOMER not in route.roles:
        refused(world.send(request, owner.token), 403, 404, why=CUSTOMER)
    # None of the refused requests has changed anything: whoever may still can.
    first = True
    for role in sorted(route.roles):
        person = owner if role == CUSTOMER else world.staff(role)
        if route.ends_session:
            person = world.customer() if role == CUSTOMER else world.new_staff(role)
        target = target if first else route.make(world, owner, other)
        answer = world.send(target.request(method, person, fresh_key()), person.token)
        assert answer.is_success, (role, answer.status_code, answer.text)
        first = False


@pytest.mark.parametrize("name", OWNED)
def test_a_foreign_object_is_one_that_does_not_exist(
    name: str, world: World, owner: Person, other: Person
) -> None:
    route, method = ROUTES[name], name.partition(" ")[0]
    target = route.make(world, owner, other)
    foreign = world.send(target.request(method, other, fresh_key()), other.token)
    nowhere = NOWHERE if "-" in target.id else "C" + "0" * 10
    missing = world.send(target.renamed(nowhere).request(method, other, fresh_key()), other.token)
    refused(foreign, 404, why="foreign")
    refused(missing, 404, why="missing")
    assert _without_ids(foreign) == _without_ids(missing)
    assert foreign.headers.keys() == missing.headers.keys()
    mine = world.send(target.request(method, owner, fresh_key()), owner.token)
    assert mine.is_success, mine.text


@pytest.mark.parametrize("name", LISTING)
def test_lists_show_ones_own(name: str, world: World, owner: Person, other: Person) -> None:
    target = ROUTES[name].make(world, owner, other)
    stranger = world.customer()
    request = target.request("GET", owner, None)
    assert target.id in world.send(request, owner.token).text
    seen = world.send(request, stranger.token)
    assert seen.is_success
    assert (
        target.id not in seen.text and owner.customer_id not in seen.text and owner.account not in seen.text
    )
    # Nor does a cursor of somebody else's tell more than one that names nothing.
    after = f"{request.path.partition('?')[0]}?starting_after="
    foreign, missing = (
        world.http.get(after + cursor, headers={"Authorization": f"Bearer {stranger.token}"})
        for cursor in (target.id, NOWHERE if "-" in target.id else "C" + "0" * 10)
    )
    assert foreign.status_code == missing.status_code
    if not route_orders_by_cursor(ROUTES[name], target):
        assert _without_ids(foreign) == _without_ids(missing)


def route_orders_by_cursor(route: Route, target: Target) -> bool:
    """Accounts are listed by number, so that any number is a place in the list."""
    return route.listing and target.path.startswith("/v1/accounts")


def test_a_disabled_user_gets_no_token_any_more(world: World) -> None:
    person = world.customer()
    world.disable(person)
    login = world.http.post("/auth/login", json={"username": person.username, "password": "password123"})
    refresh = world.http.post("/auth/refresh", json={"refresh_token": person.refresh_token})
    refused(login, 401, why="login")
    refused(refresh, 401, why="refresh")
    unknown_user = world.http.post("/auth/login", json={"username": "nobody-here", "password": "password123"})
    assert _without_ids(login) == _without_ids(unknown_user)


def test_a_user_who_is_disabled_by_an_operator_is_out_at_once(world: World) -> None:
    person, operator = world.customer(), world.staff("operator")
    assert world.send(Request("GET", "/v1/accounts"), person.token).is_success
    change = Request("PATCH", f"/v1/users/{person.user_id}", {"status": "disabled"})
    world.done(change, operator)
    for name, route in ROUTES.items():
        if route.roles:
            target = Target(re.sub(r"{\w+}", NOWHERE, name.partition(" ")[2]), body={})
            answer = world.send(target.request(name.partition(" ")[0], person, fresh_key()), person.token)
            refused(answer, 401, why=name)


def refused(answer: httpx.Response, *statuses: int, why: str) -> None:
    """Fails unless the answer is a problem of one of these statuses."""
    assert answer.status_code in statuses, (why, answer.status_code, answer.text)
    wrong = wrong_with(answer.status_code, dict(answer.headers), answer.content)
    assert wrong is None, (why, wrong)


def _without_ids(answer: httpx.Response) -> str:
    body = answer.json()
    for name in ("request_id", "instance"):
        body.pop(name, None)
    return _ID.sub("ID", json.dumps(body, sort_keys=True))
