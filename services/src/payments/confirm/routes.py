"""The public routes; the gateway passes them through as they are."""

from dataclasses import dataclass
from typing import Any

from starlette.responses import Response
from starlette.routing import Route

from payments.common.errors import Problem
from payments.common.routes import Call, get, post, reply
from payments.confirm import answers
from payments.confirm import requests as read
from payments.confirm.bodies import (
    Confirmation,
    ConfirmPayment,
    CreatePayment,
    CreateRefund,
    Nothing,
    OriginalConfirm,
    check_create,
    read_original,
    read_otp,
)
from payments.confirm.domain import Status
from payments.confirm.queries import Queries
from payments.confirm.usecases.cancel import Cancel
from payments.confirm.usecases.confirm import Confirm
from payments.confirm.usecases.create import Create
from payments.confirm.usecases.refund import CreateRefunds
from payments.confirm.usecases.resend_otp import ResendOtp
from payments.confirm.usecases.review import Review


@dataclass(frozen=True, slots=True)
class UseCases:
    """What the routes call."""

    create: Create
    confirm: Confirm
    cancel: Cancel
    refund: CreateRefunds
    resend_otp: ResendOtp
    review: Review
    queries: Queries


class Routes:
    """Each handler reads the request, calls one use case and renders its answer."""

    def __init__(self, use: UseCases) -> None:
        self._use = use

    def routes(self) -> list[Route]:
        """All routes of the service."""
        return [
            post("/payment/confirm", OriginalConfirm, self.confirm_original),
            post("/v1/payments/{id}/confirm", ConfirmPayment, self.confirm),
            post("/v1/payments", CreatePayment, self.create),
            get("/v1/payments", self.index),
            get("/v1/payments/{id}", self.show),
            get("/v1/payments/{id}/events", self.history),
            post("/v1/payments/{id}/cancel", Nothing, self.cancel),
            post("/v1/payments/{id}/otp", Nothing, self.resend_otp),
            post("/v1/payments/{id}/refunds", CreateRefund, self.refund),
            get("/v1/refunds/{id}", self.show_refund),
            get("/v1/reviews", self.reviews),
            post("/v1/reviews/{id}/approve", Nothing, self.approve),
            post("/v1/reviews/{id}/reject", Nothing, self.reject),
        ]

    async def create(self, call: Call[CreatePayment]) -> Response:
        """201 with the new payment."""
        customer = read.customer(call)
        key = read.key(call, "POST /v1/payments", customer)
        check_create(call.body)
        return (await self._use.create(call.body, key, customer, call.actor_token)).response()

    async def confirm(self, call: Call[ConfirmPayment]) -> Response:
        """Confirm, or go on with a one-time password."""
        customer = read.customer(call)
        key = read.key(call, answers.CONFIRM_ROUTE, customer)
        otp = None if call.body.otp is None else read_otp(call.body.otp, "otp_invalid")
        request = Confirmation(read.resource_id(call), otp)
        return (await self._use.confirm(request, key, customer, call.actor_token)).response()

    async def confirm_original(self, call: Call[OriginalConfirm]) -> Response:
        """The original's route, body and answers."""
        customer = read.customer(call)
        key = read.key(call, answers.ORIGINAL_ROUTE, customer)
        request = read_original(call.body, customer)
        if not read.is_id(request.payment_id):
            raise Problem("payment_not_found")
        return (await self._use.confirm(request, key, customer, call.actor_token)).response()

    async def cancel(self, call: Call[Nothing]) -> Response:
        """Cancel a payment that no money was moved for."""
        customer = read.customer(call)
        key = read.key(call, "POST /v1/payments/{id}/cancel", customer)
        return (await self._use.cancel(read.resource_id(call), key, customer)).response()

    async def resend_otp(self, call: Call[Nothing]) -> Response:
        """Send another one-time password."""
        customer = read.customer(call)
        key = read.key(call, "POST /v1/payments/{id}/otp", customer)
        return (
            await self._use.resend_otp(read.resource_id(call), key, customer, call.actor_token)
        ).response()

    async def refund(self, call: Call[CreateRefund]) -> Response:
        """Refund all or a part."""
        actor = call.required_actor("customer", "operator")
        key = read.key(call, "POST /v1/payments/{id}/refunds", read.key_owner(actor))
        return (
            await self._use.refund(
                read.resource_id(call), call.body, key, read.scope(actor), call.actor_token
            )
        ).response()

    async def approve(self, call: Call[Nothing]) -> Response:
        """An operator lets a payment under review go on."""
        operator = call.required_actor("operator")
        key = read.key(call, "POST /v1/reviews/{id}/approve", read.key_owner(operator))
        return (
            await self._use.review.approve(read.resource_id(call), key, operator.user_id, call.actor_token)
        ).response()

    async def reject(self, call: Call[Nothing]) -> Response:
        """An operator ends a payment under review."""
        operator = call.required_actor("operator")
        key = read.key(call, "POST /v1/reviews/{id}/reject", read.key_owner(operator))
        return (await self._use.review.reject(read.resource_id(call), key, operator.user_id)).response()

    async def show(self, call: Call[None]) -> Any:
        """One payment; staff also see how it was assessed."""
        actor = call.required_actor()
        if actor.role in read.STAFF:
            return read.found(await self._use.queries.inside(read.resource_id(call)))
        return read.found(await self._use.queries.payment(read.resource_id(call), read.scope(actor)))

    async def index(self, call: Call[None]) -> Any:
        """A page of payments, newest first."""
        actor = call.required_actor()
        inside = actor.role in read.STAFF
        return reply(
            await self._use.queries.payments(read.scope(actor), read.list_filter(call), inside=inside)
        )

    async def history(self, call: Call[None]) -> Any:
        """What happened to a payment, oldest first."""
        actor = call.required_actor()
        inside = actor.role in read.STAFF
        found = await self._use.queries.events(read.resource_id(call), read.scope(actor), inside=inside)
        if found is None:
            raise Problem("payment_not_found")
        return reply(found)

    async def show_refund(self, call: Call[None]) -> Any:
        """One refund."""
        found = await self._use.queries.refund(
            read.resource_id(call, "not_found"), read.scope(call.required_actor())
        )
        if found is None:
            raise Problem("not_found", "There is no such refund")
        return reply(found.encode())

    async def reviews(self, call: Call[None]) -> Any:
        """Payments that wait for an operator."""
        call.required_actor(*read.STAFF)
        wanted = read.list_filter(call)._replace(status=Status.REQUIRES_REVIEW)
        return reply(await self._use.queries.payments(None, wanted, inside=True))
