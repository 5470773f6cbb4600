"""Sending and verifying one-time passwords."""

from dataclasses import dataclass
from datetime import datetime

from payments.common import metrics
from payments.common.errors import Problem
from payments.common.ids import new_id
from payments.otp.domain import Binding, binding_mac, code_mac, new_code
from payments.otp.peers import Notifier
from payments.otp.store import Store, Verdict

SENDS = metrics.counter(
    "payments_otp_sends_total", "Asked for a one-time password: what came of it.", ["outcome"]
)
TRIES = metrics.counter("payments_otp_tries_total", "Tries of one-time passwords, by outcome.", ["outcome"])
metrics.from_zero(SENDS, ("sent", "not_sent", "active", "limited", "exhausted", "foreign"))
metrics.from_zero(TRIES, ("ok", "invalid", "expired", "exhausted", "not_found"))


@dataclass(frozen=True, slots=True)
class Passwords:
    """One-time passwords under one key."""

    store: Store
    notifier: Notifier
    key: bytes
    valid_minutes: int

    async def send(self, binding: Binding, *, resend: bool) -> tuple[datetime, bool]:
        """See to it that the customer has a good code for this payment.

        Returns:
            when the code expires, and whether a new one was sent.

        Raises:
            Problem: otp_send_limit with the seconds to wait, otp_restart when the payment has no tries left,
                not_found for another customer's payment, service_unavailable when the code could not be sent
                (asking again is safe).
        """
        code, challenge_id = new_code(), new_id()
        issued = await self.store.issue(
            payment_id=binding.payment_id,
            customer_id=binding.customer_id,
            challenge_id=challenge_id,
            mac=code_mac(self.key, code, binding),
            binding=binding_mac(self.key, binding),
            resend=resend,
        )
        if issued.outcome != "send":
            SENDS.labels(issued.outcome).inc()
        if issued.outcome == "limited":
            raise Problem("otp_send_limit", retry_after=issued.retry_after)
        if issued.outcome == "exhausted":
            raise Problem("otp_restart", "All tries for this payment are used up; no further code is sent")
        if issued.outcome == "foreign":
            raise Problem("payment_not_found")
        assert issued.expires_at is not None
        if issued.outcome == "active":
            return issued.expires_at, False
        sent = await self.notifier.send(challenge_id, code, binding, minutes=self.valid_minutes)
        if sent is not None:
            await self.store.delivered(challenge_id, sent=sent)
        SENDS.labels("sent" if sent else "not_sent").inc()
        if not sent:
            raise Problem("service_unavailable", "The one-time password could not be sent; try again later")
        return issued.expires_at, True

    async def verify(self, binding: Binding, code: str) -> Verdict:
        """Try a code. Raises Problem(service_unavailable)."""
        verdict = await self.store.verify(
            payment_id=binding.payment_id,
            customer_id=binding.customer_id,
            mac=code_mac(self.key, code, binding),
        )
        TRIES.labels(verdict.outcome).inc()
        return verdict
