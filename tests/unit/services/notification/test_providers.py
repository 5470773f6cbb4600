"""The real providers' requests, received by a server of our own that answers as theirs do."""

import base64
import json
from collections.abc import AsyncIterator
from urllib.parse import parse_qs

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from joserfc import jwt
from joserfc.jwk import RSAKey

from payments.notification.domain import Channel, Text
from payments.notification.providers import NO_ADDRESS, Outgoing
from payments.notification.providers.fcm import GRANT, SCOPE, Fcm
from payments.notification.providers.http import HttpProvider
from payments.notification.providers.sendgrid import SendGrid
from payments.notification.providers.twilio import Twilio

KEY = RSAKey.generate_key(2048)


class Internet:
    """Keeps requests; answers with what is set for a path's last part."""

    def __init__(self) -> None:
        self.requests: list[tuple[str, dict[str, str], str]] = []
        self.answers: dict[str, tuple[int, str]] = {}
        self.server = TestServer(self._app())

    def _app(self) -> web.Application:
        app = web.Application()
        app.router.add_post("/{path:.*}", self._answer)
        return app

    async def _answer(self, request: web.Request) -> web.Response:
        self.requests.append((request.path, dict(request.headers), await request.text()))
        status, body = self.answers.get(request.path.rpartition("/")[2], (500, ""))
        headers = {"X-Message-Id": "sg-1"} if status == 202 else None
        return web.Response(status=status, text=body, headers=headers)

    @property
    def url(self) -> str:
        return str(self.server.make_url("")).rstrip("/")

    def twilio(self, timeout: float = 2) -> Twilio:
        return Twilio(url=self.url, account="AC1", token="secret", sender="+15550001", timeout=timeout)

    def sendgrid(self) -> SendGrid:
        return SendGrid(url=self.url, api_key="key", sender="pay@example.com", timeout=2)

    def fcm(self) -> Fcm:
        account = {
            "project_id": "proj",
            "client_email": "sender@proj.example.com",
            "token_uri": f"{self.url}/token",
            "private_key": KEY.as_pem(private=True).decode(),
        }
        return Fcm(url=self.url, service_account=json.dumps(account), timeout=2)


@pytest.fixture
async def internet() -> AsyncIterator[Internet]:
    internet = Internet()
    await internet.server.start_server()
    yield internet
    await internet.server.close()


def message(channel: Channel, to: str | None) -> Outgoing:
    return Outgoing("d1", "c1", "OTP_REQUIRED", channel, to, Text("Subject", "Body"))


async def test_twilio_gets_a_form_with_basic_credentials(internet: Internet) -> None:
    internet.answers["Messages.json"] = (201, '{"sid": "SM1"}')
    async with internet.twilio() as provider:
        (outcome,) = await provider.send([message("sms", "+1234567890")])
    assert outcome.message_id == "SM1"
    ((path, headers, body),) = internet.requests
    assert path == "/2010-04-01/Accounts/AC1/Messages.json"
    assert base64.b64decode(headers["Authorization"].removeprefix("Basic ")) == b"AC1:secret"
    assert parse_qs(body) == {"To": ["+1234567890"], "From": ["+15550001"], "Body": ["Body"]}


async def test_sendgrid_gets_a_mail(internet: Internet) -> None:
    internet.answers["send"] = (202, "")
    async with internet.sendgrid() as provider:
        (outcome,) = await provider.send([message("email", "john@example.com")])
    assert outcome.message_id == "sg-1"
    ((path, headers, body),) = internet.requests
    assert (path, headers["Authorization"]) == ("/v3/mail/send", "Bearer key")
    mail = json.loads(body)
    assert mail["personalizations"] == [{"to": [{"email": "john@example.com"}]}]
    assert mail["content"] == [{"type": "text/plain", "value": "Body"}]


async def test_fcm_gets_messages_under_one_token(internet: Internet) -> None:
    internet.answers["token"] = (200, '{"access_token": "at", "expires_in": 3599}')
    internet.answers["messages:send"] = (200, '{"name": "projects/proj/messages/1"}')
    async with internet.fcm() as provider:
        outcomes = await provider.send([message("push", "device-1"), message("push", "device-2")])
    assert [outcome.message_id for outcome in outcomes] == ["projects/proj/messages/1"] * 2
    (token_path, _, form), *sends = internet.requests
    assert token_path == "/token"
    assert parse_qs(form)["grant_type"] == [GRANT]
    claims = jwt.decode(parse_qs(form)["assertion"][0], KEY, algorithms=["RS256"]).claims
    assert (claims["iss"], claims["scope"]) == ("sender@proj.example.com", SCOPE)
    assert len(sends) == 2
    assert sends[0][1]["Authorization"] == "Bearer at"
    assert {json.loads(body)["message"]["token"] for _, _, body in sends} == {"device-1", "device-2"}


async def test_fcm_without_a_token_may_be_tried_again(internet: Internet) -> None:
    internet.answers["token"] = (401, "")
    async with internet.fcm() as provider:
        (outcome,) = await provider.send([message("push", "device")])
    assert (outcome.message_id, outcome.permanent) == (None, False)


@pytest.mark.parametrize(
    ("status", "permanent"),
    [(400, True), (404, True), (401, False), (429, False), (500, False), (503, False)],
)
async def test_only_what_is_about_the_message_is_permanent(
    internet: Internet, status: int, permanent: bool
) -> None:
    internet.answers["Messages.json"] = (status, "no")
    async with internet.twilio() as provider:
        (outcome,) = await provider.send([message("sms", "+1234567890")])
    assert (outcome.message_id, outcome.permanent) == (None, permanent)
    assert "secret" not in (outcome.error or "")


async def test_a_provider_that_is_away_raises_nothing(internet: Internet) -> None:
    provider: HttpProvider = internet.twilio(timeout=0.5)
    await internet.server.close()
    async with provider:
        (outcome,) = await provider.send([message("sms", "+1234567890")])
    assert (outcome.message_id, outcome.permanent) == (None, False)


async def test_nobody_is_written_to_without_an_address(internet: Internet) -> None:
    async with internet.fcm() as provider:
        assert await provider.send([message("push", None)]) == [NO_ADDRESS]
    assert internet.requests == []
