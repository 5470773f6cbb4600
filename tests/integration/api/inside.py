"""The routes of the services behind the gateway, read from their apps, and what the tests know of each."""

import importlib
import inspect
import secrets
from dataclasses import dataclass
from typing import Any

import msgspec
from starlette.routing import Route as AppRoute

from hack.dev.catalog import environment
from hack.dev.stack import Stack
from tests.integration.api.matrix import ROUTES
from tests.integration.api.route import ASKER, Make, Target
from tests.integration.api.world import HIGH, Person, World

GATEWAY = "api-gateway"
PROBES = frozenset({"/live", "/ready", "/health", "/metrics"})
# Open to everybody on the inside, for it exists with the sandbox only.
OPEN = frozenset({"notification-service GET /sandbox/messages", "partner-bank-api POST /sandbox/faults"})
_REF = "#/components/schemas/{name}"
# What lists inside take; the services read queries by hand, so that no type tells.
_QUERY = ("limit", "starting_after", "status", "type", "payment_id", "created_gte", "from", "last", "to")


@dataclass(frozen=True, kw_only=True)
class Inside:
    """One route that only services use.

    Args:
        make: a well-formed call about the owner; the third argument is another customer.
        callers: who may call this route, of those whom the catalog lets call the service; empty: all of them.
        personal: it is about one customer, so that an actor token of another one's is refused.
    """

    make: Make
    callers: frozenset[str] = frozenset()
    personal: bool = True


CONFIRM, NOTIFICATION = frozenset({"confirm-service"}), frozenset({"notification-service"})
OFAC = frozenset({"ofac-service"})


def _plain(path: str, body: Any = None) -> Make:
    return lambda *_: Target(path, body=body)


def _money(path: str, **more: Any) -> Make:
    def make(_: World, owner: Person, other: Person) -> Target:
        payment = f"test-{secrets.token_hex(8)}"
        body = {"payment_id": payment, "amount": 1, "currency": "USD", **more}
        for name, value in (("from_account", owner.account), ("to_account", other.account)):
            body[name] = value
        return Target(
            path, payment, body | {"account_number": owner.account, "customer_id": owner.customer_id}
        )

    return make


def _hold(suffix: str, body: Any) -> Make:
    def make(_: World, __: Person, ___: Person) -> Target:
        payment = f"test-{secrets.token_hex(8)}"
        return Target(f"/holds/{payment}/{suffix}", payment, body)

    return make


def _about(path: str, **more: Any) -> Make:
    return lambda _, owner, __: Target(path, owner.customer_id, {"customer_id": owner.customer_id, **more})


def _password(path: str, **more: Any) -> Make:
    def make(world: World, owner: Person, other: Person) -> Target:
        payment = world.confirmed(owner, other, HIGH)
        bound = {"payment_id": payment, "customer_id": owner.customer_id, "amount": HIGH, "currency": "USD"}
        return Target(path, payment, bound | {"payee": other.account} | more)

    return make


def _posted(world: World, owner: Person, other: Person) -> Target:
    payment = world.confirmed(owner, other)
    return Target(f"/transfers/{payment}", payment)


_ORDER = {
    "reference": "test-order",
    "from_account": "A1",
    "to_account": "B1",
    "routing_number": "021000021",
    "amount": 1,
    "currency": "USD",
}

INSIDE: dict[str, Inside] = {
    "account-service POST /transfers": Inside(make=_money("/transfers"), callers=CONFIRM),
    "account-service GET /transfers/{payment_id}": Inside(make=_posted, callers=CONFIRM),
    "account-service POST /reserve-funds": Inside(make=_money("/reserve-funds"), callers=CONFIRM),
    "account-service POST /holds/{payment_id}/post": Inside(
        make=_hold("post", {"bank_reference": "test"}), callers=CONFIRM
    ),
    "account-service POST /holds/{payment_id}/void": Inside(make=_hold("void", {}), callers=CONFIRM),
    "account-service POST /holds/{payment_id}/returns": Inside(
        make=_hold("returns", {"refund_id": "r", "amount": 1, "currency": "USD", "bank_reference": "test"}),
        callers=CONFIRM,
    ),
    "account-service POST /validate-account": Inside(make=_money("/validate-account"), callers=CONFIRM),
    "account-service GET /account/{number}": Inside(
        make=lambda _, owner, __: Target(f"/account/{owner.account}", owner.account), callers=CONFIRM
    ),
    "audit-service GET /events": Inside(make=_plain("/events?limit=1")),
    "audit-service GET /verify": Inside(make=_plain("/verify?last=1")),
    "kyc-service POST /check-status": Inside(make=_about("/check-status")),
    "kyc-service GET /customers/{customer_id}/contact": Inside(
        make=lambda _, owner, __: Target(f"/customers/{owner.customer_id}/contact", owner.customer_id),
        callers=NOTIFICATION,
    ),
    # All customers, page by page, to be screened again: about nobody, so that no actor goes along.
    "kyc-service GET /customers": Inside(make=_plain("/customers?limit=1"), callers=OFAC, personal=False),
    "kyc-service GET /version": Inside(make=_plain("/version"), personal=False),
    "ofac-service POST /check-sanctions": Inside(make=_about("/check-sanctions", name="Testina")),
    "ofac-service GET /version": Inside(make=_plain("/version"), personal=False),
    "otp-service POST /generate-otp": Inside(make=_password("/generate-otp")),
    "otp-service POST /verify-otp": Inside(make=_password("/verify-otp", otp="000000")),
    "notification-service POST /send-notification": Inside(
        make=_about("/send-notification", type="TEST", data={})
    ),
    "risk-service POST /assess-risk": Inside(
        make=_about("/assess-risk", payment_id="test", amount=1, currency="USD", payments_24h=0)
    ),
    # The bank knows orders, not customers.
    "partner-bank-api POST /process-transfer": Inside(
        make=_plain("/process-transfer", _ORDER), personal=False
    ),
    "partner-bank-api GET /transfers/{reference}": Inside(make=_plain("/transfers/none"), personal=False),
    "partner-bank-api POST /cancel-transfer": Inside(
        make=_plain("/cancel-transfer", {"reference": "test-none"}), personal=False
    ),
    "partner-bank-api POST /process-return": Inside(
        make=_plain("/process-return", {"reference": "r", "original_reference": "o", "amount": 1}),
        personal=False,
    ),
    "partner-bank-api GET /returns/{reference}": Inside(make=_plain("/returns/none"), personal=False),
    "partner-bank-api POST /check-balance": Inside(
        make=_plain("/check-balance", {"account_number": "A1"}), personal=False
    ),
}


class Services:
    """The apps of the services behind, as the stack runs them."""

    def __init__(self, stack: Stack) -> None:
        self.stack = stack
        self.routes: dict[str, AppRoute] = {}
        for name, service in stack.services.items():
            if name == GATEWAY:
                continue
            module = importlib.import_module(f"payments.{service.module}.app")
            values = environment(service, stack.identity, stack.servers, stack.ports)
            settings = module.Settings(**{key.lower(): value for key, value in values.items()})
            for route in module.create(settings).routes:
                if isinstance(route, AppRoute) and route.path not in PROBES:
                    for method in (route.methods or set()) - {"HEAD"}:
                        self.routes[f"{name} {method} {route.path}"] = route

    def allowed(self, service: str) -> set[str]:
        """Who may call the service, by the catalog."""
        return {other.name for other in self.stack.services.values() if service in other.calls}

    def caller(self, name: str) -> str:
        """Somebody who may use the route."""
        service = name.partition(" ")[0]
        known = INSIDE.get(name)
        return min((known.callers if known else frozenset()) or self.allowed(service))

    def unknown(self) -> str:
        """What to do about routes that no table knows."""
        known = INSIDE.keys() | OPEN
        lines = [
            f'{name}: add INSIDE["{name}"] to tests/integration/api/inside.py or, when the gateway passes it '
            "on, its public name to ROUTES in matrix.py"
            for name in self.routes.keys() - known
            if not passed_on(name)
        ]
        lines += [
            f"{name}: no such route any more; remove it from INSIDE" for name in known - self.routes.keys()
        ]
        return "\n".join(sorted(lines))

    def body_type(self, name: str) -> Any:
        """What the route's body must be, None when it takes none."""
        found = inspect.getclosurevars(self.routes[name].endpoint).nonlocals.get("decoder")
        return None if found is None else found.type

    def document(self, service: str, customer_id: str | None = None) -> dict[str, Any]:
        """An OpenAPI document of a service's requests, about one customer; about answers it says nothing."""
        names = [name for name in self.routes if name.startswith(f"{service} ") and name not in OPEN]
        types = [(name, self.body_type(name)) for name in names]
        schemas, components = msgspec.json.schema_components(
            [kind for _, kind in types if kind is not None], ref_template=_REF
        )
        bodies = dict(zip((name for name, kind in types if kind is not None), schemas, strict=True))
        paths: dict[str, Any] = {}
        for name in names:
            _, method, path = name.split(" ")
            parameters = [
                {"name": part.partition("}")[0], "in": "path", "required": True, "schema": {"type": "string"}}
                for part in path.split("{")[1:]
            ]
            if method == "GET":
                parameters += [{"name": word, "in": "query", "schema": {"type": "string"}} for word in _QUERY]
            operation: dict[str, Any] = {
                "parameters": parameters,
                "responses": {"default": {"description": ""}},
            }
            if name in bodies:
                content = {"application/json": {"schema": bodies[name]}}
                operation["requestBody"] = {"content": content, "required": True}
            paths.setdefault(path, {})[method.lower()] = operation
        if customer_id is not None:
            for schema in components.values():
                if "customer_id" in schema.get("properties", {}):
                    schema["properties"]["customer_id"] = {"enum": [customer_id]}
        document = {
            "openapi": "3.1.0",
            "info": {"title": service, "version": "1"},
            "paths": paths,
            "components": {"schemas": components},
        }
        # Python's \A and \Z are ^ and $ in JSON Schema.
        text = msgspec.json.encode(document).decode().replace(r"\\Z", "$").replace(r"\\A", "^")
        found: dict[str, Any] = msgspec.json.decode(text)
        return found


def passed_on(name: str) -> bool:
    """True for routes that the gateway passes on under the same name: ROUTES knows them."""
    public = name.partition(" ")[2]
    return public in ROUTES


def asked_by(target: Target, customer_id: str) -> Any:
    """The body with its place holder filled."""
    if not isinstance(target.body, dict):
        return target.body
    return {key: customer_id if value == ASKER else value for key, value in target.body.items()}
