"""What the API says about itself: keys and documentation."""

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from payments.gateway import answers, docs
from payments.gateway.gate import JWKS_PATH
from payments.gateway.keys import Keys
from payments.gateway.openapi import document
from payments.gateway.operations import Endpoint, Operation

VERSION = "0.1.0"
_JWK_SET = "application/jwk-set+json"
_CACHED = {"Cache-Control": "public, max-age=300"}


def operations(signing: Keys, encryption: Keys, health: Endpoint) -> list[Operation]:
    """The public keys, and the state of things."""

    async def jwks(_: Request) -> Response:
        keys = [*signing.public(), *encryption.public_first()]
        return Response(msgspec.json.encode({"keys": keys}), 200, _CACHED, _JWK_SET)

    return [
        Operation(
            method="GET",
            path=JWKS_PATH,
            summary="Public keys: of tokens' signatures, and for encrypted payloads",
            tag="About",
            endpoint=jwks,
            response=answers.KeySet,
            media_type=_JWK_SET,
            signed_in=False,
        ),
        Operation(
            method="GET",
            path="/health",
            summary="The state of the gateway and of what it stands on",
            tag="About",
            endpoint=health,
            response=answers.Health,
            signed_in=False,
        ),
    ]


def documentation(listed: list[Operation]) -> list[Route]:
    """/openapi.json for programs, /docs for people; the page needs no script and nothing from elsewhere."""
    described = document(listed, version=VERSION)
    json, page = msgspec.json.encode(described), docs.page(described).encode()

    async def openapi(_: Request) -> Response:
        return Response(json, 200, _CACHED, "application/json")

    async def html(_: Request) -> Response:
        headers = {**_CACHED, "Content-Security-Policy": docs.POLICY}
        return Response(page, 200, headers, "text/html")

    return [Route("/openapi.json", openapi, methods=["GET"]), Route("/docs", html, methods=["GET"])]
