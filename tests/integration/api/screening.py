"""What the tests know of the routes for screening and for customers' verification."""

import secrets
from time import monotonic, sleep
from typing import Any

from tests.integration.api.route import AUDITORS, OPERATOR, OPERATORS, Make, Route, Target, fixed
from tests.integration.api.world import Person, World, fresh_key

READERS = OPERATORS | AUDITORS
_DECISION = """
    SELECT decision_id FROM ofac.decisions WHERE customer_id = %s ORDER BY decision_id DESC LIMIT 1"""
_RESCREENING = "SELECT list_id FROM ofac.rescreenings ORDER BY list_id DESC LIMIT 1"
_WAIT_SECONDS = 30


def _new_rule(_: World, __: Person, ___: Person) -> Target:
    # About nobody: a block would stop the owner's payments.
    body = {"action": "block", "customer_id": f"cust-{secrets.token_hex(8)}", "reason": "a test"}
    return Target("/v1/screening/rules", body=body)


def _rule(world: World, owner: Person, payee: Person) -> Target:
    request = _new_rule(world, owner, payee).request("POST", owner, fresh_key())
    rule = str(world.done(request, world.staff(OPERATOR))["id"])
    return Target(f"/v1/screening/rules/{rule}", rule)


def _decision(world: World, owner: Person, payee: Person) -> Target:
    world.confirmed(owner, payee)
    row = world.database.execute(_DECISION, (owner.customer_id,)).fetchone()
    assert row is not None, "a confirmed payment leaves a decision about its payer"
    return Target(f"/v1/screening/decisions/{row[0]}", row[0])


def _rescreening(suffix: str = "") -> Make:
    def make(world: World, _: Person, __: Person) -> Target:
        deadline = monotonic() + _WAIT_SECONDS
        while (row := world.database.execute(_RESCREENING).fetchone()) is None:
            assert monotonic() < deadline, "ofac-service screens all customers against its first list"
            sleep(0.2)
        return Target(f"/v1/screening/rescreenings/{row[0]}{suffix}", str(row[0]))

    return make


def _customer(suffix: str = "", body: Any = None) -> Make:
    def make(_: World, owner: Person, __: Person) -> Target:
        return Target(f"/v1/kyc/customers/{owner.customer_id}{suffix}", owner.customer_id, body)

    return make


def _decide(_: World, owner: Person, __: Person) -> Target:
    # An approval leaves the owner able to pay.
    body = {"decision": "approve", "reason": f"papers {secrets.token_hex(8)} seen"}
    return Target(f"/v1/kyc/customers/{owner.customer_id}/decisions", owner.customer_id, body)


SCREENING: dict[str, Route] = {
    "POST /v1/screening/rules": Route(make=_new_rule, roles=OPERATORS),
    "GET /v1/screening/rules": Route(make=fixed("/v1/screening/rules"), roles=READERS),
    "GET /v1/screening/rules/{id}": Route(make=_rule, roles=READERS),
    "DELETE /v1/screening/rules/{id}": Route(make=_rule, roles=OPERATORS),
    "GET /v1/screening/decisions": Route(make=fixed("/v1/screening/decisions?limit=5"), roles=READERS),
    "GET /v1/screening/decisions/{id}": Route(make=_decision, roles=READERS),
    "GET /v1/screening/rescreenings": Route(make=fixed("/v1/screening/rescreenings"), roles=READERS),
    "GET /v1/screening/rescreenings/{list_version}": Route(make=_rescreening(), roles=READERS),
    "GET /v1/screening/rescreenings/{list_version}/customers": Route(
        make=_rescreening("/customers"), roles=READERS
    ),
    "GET /v1/screening/list": Route(make=fixed("/v1/screening/list"), roles=READERS),
    "GET /v1/kyc/customers": Route(make=fixed("/v1/kyc/customers"), roles=READERS),
    "GET /v1/kyc/customers/{id}": Route(make=_customer(), roles=READERS),
    "GET /v1/kyc/customers/{id}/decisions": Route(make=_customer("/decisions"), roles=READERS),
    "POST /v1/kyc/customers/{id}/decisions": Route(make=_decide, roles=OPERATORS),
}
