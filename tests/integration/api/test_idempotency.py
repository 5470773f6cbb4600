"""Every POST that changes something is done once for each key: a table of all of them, from the document."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import pytest

from tests.integration.api.matrix import ROUTES, operations
from tests.integration.api.route import CUSTOMER, Target
from tests.integration.api.world import Person, Request, World, fresh_key

# A repeat does nothing twice, or its answer must not be kept: sessions are meant to be new each time, a user
# name is taken but once, and answers that hold a new password are told once and stored nowhere.
WITHOUT_KEY = {
    "POST /auth/login",
    "POST /auth/refresh",
    "POST /auth/logout",
    "POST /auth/password",
    "POST /v1/users",
    "POST /v1/users/{id}/password",
}
CHANGING = [name for name in ROUTES if name.startswith("POST ") and name not in WITHOUT_KEY]
PARALLEL = 6
# Keys are kept with their answers, or with the one thing that was done, as "user:key".
_KEPT = """
    SELECT table_schema || '.' || table_name, 'key' FROM information_schema.tables
    WHERE table_name LIKE '%idempotency%'
    UNION ALL
    SELECT table_schema || '.' || table_name, $$split_part(request_key, ':', 2)$$
    FROM information_schema.columns WHERE column_name = 'request_key' ORDER BY 1"""


class Case:
    """One route, as the people who may use it do."""

    def __init__(
        self, name: str, world: World, owner: Person, other: Person, staff: Person | None = None
    ) -> None:
        self.name, self.world = name, world
        self.route = ROUTES[name]
        self.owner, self.other = owner, other
        role = CUSTOMER if CUSTOMER in self.route.roles else min(self.route.roles)
        self.asker = owner if role == CUSTOMER else staff or world.staff(role)

    def elsewhere(self) -> "Case":
        """The same route, as somebody else uses it."""
        staff = None if self.asker is self.owner else self.world.new_staff(self.asker.role)
        return Case(self.name, self.world, self.other, self.owner, staff)

    def target(self) -> Target:
        """A new object and the request on it."""
        return self.route.make(self.world, self.owner, self.other)

    def send(self, target: Target, key: str | None) -> httpx.Response:
        """The answer to the one who may."""
        return self.world.send(target.request(self.name.partition(" ")[0], self.asker, key), self.asker.token)

    def kept(self, key: str) -> int:
        """Rows about the key in PostgreSQL, in whatever service."""
        tables = self.world.database.execute(_KEPT).fetchall()
        counts = [
            self.world.database.execute(f"SELECT count(*) FROM {table} WHERE {name} = %s", (key,)).fetchone()
            for table, name in tables
        ]
        return sum(row[0] for row in counts if row is not None)


@pytest.fixture
def case(request: pytest.FixtureRequest, world: World, owner: Person, other: Person) -> Case:
    """The route of the test's parameter."""
    return Case(request.param, world, owner, other)


def test_every_post_takes_a_key(document: dict[str, Any]) -> None:
    for name, operation in operations(document).items():
        headers = {item["name"]: item for item in operation["parameters"] if item["in"] == "header"}
        if not name.startswith("POST ") or name in WITHOUT_KEY:
            assert "Idempotency-Key" not in headers, name
        else:
            assert headers["Idempotency-Key"]["required"] is True, (
                f"{name} changes something and takes no key"
            )


@pytest.mark.parametrize("case", CHANGING, indirect=True)
def test_once_for_each_key(case: Case) -> None:
    target, key = case.target(), fresh_key()

    missing = case.send(target, None)
    assert (missing.status_code, missing.json()["code"]) == (400, "missing_idempotency_key")

    with ThreadPoolExecutor(PARALLEL) as threads:
        answers = list(threads.map(lambda _: case.send(target, key), range(PARALLEL)))
    done = [answer for answer in answers if answer.is_success]
    assert done, [answer.text for answer in answers]
    for answer in answers:
        if not answer.is_success:
            assert (answer.status_code, answer.json()["code"]) == (409, "idempotency_key_in_flight"), (
                answer.text
            )
            assert int(answer.headers["retry-after"]) >= 1
    assert case.kept(key) == 1, "the key is not kept in PostgreSQL, once"

    again = case.send(target, key)
    for answer in done:
        assert (again.status_code, again.content) == (answer.status_code, answer.content)
        assert again.headers.get("location") == answer.headers.get("location")
    assert again.headers["idempotent-replayed"] == "true"

    reused = case.send(case.target(), key)
    assert (reused.status_code, reused.json()["code"]) == (422, "idempotency_key_reused"), reused.text
    assert case.send(target, key).content == again.content


@pytest.mark.parametrize("case", CHANGING, indirect=True)
def test_somebody_elses_key_is_another_key(case: Case) -> None:
    key = fresh_key()
    first = case.send(case.target(), key)
    assert first.is_success, first.text
    elsewhere = case.elsewhere()
    second = elsewhere.send(elsewhere.target(), key)
    assert second.is_success, second.text
    assert second.content != first.content
    assert case.kept(key) == 2


def test_a_key_belongs_to_a_route(world: World, owner: Person, other: Person) -> None:
    key = fresh_key()
    payment = world.payment(owner, other)
    for path in (f"/v1/payments/{payment}/confirm", f"/v1/payments/{payment}/refunds"):
        answer = world.send(Request("POST", path, {}, key), owner.token)
        assert answer.is_success, answer.text
