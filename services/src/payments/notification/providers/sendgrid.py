"""E-mail by SendGrid: https://www.twilio.com/docs/sendgrid/api-reference/mail-send/mail-send."""

from payments.notification.providers import Outcome, Outgoing
from payments.notification.providers.http import HttpProvider


class SendGrid(HttpProvider):
    """E-mail from the address `sender`."""

    name = "sendgrid"

    def __init__(self, *, url: str, api_key: str, sender: str, timeout: float) -> None:
        super().__init__(url, timeout)
        self._headers = {"Authorization": f"Bearer {api_key}"}
        self._sender = sender

    async def _send_one(self, message: Outgoing, to: str) -> Outcome:
        mail = {
            "personalizations": [{"to": [{"email": to}]}],
            "from": {"email": self._sender},
            "subject": message.text.subject,
            "content": [{"type": "text/plain", "value": message.text.body}],
        }
        response = await self._client.post("/v3/mail/send", json=mail, headers=self._headers)
        if response.status_code != 202:
            return self._refused(response)
        return Outcome(message_id=response.headers.get("X-Message-Id") or message.delivery_id)
