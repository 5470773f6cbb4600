"""Routes of otp-service."""

from typing import Annotated, Literal

import msgspec
from starlette.routing import Route

from payments.common.clock import rfc3339
from payments.common.errors import Problem
from payments.common.money import MAX_MINOR, AmountError, exponent
from payments.common.routes import Call, post
from payments.otp.domain import Binding
from payments.otp.usecases import Passwords

_Id = Annotated[str, msgspec.Meta(pattern=r"\A[A-Za-z0-9._:-]{1,128}\Z")]

_MESSAGES = {
    "ok": "OTP verified successfully",
    "invalid": "Invalid OTP",
    "expired": "OTP expired or not found",
    "not_found": "OTP expired or not found",
    "exhausted": "Too many tries; this payment takes no further OTP",
}


class Bound(msgspec.Struct):
    """The payment that a code is for, amount in minor units; `payee` as the customer is shown it."""

    payment_id: _Id
    customer_id: _Id
    amount: Annotated[int, msgspec.Meta(ge=1, le=MAX_MINOR)]
    currency: Annotated[str, msgspec.Meta(pattern=r"\A[A-Z]{3}\Z")]
    payee: Annotated[str, msgspec.Meta(min_length=1, max_length=512)]

    def binding(self) -> Binding:
        """What the code is bound to."""
        return Binding(self.payment_id, self.customer_id, self.amount, self.currency, self.payee)


class GenerateRequest(Bound):
    """`resend` asks for a new code although the last one may still be good."""

    resend: bool = False


class GenerateReply(msgspec.Struct):
    """The customer has a code until `expires_at`."""

    success: bool
    message: str
    expires_at: str


class VerifyRequest(Bound, kw_only=True):
    """The code as the customer typed it."""

    otp: Annotated[str, msgspec.Meta(min_length=1, max_length=64)]


class VerifyReply(msgspec.Struct):
    """How the try ended."""

    valid: bool
    reason: Literal["ok", "invalid", "expired", "exhausted", "not_found"]
    tries_left: int
    message: str


class Routes:
    """The handlers, over the use cases."""

    def __init__(self, passwords: Passwords) -> None:
        self._passwords = passwords

    def routes(self) -> list[Route]:
        """All routes of the service."""
        return [
            post("/generate-otp", GenerateRequest, self.generate),
            post("/verify-otp", VerifyRequest, self.verify),
        ]

    async def generate(self, call: Call[GenerateRequest]) -> GenerateReply:
        """Send a code unless the customer has a good one."""
        call.act_for(call.body.customer_id)
        _check_currency(call.body.currency)
        expires_at, new = await self._passwords.send(call.body.binding(), resend=call.body.resend)
        message = "OTP sent successfully" if new else "An OTP was sent already and is still valid"
        return GenerateReply(True, message, rfc3339(expires_at))

    async def verify(self, call: Call[VerifyRequest]) -> VerifyReply:
        """Try a code; every try counts."""
        call.act_for(call.body.customer_id)
        verdict = await self._passwords.verify(call.body.binding(), call.body.otp)
        return VerifyReply(
            valid=verdict.outcome == "ok",
            reason=verdict.outcome,
            tries_left=verdict.tries_left,
            message=_MESSAGES[verdict.outcome],
        )


def _check_currency(currency: str) -> None:
    # Before a code is made, which the message could not be written for.
    try:
        exponent(currency)
    except AmountError as error:
        errors = [{"field": "currency", "message": str(error)}]
        raise Problem("validation_failed", errors=errors) from error
