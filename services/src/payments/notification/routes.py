"""Routes of notification-service."""

from typing import Annotated, Any

import msgspec
from starlette.routing import Route

from payments.common.errors import Problem
from payments.common.ids import new_id
from payments.common.money import AmountError, to_decimal
from payments.common.routes import Call, get, post
from payments.notification.domain import CHANNELS, Channel, Notification, compose
from payments.notification.providers.sandbox import Sandbox, SandboxMessage
from payments.notification.store import Delivery
from payments.notification.usecases import Sender

SANDBOX_PATH = "/sandbox/messages"
_DEFAULT_LIMIT, _MAX_LIMIT = 20, 100


class SendRequest(msgspec.Struct):
    """What to tell whom. `data.amount` is in minor units when `data.currency` is there."""

    customer_id: Annotated[str, msgspec.Meta(pattern=r"\A[A-Za-z0-9._:-]{1,128}\Z")]
    type: Annotated[str, msgspec.Meta(pattern=r"\A[A-Z][A-Z0-9_]{0,63}\Z")]
    channels: Annotated[list[Channel], msgspec.Meta(min_length=1, max_length=3)] | None = None
    data: dict[str, str | int | float | bool | None] = {}
    dedupe_key: Annotated[str, msgspec.Meta(pattern=r"\A[\x21-\x7e]{1,128}\Z")] | None = None


class ChannelResult(msgspec.Struct, rename={"message_id": "messageId"}):
    """How a channel did; `error` says why not."""

    channel: Channel
    success: bool
    message_id: str | None
    error: str | None


class SendReply(msgspec.Struct):
    """`success` when the message went out on at least one channel."""

    success: bool
    results: list[ChannelResult]
    message: str


class SandboxReply(msgspec.Struct):
    """The newest messages first."""

    messages: list[SandboxMessage]


class Routes:
    """The handlers, over the sender; the sandbox's route exists with a sandbox only."""

    def __init__(self, sender: Sender, sandbox: Sandbox | None) -> None:
        self._sender = sender
        self._sandbox = sandbox

    def routes(self) -> list[Route]:
        """All routes of the service."""
        routes = [post("/send-notification", SendRequest, self.send)]
        if self._sandbox is not None:
            routes.append(get(SANDBOX_PATH, self.sandbox_messages))
        return routes

    async def send(self, call: Call[SendRequest]) -> SendReply:
        """Deliver now, once for each dedupe key and channel."""
        body = call.body
        call.act_for(body.customer_id)
        notification = Notification(
            dedupe_key=body.dedupe_key or new_id(),
            customer_id=body.customer_id,
            type=body.type,
            channels=tuple(dict.fromkeys(body.channels or CHANNELS)),
            text=compose(body.type, _fields(body.data)),
        )
        done = await self._sender.send(notification)
        results = [_result(channel, delivery) for channel, delivery in done.items()]
        success = any(result.success for result in results)
        message = "Notifications sent successfully" if success else "No notification could be sent"
        return SendReply(success, results, message)

    async def sandbox_messages(self, call: Call[None]) -> SandboxReply:
        """What the sandbox "sent" to an address or a customer's id."""
        query = call.request.query_params
        # A plus sign that nobody escaped arrives as a space, and no address begins with one.
        to = (
            query.get("to", "").replace(" ", "+", 1)
            if query.get("to", "").startswith(" ")
            else query.get("to")
        )
        limit = query.get("limit", str(_DEFAULT_LIMIT))
        errors = []
        if not to or "\0" in to:
            errors.append({"field": "to", "message": "must be an address or a customer's id"})
        if not limit.isascii() or not limit.isdecimal() or not 1 <= int(limit[:9]) <= _MAX_LIMIT:
            errors.append({"field": "limit", "message": f"must be from 1 to {_MAX_LIMIT}"})
        if errors or not to or self._sandbox is None:
            raise Problem("validation_failed", errors=errors)
        return SandboxReply(await self._sandbox.messages(to, int(limit)))


def _result(channel: Channel, delivery: Delivery) -> ChannelResult:
    sent = delivery.status == "sent"
    return ChannelResult(channel, sent, delivery.message_id, None if sent else delivery.error)


def _fields(data: dict[str, Any]) -> dict[str, str]:
    fields = {name: str(value) for name, value in data.items() if value is not None}
    amount, currency = data.get("amount"), data.get("currency")
    if isinstance(amount, int) and isinstance(currency, str):
        try:
            fields["amount"] = f"{to_decimal(amount, currency):,f} {currency}"
        except AmountError as error:
            errors = [{"field": "data.currency", "message": str(error)}]
            raise Problem("validation_failed", errors=errors) from error
    return fields
