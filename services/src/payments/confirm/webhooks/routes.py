"""The routes of webhooks: a customer's own endpoints, events and deliveries."""

from typing import Any

from starlette.responses import Response
from starlette.routing import Route

from payments.common.errors import Problem
from payments.common.routes import B, Call, get, post, reply
from payments.confirm import requests as read
from payments.confirm.bodies import Nothing
from payments.confirm.webhooks import bodies
from payments.confirm.webhooks.addresses import Guard
from payments.confirm.webhooks.bodies import CreateEndpoint, Replay, UpdateEndpoint
from payments.confirm.webhooks.endpoints import Endpoints
from payments.confirm.webhooks.trail import Trail, Wanted
from payments.contracts.webhook import TEST, TYPES

_ENDPOINTS = "/v1/webhook_endpoints"
_STATUSES = ("pending", "delivered", "failed", "canceled")


class Routes:
    """Each handler reads the request, calls one method and renders its answer.

    Args:
        enabled: False answers every request 403 webhooks_disabled.
    """

    def __init__(self, endpoints: Endpoints, trail: Trail, guard: Guard, *, enabled: bool) -> None:
        self._endpoints = endpoints
        self._trail = trail
        self._guard = guard
        self._enabled = enabled

    def routes(self) -> list[Route]:
        """All routes of webhooks."""
        one = f"{_ENDPOINTS}/{{id}}"
        return [
            post(_ENDPOINTS, CreateEndpoint, self.create),
            get(_ENDPOINTS, self.index),
            get(one, self.show),
            post(one, UpdateEndpoint, self.update, method="PATCH"),
            get(one, self.delete, method="DELETE"),
            post(f"{one}/roll_secret", Nothing, self.roll_secret),
            post(f"{one}/test", Nothing, self.test),
            get(f"{one}/deliveries", self.deliveries),
            get("/v1/events", self.events),
            get("/v1/events/{id}", self.event),
            post("/v1/events/{id}/replay", Replay, self.replay),
        ]

    async def create(self, call: Call[CreateEndpoint]) -> Response:
        """201 with the endpoint and its secret, which is not shown again."""
        customer = self._customer(call)
        key = read.key(call, f"POST {_ENDPOINTS}", customer)
        bodies.check(call.body, self._guard)
        return (await self._endpoints.create(call.body, key)).response()

    async def index(self, call: Call[None]) -> Any:
        """All endpoints."""
        return reply(await self._endpoints.page(self._customer(call)))

    async def show(self, call: Call[None]) -> Any:
        """One endpoint."""
        customer = self._customer(call)
        return reply(await self._endpoints.show(read.resource_id(call, "not_found"), customer))

    async def update(self, call: Call[UpdateEndpoint]) -> Any:
        """The endpoint with what was changed."""
        customer = self._customer(call)
        endpoint = read.resource_id(call, "not_found")
        bodies.check(call.body, self._guard)
        return reply(await self._endpoints.update(endpoint, customer, call.body))

    async def delete(self, call: Call[None]) -> Any:
        """Gone, with its deliveries."""
        customer = self._customer(call)
        return reply(await self._endpoints.delete(read.resource_id(call, "not_found"), customer))

    async def roll_secret(self, call: Call[Nothing]) -> Response:
        """A new secret; the old one signs, too, for a while."""
        key = read.key(call, f"POST {_ENDPOINTS}/{{id}}/roll_secret", self._customer(call))
        return (await self._endpoints.roll_secret(read.resource_id(call, "not_found"), key)).response()

    async def test(self, call: Call[Nothing]) -> Response:
        """A test event to this endpoint."""
        key = read.key(call, f"POST {_ENDPOINTS}/{{id}}/test", self._customer(call))
        return (await self._trail.test(read.resource_id(call, "not_found"), key)).response()

    async def deliveries(self, call: Call[None]) -> Any:
        """A page of the endpoint's deliveries, newest first."""
        customer = self._customer(call)
        endpoint = read.resource_id(call, "not_found")
        return reply(await self._trail.deliveries(endpoint, customer, _wanted(call, "event_type")))

    async def events(self, call: Call[None]) -> Any:
        """A page of events, newest first."""
        return reply(await self._trail.events(self._customer(call), _wanted(call, "type")))

    async def event(self, call: Call[None]) -> Any:
        """One event, as it was sent."""
        customer = self._customer(call)
        return reply(await self._trail.event(read.resource_id(call, "not_found"), customer))

    async def replay(self, call: Call[Replay]) -> Response:
        """The event once more."""
        key = read.key(call, "POST /v1/events/{id}/replay", self._customer(call))
        event = read.resource_id(call, "not_found")
        return (await self._trail.replay(event, call.body.webhook_endpoint, key)).response()

    def _customer(self, call: Call[B]) -> str:
        customer = read.customer(call)
        if not self._enabled:
            raise Problem("webhooks_disabled")
        return customer


def _wanted(call: Call[None], type_name: str) -> Wanted:
    """Query parameters of a list. Raises Problem(validation_failed) naming each wrong one."""
    given = call.request.query_params
    errors = []
    limit = given.get("limit", "20")
    if not (limit.isascii() and limit.isdigit() and len(limit) < 5 and 1 <= int(limit) <= 100):
        errors.append({"field": "limit", "message": "must be from 1 to 100"})
    after = given.get("starting_after")
    if after is not None and not read.is_id(after):
        errors.append({"field": "starting_after", "message": "must be the id of the last one seen"})
    kind = given.get(type_name)
    if kind is not None and kind not in (*TYPES, TEST):
        errors.append({"field": type_name, "message": f"must be one of {', '.join((*TYPES, TEST))}"})
    status = given.get("status")
    if status is not None and status not in _STATUSES:
        errors.append({"field": "status", "message": f"must be one of {', '.join(_STATUSES)}"})
    if errors:
        raise Problem("validation_failed", errors=errors)
    return Wanted(int(limit), after, kind, status)
