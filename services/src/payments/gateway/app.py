"""Wiring of api-gateway."""

from fastapi import FastAPI
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.routing import BaseRoute

from payments.common import metrics, sampling
from payments.common.app import OWN_SPANS, Check, http_exception, lifespan, probes, problem
from payments.common.auth import TokenFile
from payments.common.db import Database
from payments.common.errors import Problem
from payments.common.http import Http
from payments.common.kafka import Producer
from payments.common.middleware import Problems, RequestContext
from payments.common.outbox import RETENTION, Relay
from payments.common.outbox_lag import outbox_lag
from payments.common.red import Measured
from payments.common.redis import Cache
from payments.gateway import (
    account_routes,
    auth_routes,
    meta_routes,
    payment_routes,
    screening_routes,
    user_routes,
    webhook_routes,
)
from payments.gateway.addresses import Addresses
from payments.gateway.edge import Edge
from payments.gateway.encryption import Encryption
from payments.gateway.gate import Gate, InsideOnly
from payments.gateway.guard import Guard
from payments.gateway.health import Remembered
from payments.gateway.key_news import KeyNews
from payments.gateway.keys import Keys
from payments.gateway.operations import routes
from payments.gateway.passthrough import Passthrough
from payments.gateway.passwords import Passwords
from payments.gateway.payloads import Payloads
from payments.gateway.peers import Peers
from payments.gateway.revocations import Revocations
from payments.gateway.settings import Settings
from payments.gateway.store import SCHEMA, Store
from payments.gateway.throttle import LoginThrottle
from payments.gateway.tokens import Tokens
from payments.gateway.user_store import UserStore

__all__ = ["Settings", "create"]


def create(settings: Settings) -> FastAPI:
    """The app, with everything it stands on."""
    prefix, window = settings.redis_key_prefix, settings.rate_limit_window_seconds
    database = Database(settings, application=settings.service)
    cache = Cache(settings)
    http = Http(TokenFile(settings.identity_token_file))
    producer = Producer(settings.brokers, client_id=settings.service)
    relay = Relay(database, producer, schema=SCHEMA, source=settings.service, retention=RETENTION)

    store = Store(
        database, access_seconds=settings.access_token_seconds, session_seconds=settings.session_seconds
    )
    revocations = Revocations(store, cache, prefix=prefix)
    users = UserStore(database, revocation_seconds=store.revocation_seconds)
    guard = Guard(revocations, prefix=prefix, limits=settings.limits)
    throttle = LoginThrottle(cache, prefix=prefix, failures=settings.login_failures, window_seconds=window)
    reload = settings.key_reload_seconds
    signing = Keys(settings.signing_keys_file, reload=reload)
    encryption = Keys(settings.encryption_keys_file, reload=reload)
    tokens = Tokens(signing, access_seconds=settings.access_token_seconds)
    passwords = Passwords(concurrency=settings.login_concurrency)
    payloads = Payloads(Encryption(encryption), cache, prefix=prefix)
    peers = Peers(tokens)
    news = KeyNews(store, {"signing": signing, "encryption": encryption}, seconds=reload)
    addresses = Addresses(settings.load_balancer_token.get_secret_value())

    confirm = http.peer(
        "confirm-service", settings.confirm_service_url, timeout=settings.request_timeout_seconds
    )
    account = http.peer("account-service", settings.account_service_url)
    audit = http.peer("audit-service", settings.audit_service_url)
    ofac = http.peer("ofac-service", settings.ofac_service_url)
    kyc = http.peer("kyc-service", settings.kyc_service_url)

    auth = auth_routes.AuthRoutes(
        store, users, tokens, passwords, revocations, throttle, access_seconds=settings.access_token_seconds
    )
    checks: dict[str, Check] = {
        "redis": cache.ping,
        "confirm_service": confirm.ping,
        "account_service": account.ping,
        "audit_service": audit.ping,
        "database": store.ping,
        "kafka": producer.ping,
    }
    remembered: dict[str, Check] = {name: Remembered(check) for name, check in checks.items()}

    async def ready() -> bool:
        return revocations.begun and await store.ready()

    probe_routes = {route.path: route for route in probes(settings, ready, remembered)}
    operations = [
        *auth_routes.operations(auth),
        *user_routes.operations(user_routes.UserRoutes(users, passwords, revocations)),
        *payment_routes.operations(Passthrough(peers, payloads, confirm)),
        *webhook_routes.operations(Passthrough(peers, payloads, confirm)),
        *account_routes.operations(
            Passthrough(peers, payloads, account), Passthrough(peers, payloads, audit)
        ),
        *screening_routes.operations(Passthrough(peers, payloads, ofac), Passthrough(peers, payloads, kyc)),
        *meta_routes.operations(signing, encryption, probe_routes["/health"].endpoint),
    ]
    served: list[BaseRoute] = [
        *routes(operations),
        *meta_routes.documentation(operations),
        *probe_routes.values(),
    ]
    samplers = sampling.loops([outbox_lag(database, SCHEMA)], settings.metrics_sample_seconds)
    app = FastAPI(
        title="Payment platform",
        openapi_url=None,
        redirect_slashes=False,
        telemetry=OWN_SPANS,
        lifespan=lifespan(
            [database, cache, http, producer, relay, revocations, passwords, payloads, news, *samplers]
        ),
        routes=served,
        middleware=[
            Middleware(Measured, routes=served),
            Middleware(RequestContext, timeout=settings.request_timeout_seconds, edge=True),
            Middleware(Edge, origins=settings.origins, addresses=addresses),
            Middleware(Problems),
            Middleware(InsideOnly, paths=frozenset({metrics.PATH})),
            Middleware(Gate, addresses=addresses, tokens=tokens, guard=guard),
        ],
    )
    app.state.stopping = False
    app.add_exception_handler(HTTPException, http_exception)
    app.add_exception_handler(Problem, problem)
    return app
