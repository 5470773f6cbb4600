"""notification-service as otp needs it."""

import msgspec

from payments.common.http import Peer, PeerDown
from payments.otp.domain import Binding


class _Sent(msgspec.Struct):
    success: bool


class Notifier:
    """Tells customers their codes."""

    def __init__(self, peer: Peer) -> None:
        self._peer = peer

    async def send(self, challenge_id: str, code: str, binding: Binding, *, minutes: int) -> bool | None:
        """True when the code went out on some channel, False when surely on none, None when nobody knows."""
        body = {
            "customer_id": binding.customer_id,
            "type": "OTP_REQUIRED",
            "data": {
                "otp": code,
                "payment_id": binding.payment_id,
                "amount": binding.amount,
                "currency": binding.currency,
                "payee": binding.payee,
                "valid_minutes": minutes,
            },
            "dedupe_key": challenge_id,
        }
        try:
            reply = await self._peer.post("/send-notification", body)
        except PeerDown as error:
            return None if error.sent else False
        if reply.status != 200:
            # An answer of another kind is given before anything is sent; a bug there may be anywhere.
            return None if reply.status == 500 else False
        try:
            return reply.decode(_Sent).success
        except msgspec.DecodeError:
            return None
