"""What Prometheus answers: work that waits by service, services that hang, and answers of no use."""

import json
import threading
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import cast

import pytest

from payment_operator.advice import Use
from payment_operator.cluster import Cluster
from payment_operator.credentials import authorization
from payment_operator.load import Sample, load_of, uses_of
from payment_operator.prometheus import NoMetrics, Prometheus, address
from payment_operator.values import parse
from payment_operator.watchful import Terms, Watchful
from tests.unit.operator.fakes import FakeCluster
from tests.unit.operator.test_status import look, pairs


def test_messages_and_rows_add_up_by_service() -> None:
    def ask(query: str) -> list[Sample]:
        assert 'namespace="shop"' in query
        if query.startswith("sum by (service) (max by"):
            return [Sample({"service": "audit-service"}, 7.0), Sample({}, 9.0)]
        if "payments_outbox_unpublished_rows" in query:
            return [Sample({"service": "audit-service"}, 3.0), Sample({"service": "otp-service"}, 1.0)]
        return [Sample({"service": "kyc-service"}, 1.0)] if "http_response_status_code" in query else []

    load = load_of("shop", ask)
    assert load.behind == {"audit-service": 10.0, "otp-service": 1.0}
    assert load.stuck == {"kyc-service": "each request ends with an internal error"}


def test_what_was_used_is_known_of_services_that_tell_both() -> None:
    def ask(query: str) -> list[Sample]:
        assert query.count('namespace="shop"') == 2
        names = ("kyc-service", "otp-service") if "cpu" in query else ("kyc-service",)
        return [Sample({"service": name}, 0.25) for name in names]

    assert uses_of("shop", ask) == {"kyc-service": Use(0.25, 0.25)}


class Server(HTTPServer):
    status, body = 200, b""
    authorization: str | None = None


class Handler(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        assert isinstance(self.server, Server)
        assert self.path == "/api/v1/query?query=up+%3D%3D+1"
        self.server.authorization = self.headers["Authorization"]
        self.send_response(self.server.status)
        self.send_header("Content-Length", str(len(self.server.body)))
        self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.write(self.server.body)

    def log_message(self, format: str, *args: object) -> None:
        """Nothing."""


@pytest.fixture
def server() -> Iterator[Server]:
    with Server(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def ask(server: Server) -> list[Sample]:
    return Prometheus().ask(f"http://127.0.0.1:{server.server_port}/", "up == 1")


def test_a_vector_is_read_without_what_is_no_number(server: Server) -> None:
    result = [
        {"metric": {"service": name}, "value": [1, value]} for name, value in (("a", "2"), ("b", "NaN"))
    ]
    server.body = json.dumps({"data": {"result": result}}).encode()
    assert ask(server) == [Sample({"service": "a"}, 2.0)]


@pytest.mark.parametrize("header", ["", "Bearer abc"])
def test_credentials_are_sent_where_there_are_some(server: Server, header: str) -> None:
    server.body = json.dumps({"data": {"result": []}}).encode()
    url = f"http://127.0.0.1:{server.server_port}"
    assert Prometheus().ask(url, "up == 1", header) == []
    assert server.authorization == (header or None)


def test_the_credentials_of_a_platform_are_its_own_secret() -> None:
    external = {"url": "http://p:9090", "credentialsSecretRef": {"name": "reader"}}
    asked: list[str] = []

    class Noting(Prometheus):
        def ask(self, url: str, query: str, authorization: str = "") -> list[Sample]:
            assert url and query
            asked.append(authorization)
            return []

    cluster = FakeCluster()
    cluster.put_secret("shop", "reader", authorization="Bearer abc\n")
    watchful = Watchful(Noting(), Terms(), partial(authorization, cast(Cluster, cluster)))
    for mode, header in (({"mode": "External", "external": external}, "Bearer abc"), ({}, "")):
        spec = parse({"profile": "dev", "observability": {"prometheus": {"enabled": True, **mode}}})
        seen = watchful.asked(replace(look(pairs()), spec=spec))
        assert seen.load is not None
        assert set(asked) == {header}
        asked.clear()
    cluster.forbidden.add("reader")
    prometheus = {"enabled": True, "mode": "External", "external": external}
    spec = parse({"profile": "dev", "observability": {"prometheus": prometheus}})
    other = Watchful(Noting(), Terms(), partial(authorization, cast(Cluster, cluster)))
    assert other.asked(replace(look(pairs()), spec=spec)).load is None
    assert asked == []


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (503, b"{}"),
        (200, b"<html>"),
        (200, b"[]"),
        (200, b'{"data": {"result": [{"metric": {}, "value": []}]}}'),
    ],
)
def test_an_answer_of_no_use_is_told(server: Server, status: int, body: bytes) -> None:
    server.status, server.body = status, body
    with pytest.raises(NoMetrics):
        ask(server)


def test_nobody_there_is_told(server: Server) -> None:
    server.server_close()
    with pytest.raises(NoMetrics, match="does not answer"):
        ask(server)


def test_where_it_answers() -> None:
    def where(**prometheus: object) -> str | None:
        return address(parse({"profile": "dev", "observability": {"prometheus": prometheus}}), "shop")

    assert where(enabled=True) == "http://prometheus.shop.svc:9090"
    assert where(enabled=False) is None
    assert where(enabled=True, mode="External") is None
    external = {"url": "http://prometheus.monitoring:9090"}
    assert where(enabled=True, mode="External", external=external) == "http://prometheus.monitoring:9090"
    assert address(parse({"profile": "dev"}), "shop") is None
