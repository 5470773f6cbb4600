"""SMS by Twilio: https://www.twilio.com/docs/messaging/api/message-resource."""

import httpx

from payments.notification.providers import Outcome, Outgoing
from payments.notification.providers.http import HttpProvider


class Twilio(HttpProvider):
    """SMS from the number `sender`."""

    name = "twilio"

    def __init__(self, *, url: str, account: str, token: str, sender: str, timeout: float) -> None:
        super().__init__(url, timeout, httpx.BasicAuth(account, token))
        self._path = f"/2010-04-01/Accounts/{account}/Messages.json"
        self._sender = sender

    async def _send_one(self, message: Outgoing, to: str) -> Outcome:
        form = {"To": to, "From": self._sender, "Body": message.text.body}
        response = await self._client.post(self._path, data=form)
        if response.status_code != 201:
            return self._refused(response)
        return Outcome(message_id=self._field(response, "sid") or message.delivery_id)
