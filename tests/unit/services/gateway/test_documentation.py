"""The OpenAPI document and the page made from it say what the routes do."""

import re
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import msgspec
import pytest
from fastapi import FastAPI
from starlette.routing import Route

from payments.common.errors import KINDS
from payments.gateway import docs
from payments.gateway.app import Settings, create
from tests.unit.services.gateway.conftest import new_signing_key, write_keys


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> FastAPI:
    folder = tmp_path_factory.mktemp("keys")
    keys = write_keys(folder / "keys.json", [new_signing_key()])
    return create(settings(keys))


def settings(keys: Path, **changes: Any) -> Settings:
    values: dict[str, Any] = {
        "service": "api-gateway",
        "http_port": 3000,
        "database_host": "localhost",
        "database_user": "gateway",
        "database_password": "x",
        "redis_host": "localhost",
        "redis_password": "x",
        "kafka_bootstrap_servers": "localhost:9092",
        "confirm_service_url": "http://localhost:1",
        "account_service_url": "http://localhost:2",
        "audit_service_url": "http://localhost:3",
        "ofac_service_url": "http://localhost:4",
        "kyc_service_url": "http://localhost:5",
        "signing_keys_file": keys,
        "encryption_keys_file": keys,
    }
    return Settings(**(values | changes))


async def read(app: FastAPI, path: str) -> bytes:
    route = next(route for route in app.routes if isinstance(route, Route) and route.path == path)
    return bytes((await route.endpoint(None)).body)


@pytest.fixture(scope="module")
async def document(app: FastAPI) -> dict[str, Any]:
    decoded: dict[str, Any] = msgspec.json.decode(await read(app, "/openapi.json"))
    return decoded


def nodes(value: Any) -> Any:
    yield value
    children = value.values() if isinstance(value, dict) else value if isinstance(value, list) else []
    for child in children:
        yield from nodes(child)


def test_every_public_route_is_documented(app: FastAPI, document: dict[str, Any]) -> None:
    hidden = {"/live", "/ready", "/metrics", "/docs", "/openapi.json"}
    routed = {
        (route.path, method.lower())
        for route in app.routes
        if isinstance(route, Route) and route.path not in hidden
        for method in (route.methods or set()) - {"HEAD"}
    }
    documented = {(path, method) for path, methods in document["paths"].items() for method in methods}
    assert documented == routed


def test_references_resolve(document: dict[str, Any]) -> None:
    schemas = document["components"]["schemas"]
    references = {node["$ref"] for node in nodes(document) if isinstance(node, dict) and "$ref" in node}
    assert references == {f"#/components/schemas/{name}" for name in schemas}


def test_patterns_are_ecma(document: dict[str, Any]) -> None:
    patterns = [node["pattern"] for node in nodes(document) if isinstance(node, dict) and "pattern" in node]
    assert patterns
    for pattern in patterns:
        assert r"\Z" not in pattern
        re.compile(pattern)


def test_operations_have_names_examples_and_problems(document: dict[str, Any]) -> None:
    names = []
    for methods in document["paths"].values():
        for operation in methods.values():
            names.append(operation["operationId"])
            answers = operation["responses"]
            assert {"429", "503"} <= set(answers)
            assert ("security" not in operation) or "401" in answers
            problems = [answer for status, answer in answers.items() if int(status) >= 400]
            for problem in problems:
                (content,) = problem["content"].values()
                for code, example in content["examples"].items():
                    assert KINDS[code].status == example["value"]["status"]
    assert len(names) == len(set(names))


def test_bodies_are_documented_as_they_are_checked(document: dict[str, Any]) -> None:
    schema = document["components"]["schemas"]["CreatePaymentRequest"]
    assert schema["additionalProperties"] is False
    assert schema["required"] == ["amount", "currency", "from_account", "to_account"]
    assert schema["properties"]["amount"]["maximum"] == 10**12
    content = document["paths"]["/payment/confirm"]["post"]["requestBody"]["content"]
    assert set(content) == {"application/json", "application/jose"}
    parameters = document["paths"]["/v1/payments"]["get"]["parameters"]
    assert [item["name"] for item in parameters][:3] == ["limit", "starting_after", "status"]


class _Page(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.addresses: list[str] = []
        self.text = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.addresses += [value or "" for name, value in attrs if name in ("href", "src", "action")]

    def handle_data(self, data: str) -> None:
        self.text += data


async def test_the_page_stands_alone(app: FastAPI, document: dict[str, Any]) -> None:
    page = _Page()
    page.feed((await read(app, "/docs")).decode())
    assert page.addresses == ["/openapi.json"]
    assert not {"script", "iframe", "img", "link"} & set(page.tags)
    for path in document["paths"]:
        assert path in page.text
    assert "unsafe" not in docs.POLICY


@pytest.mark.parametrize(
    "origins", ["*", "https://*.example.com", "example.com", "https://a.example/", "ftp://a.example"]
)
def test_origins_are_exact(tmp_path: Path, origins: str) -> None:
    with pytest.raises(ValueError, match="origin"):
        settings(tmp_path, cors_allowed_origins=origins)


def test_several_origins(tmp_path: Path) -> None:
    made = settings(tmp_path, cors_allowed_origins="https://a.example, http://localhost:3000,")
    assert made.origins == {"https://a.example", "http://localhost:3000"}
