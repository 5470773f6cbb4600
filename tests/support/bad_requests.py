"""Bad requests and the answers that are documented for them, as data.

The integration tests send them to the gateway alone, the end-to-end tests through the load balancer. `token`
names whose access token goes along: a user's (`customer` is demo, `other` demo2, `operator`, `auditor`), one
that the runner spoils (`expired`, `forged`, `revoked`), or None. Where `needs_services` is set, the answer
comes from behind the gateway. A proxy may refuse what is marked `not_for_proxies` in its own way.
"""

import json
from typing import Any

from tests.support.bad_request import NOWHERE, BadRequest, get, post
from tests.support.bad_requests_of_routes import OF_ROUTES
from tests.support.bad_requests_of_screening import OF_SCREENING

__all__ = ["BAD_REQUESTS", "BadRequest", "confirmation", "payment"]

CONFIRM = "/payment/confirm"
PAYMENTS = "/v1/payments"
LOGIN = "/auth/login"


def payment(**changes: Any) -> dict[str, Any]:
    """A good body of POST /v1/payments, changed; None removes a member."""
    body = {"amount": 1234, "currency": "USD", "from_account": "ACC001", "to_account": "ACC002"} | changes
    return {name: value for name, value in body.items() if value is not None}


def confirmation(**changes: Any) -> dict[str, Any]:
    """A good body of POST /payment/confirm, changed; None removes a member."""
    body = {
        "transaction_id": "txn_001",
        "customer_id": "cust_001",
        "amount": 1000.00,
        "from_account": "ACC001",
        "to_account": "ACC002",
    } | changes
    return {name: value for name, value in body.items() if value is not None}


def _login() -> list[BadRequest]:
    good = {"username": "demo", "password": "password123"}
    missing, invalid = (400, "missing_required_fields"), (422, "validation_failed")
    cases: list[tuple[str, Any, int, str]] = [
        ("wrong_password", good | {"password": "wrong"}, 401, "invalid_credentials"),
        ("unknown_user", {"username": "nobody-here", "password": "password123"}, 401, "invalid_credentials"),
        ("sql_in_name", {"username": "' OR 1=1 --", "password": "x"}, 401, "invalid_credentials"),
        ("no_password", {"username": "demo"}, *missing),
        ("no_name", {"password": "password123"}, *missing),
        ("empty_object", {}, *missing),
        ("null_name", good | {"username": None}, *missing),
        ("empty_password", good | {"password": ""}, *missing),
        ("name_is_a_number", good | {"username": 1}, *invalid),
        ("name_is_an_object", good | {"username": {"$ne": ""}}, *invalid),
        ("name_has_null_byte", good | {"username": "demo\x00"}, *invalid),
        ("name_too_long", good | {"username": "d" * 129}, *invalid),
        ("password_too_long", good | {"password": "p" * 1025}, *invalid),
        ("body_is_a_list", [], *invalid),
        ("body_is_null", None, *invalid),
        ("broken_json", b'{"username": "demo"', 400, "malformed_request"),
        ("invalid_utf8", b'{"username": "\xff\xfe"}', 400, "malformed_request"),
        ("lone_surrogate", b'{"username": "\\ud800", "password": "x"}', 400, "malformed_request"),
    ]
    return [post(LOGIN, f"login_{name}", *rest, token=None) for name, *rest in cases]


def _tokens() -> list[BadRequest]:
    original = [
        ("missing", None, 401, "access_token_required"),
        ("forged", "forged", 403, "invalid_token"),
        ("expired", "expired", 403, "invalid_token"),
        ("revoked", "revoked", 401, "token_revoked"),
    ]
    requests = [
        post(CONFIRM, f"original_token_{name}", confirmation(), status, code, token=token)
        for name, token, status, code in original
    ]
    for name, token in (
        ("missing", None),
        ("forged", "forged"),
        ("expired", "expired"),
        ("revoked", "revoked"),
    ):
        requests += [
            post(PAYMENTS, f"create_token_{name}", payment(), 401, "unauthenticated", token=token),
            get("/v1/accounts", f"accounts_token_{name}", 401, "unauthenticated", token=token),
        ]
    headers = [
        ("basic", "Basic ZGVtbzpwYXNzd29yZDEyMw=="),
        ("empty", "Bearer "),
        ("garbage", "Bearer x.y.z"),
        ("unsigned", "Bearer eyJhbGciOiJub25lIiwidHlwIjoiYXQrand0In0.eyJzdWIiOiJjdXN0XzAwMSJ9."),
        ("huge", "Bearer " + "a" * 5000),
    ]
    requests += [
        get(
            PAYMENTS,
            f"authorization_{name}",
            401,
            "unauthenticated",
            token=None,
            headers={"Authorization": value},
        )
        for name, value in headers
    ]
    return [
        *requests,
        post("/auth/logout", "logout_without_token", b"", 401, "unauthenticated", token=None),
        post(
            "/auth/refresh",
            "refresh_unknown",
            {"refresh_token": "x" * 43},
            401,
            "unauthenticated",
            token=None,
        ),
        post("/auth/refresh", "refresh_missing", {}, 422, "validation_failed", token=None),
        post("/auth/refresh", "refresh_odd", {"refresh_token": "a b"}, 422, "validation_failed", token=None),
        get("/v1/reviews", "reviews_as_customer", 403, "forbidden"),
        post(f"/v1/reviews/{NOWHERE}/approve", "approve_as_customer", {}, 403, "forbidden"),
        post(f"/v1/reviews/{NOWHERE}/reject", "reject_as_auditor", {}, 403, "forbidden", token="auditor"),
        get("/v1/audit/events", "audit_as_customer", 403, "forbidden"),
        get("/v1/audit/events", "audit_as_operator", 403, "forbidden", token="operator"),
    ]


def _bodies() -> list[BadRequest]:
    invalid, broken = (422, "validation_failed"), (400, "malformed_request")
    cases: list[tuple[str, Any, int, str]] = [
        ("amount_negative", payment(amount=-1), *invalid),
        ("amount_zero", payment(amount=0), *invalid),
        ("amount_fraction", payment(amount=12.34), *invalid),
        ("amount_whole_float", payment(amount=1.0), *invalid),
        ("amount_text", payment(amount="1234"), *invalid),
        ("amount_boolean", payment(amount=True), *invalid),
        (
            "amount_null",
            b'{"amount": null, "currency": "USD", "from_account": "A", "to_account": "B"}',
            *invalid,
        ),
        ("amount_nan", payment(amount=float("nan")), *invalid),
        ("amount_infinite", payment(amount=float("inf")), *invalid),
        ("amount_above_limit", payment(amount=10**12 + 1), *invalid),
        ("amount_beyond_64_bits", payment(amount=10**30), *invalid),
        ("amount_5000_digits", b'{"amount": ' + b"9" * 5000 + b"}", *invalid),
        ("amount_exponent", b'{"amount": 1e400}', *invalid),
        ("amount_missing", payment(amount=None), *invalid),
        ("currency_missing", payment(currency=None), *invalid),
        ("currency_unknown", payment(currency="XXX"), *invalid),
        ("currency_lower_case", payment(currency="usd"), *invalid),
        ("currency_line_break", payment(currency="USD\n"), *invalid),
        ("currency_number", payment(currency=840), *invalid),
        ("payer_missing", payment(from_account=None), *invalid),
        ("payer_empty", payment(from_account=""), *invalid),
        ("payer_path", payment(from_account="../ACC002"), *invalid),
        ("payee_missing", payment(to_account=None), *invalid),
        ("payee_null_byte", payment(to_account="ACC\x00002"), *invalid),
        ("payee_too_long", payment(to_account="A" * 65), *invalid),
        ("payee_list", payment(to_account=["ACC002"]), *invalid),
        ("payee_is_payer", payment(to_account="ACC001"), 422, "self_transfer"),
        ("routing_number_odd", payment(to_routing_number="02 10"), *invalid),
        ("name_empty", payment(to_routing_number="021000021", to_name=""), *invalid),
        ("name_control_character", payment(to_name="Jane\x1b[2J"), *invalid),
        ("description_too_long", payment(description="d" * 501), *invalid),
        ("metadata_text", payment(metadata="x"), *invalid),
        ("metadata_nested", payment(metadata={"a": {"b": "c"}}), *invalid),
        ("metadata_51_entries", payment(metadata={str(n): "v" for n in range(51)}), *invalid),
        ("unknown_member", payment(amonut=1), *invalid),
        ("status_given", payment(status="succeeded"), *invalid),
        ("customer_given", payment(customer_id="cust_002"), *invalid),
        ("body_is_a_list", [payment()], *invalid),
        ("body_is_a_number", 7, *invalid),
        ("body_is_text", "payment", *invalid),
        ("body_empty", b"", *invalid),
        ("json_truncated", b'{"amount": 1234, "currency"', *broken),
        ("json_trailing", json.dumps(payment()).encode() + b"}", *broken),
        ("json_single_quotes", b"{'amount': 1234}", *broken),
        ("json_comment", b"{/* */}", *broken),
        ("json_byte_order_mark", b"\xef\xbb\xbf{}", *broken),
        ("json_invalid_utf8", b'{"currency": "\xc3\x28"}', *broken),
        ("json_lone_surrogate", b'{"currency": "\\ud800"}', *broken),
        ("json_utf16", json.dumps(payment()).encode("utf-16"), *broken),
        ("json_nested_deep", b'{"metadata": ' + b'{"a":' * 50_000 + b"1" + b"}" * 50_000 + b"}", *invalid),
        ("json_unclosed_deep", b"[" * 100_000, *invalid),
        ("form_as_json", b"amount=1234&currency=USD", *broken),
    ]
    return [post(PAYMENTS, f"create_{name}", *rest) for name, *rest in cases]


def _original_bodies() -> list[BadRequest]:
    invalid, missing = (422, "validation_failed"), (400, "missing_required_fields")
    cases: list[tuple[str, Any, int, str]] = [
        ("no_transaction", confirmation(transaction_id=None), *missing),
        ("no_customer", confirmation(customer_id=None), *missing),
        ("no_amount", confirmation(amount=None), *missing),
        ("empty_transaction", confirmation() | {"transaction_id": None}, *missing),
        ("nothing", {}, *missing),
        ("no_body", b"", *missing),
        ("amount_negative", confirmation(amount=-1000), *invalid),
        ("amount_zero", confirmation(amount=0), *invalid),
        ("amount_nan", confirmation(amount=float("nan")), *invalid),
        ("amount_nan_text", confirmation(amount="NaN"), *invalid),
        ("amount_infinite_text", confirmation(amount="-Infinity"), *invalid),
        ("amount_signalling_nan", confirmation(amount="sNaN"), *invalid),
        ("amount_huge_exponent", confirmation(amount="1e999999"), *invalid),
        ("amount_tiny_exponent", confirmation(amount="1e-999999"), *invalid),
        ("amount_excess_decimals", confirmation(amount="1000.0001"), *invalid),
        ("amount_30_decimals", confirmation(amount="1000." + "0" * 29 + "1"), *invalid),
        ("amount_words", confirmation(amount="a lot"), *invalid),
        ("amount_list", confirmation(amount=[1000]), *invalid),
        ("amount_above_limit", confirmation(amount=10**13), *invalid),
        ("transaction_number", confirmation(transaction_id=1), *invalid),
        ("transaction_path", confirmation(transaction_id="../../health"), *invalid),
        ("transaction_null_byte", confirmation(transaction_id="txn\x00"), *invalid),
        ("transaction_too_long", confirmation(transaction_id="t" * 65), *invalid),
        ("account_object", confirmation(from_account={}), *invalid),
        ("json_broken", b'{"transaction_id": ', 400, "malformed_request"),
    ]
    return [post(CONFIRM, f"original_{name}", *rest) for name, *rest in cases]


def _transport() -> list[BadRequest]:
    large = b'{"description": "' + b"x" * (10 * 1024 * 1024) + b'"}'
    good = payment()
    types = [
        ("text", "text/plain"),
        ("form", "application/x-www-form-urlencoded"),
        ("xml", "application/xml"),
        ("latin1", "application/json; charset=iso-8859-1"),
        ("nonsense", "json"),
    ]
    keys: list[tuple[str, str | None, str]] = [
        ("missing", None, "missing_idempotency_key"),
        ("empty", "", "missing_idempotency_key"),
        ("too_long", "k" * 256, "invalid_idempotency_key"),
        ("not_ascii", "schl\u00fcssel", "invalid_idempotency_key"),
    ]
    methods = [
        ("DELETE", PAYMENTS),
        ("PUT", f"{PAYMENTS}/{NOWHERE}"),
        ("PATCH", "/v1/accounts/ACC001"),
        ("GET", LOGIN),
        ("GET", CONFIRM),
        ("POST", "/health"),
        ("POST", "/.well-known/jwks.json"),
        ("OPTIONS", PAYMENTS),
    ]
    paths = [
        "/",
        "/v2/payments",
        "/v1/payments/",
        "/v1//payments",
        f"{PAYMENTS}/{NOWHERE}/unknown",
        f"{PAYMENTS}/..%2F..%2Fhealth",
        f"{PAYMENTS}/%00",
        f"{PAYMENTS}/%ff",
        f"{PAYMENTS}/.hidden",
        f"{PAYMENTS}/{'a' * 65}",
        "/v1/accounts/%2e%2e%3b",
        "/assess-risk",
        "/internal",
        "/.env",
    ]
    return [
        post(PAYMENTS, "body_over_10_mb", large, 413, "payload_too_large"),
        *(
            post(
                PAYMENTS, f"type_{name}", good, 415, "unsupported_media_type", headers={"Content-Type": value}
            )
            for name, value in types
        ),
        post(PAYMENTS, "type_missing", good, 415, "unsupported_media_type", headers={"Content-Type": None}),
        post(
            PAYMENTS, "compressed", good, 415, "unsupported_media_type", headers={"Content-Encoding": "gzip"}
        ),
        *(
            post(PAYMENTS, f"key_{name}", good, 400, code, headers={"Idempotency-Key": value})
            for name, value, code in keys
        ),
        post(
            CONFIRM,
            "original_key_missing",
            confirmation(),
            400,
            "missing_idempotency_key",
            headers={"Idempotency-Key": None},
        ),
        *(
            BadRequest(
                name=f"method_{method}_{path}",
                method=method,
                path=path,
                status=405,
                code="method_not_allowed",
            )
            for method, path in methods
        ),
        *(
            get(path, f"path_{number}", 404, "not_found", not_for_proxies="%00" in path)
            for number, path in enumerate(paths)
        ),
    ]


def _queries() -> list[BadRequest]:
    queries = [
        "limit=0",
        "limit=101",
        "limit=-1",
        "limit=abc",
        "limit=1.5",
        "limit=99999999999999999999",
        "limit=",
        "limit=1&limit=2",
        "status=unknown",
        "status=%00",
        "starting_after=%27%20OR%201%3D1",
        "starting_after=%ff%fe",
        "created_gte=yesterday",
        "created_gte=2026-01-01",
        "created_lte=2026-13-01T00:00:00Z",
        "unknown=1",
        "%00=1",
        "&&==",
    ]
    return [
        get(f"{PAYMENTS}?{query}", f"query_{number}", 422, "validation_failed")
        for number, query in enumerate(queries)
    ]


def _encrypted() -> list[BadRequest]:
    form = {"encrypted_payload": "00", "iv": "00" * 12, "auth_tag": "00" * 16, "encrypted_key": "00" * 384}
    bodies: list[tuple[str, Any]] = [
        ("zeros", form),
        ("short_key", form | {"encrypted_key": "00"}),
        ("short_iv", form | {"iv": "00"}),
        ("short_tag", form | {"auth_tag": "00"}),
        ("not_hex", form | {"iv": "zz"}),
        ("no_tag", {name: value for name, value in form.items() if name != "auth_tag"}),
        ("number", form | {"iv": 1}),
        ("plain_body", confirmation()),
        ("broken_json", b"{"),
        ("empty", b""),
    ]
    tokens: list[tuple[str, bytes]] = [
        ("empty_parts", b"...."),
        ("three_parts", b"a.b.c"),
        ("not_base64", b"!.!.!.!.!"),
        ("not_ascii", b"\xff.\xff.\xff.\xff.\xff"),
        ("alg_none", b"eyJhbGciOiJub25lIiwiZW5jIjoiQTI1NkdDTSJ9...."),
        ("alg_dir", b"eyJhbGciOiJkaXIiLCJlbmMiOiJBMjU2R0NNIn0..AAAAAAAAAAAAAAAA.AA.AAAAAAAAAAAAAAAAAAAAAA"),
        (
            "alg_rsa15",
            b"eyJhbGciOiJSU0ExXzUiLCJlbmMiOiJBMjU2R0NNIn0.AA.AAAAAAAAAAAAAAAA.AA.AAAAAAAAAAAAAAAAAAAAAA",
        ),
    ]
    encrypted = {"X-Encrypted": "true"}
    jose = {"Content-Type": "application/jose"}
    return [
        *(
            post(CONFIRM, f"encrypted_{name}", body, 400, "decryption_failed", headers=encrypted)
            for name, body in bodies
        ),
        *(
            post(CONFIRM, f"jwe_{name}", body, 400, "decryption_failed", headers=jose)
            for name, body in tokens
        ),
    ]


def _webhooks() -> list[BadRequest]:
    path, one = "/v1/webhook_endpoints", f"/v1/webhook_endpoints/{NOWHERE}"
    invalid = (422, "validation_failed")
    good = {"url": "https://shop.example.com/hooks", "enabled_events": ["payment.*"]}
    cases: list[tuple[str, Any, int, str]] = [
        ("empty", {}, *invalid),
        ("url_missing", {"enabled_events": ["*"]}, *invalid),
        ("url_ftp", good | {"url": "ftp://shop.example.com/"}, *invalid),
        ("url_space", good | {"url": "https://shop.example.com/a b"}, *invalid),
        ("url_line_break", good | {"url": "https://shop.example.com/\n"}, *invalid),
        ("url_too_long", good | {"url": "https://shop.example.com/" + "a" * 2048}, *invalid),
        ("url_number", good | {"url": 1}, *invalid),
        ("events_missing", {"url": good["url"]}, *invalid),
        ("events_empty", good | {"enabled_events": []}, *invalid),
        ("events_unknown", good | {"enabled_events": ["payment.exploded"]}, *invalid),
        ("events_text", good | {"enabled_events": "*"}, *invalid),
        ("metadata_nested", good | {"metadata": {"a": {}}}, *invalid),
        ("secret_given", good | {"secret": "whsec_x"}, *invalid),
        ("json_broken", b"{", 400, "malformed_request"),
    ]
    as_staff = {"token": "operator"}
    key: dict[str, Any] = {"headers": {"Idempotency-Key": None}}
    return [
        *(post(path, f"webhook_{name}", *rest) for name, *rest in cases),
        post(path, "webhook_without_key", good, 400, "missing_idempotency_key", **key),
        post(path, "webhook_as_operator", good, 403, "forbidden", **as_staff),
        post(path, "webhook_without_token", good, 401, "unauthenticated", token=None),
        post(f"{one}/test", "webhook_test_with_body", {"type": "x"}, *invalid),
        post(f"{one}/roll_secret", "webhook_roll_without_key", {}, 400, "missing_idempotency_key", **key),
        post("/v1/events/e1/replay", "event_replay_odd", {"webhook_endpoint": "../x"}, *invalid),
        get("/v1/events?type=%00", "events_type_odd", *invalid),
        get("/v1/events?limit=0", "events_limit_zero", *invalid),
        get("/v1/events", "events_as_auditor", 403, "forbidden", token="auditor"),
        get(f"{one}/deliveries?status=lost", "deliveries_status_odd", *invalid),
        get(f"{path}?limit=5", "webhooks_with_a_query", *invalid),
        BadRequest(
            name="webhook_change_status",
            method="PATCH",
            path=one,
            status=422,
            code="validation_failed",
            headers={"Content-Type": "application/json"},
            body=b'{"status": "paused"}',
        ),
        BadRequest(
            name="webhook_delete_without_token",
            method="DELETE",
            path=one,
            status=401,
            code="unauthenticated",
            token=None,
        ),
        BadRequest(name="webhook_put", method="PUT", path=one, status=405, code="method_not_allowed"),
    ]


def _actions() -> list[BadRequest]:
    invalid = (422, "validation_failed")
    return [
        post(f"{PAYMENTS}/{NOWHERE}/confirm", "confirm_otp_letters", {"otp": "abcdef"}, *invalid),
        post(f"{PAYMENTS}/{NOWHERE}/confirm", "confirm_otp_short", {"otp": "123"}, *invalid),
        post(f"{PAYMENTS}/{NOWHERE}/confirm", "confirm_otp_number", {"otp": 123456}, *invalid),
        post(f"{PAYMENTS}/{NOWHERE}/confirm", "confirm_amount", {"amount": 1}, *invalid),
        post(f"{PAYMENTS}/{NOWHERE}/cancel", "cancel_with_body", {"status": "canceled"}, *invalid),
        post(f"{PAYMENTS}/{NOWHERE}/refunds", "refund_zero", {"amount": 0}, *invalid),
        post(f"{PAYMENTS}/{NOWHERE}/refunds", "refund_negative", {"amount": -5}, *invalid),
        post(f"{PAYMENTS}/{NOWHERE}/refunds", "refund_text", {"amount": "all"}, *invalid),
        post(f"{PAYMENTS}/{NOWHERE}/refunds", "refund_reason_number", {"reason": 1}, *invalid),
    ]


def _services() -> list[BadRequest]:
    unknown = (404, "payment_not_found")
    cases = [
        get(f"{PAYMENTS}/{NOWHERE}", "read_unknown_payment", *unknown),
        get(f"{PAYMENTS}/txn_001", "read_foreign_payment", *unknown, token="other"),
        get(f"{PAYMENTS}/txn_001/events", "read_foreign_events", *unknown, token="other"),
        post(f"{PAYMENTS}/{NOWHERE}/confirm", "confirm_unknown_payment", {}, *unknown),
        post(f"{PAYMENTS}/txn_001/confirm", "confirm_foreign_payment", {}, *unknown, token="other"),
        post(f"{PAYMENTS}/txn_001/cancel", "cancel_foreign_payment", {}, *unknown, token="other"),
        post(f"{PAYMENTS}/txn_001/refunds", "refund_foreign_payment", {}, *unknown, token="other"),
        get("/v1/accounts/ACC002", "read_foreign_account", 404, "account_not_found"),
        get("/v1/accounts/ACC999", "read_unknown_account", 404, "account_not_found"),
        get("/v1/accounts/ACC002/entries", "read_foreign_entries", 404, "account_not_found"),
        get(f"/v1/refunds/{NOWHERE}", "read_unknown_refund", 404, "not_found"),
        post(CONFIRM, "original_unknown_transaction", confirmation(transaction_id="txn_999"), *unknown),
        post(
            CONFIRM,
            "original_foreign_transaction",
            confirmation(customer_id="cust_002"),
            *unknown,
            token="other",
        ),
        post(
            CONFIRM, "original_other_customer", confirmation(customer_id="cust_002"), 422, "payment_mismatch"
        ),
        post(CONFIRM, "original_other_amount", confirmation(amount=1), 422, "payment_mismatch"),
        post(CONFIRM, "original_other_payer", confirmation(from_account="ACC003"), 422, "payment_mismatch"),
        post(CONFIRM, "original_other_payee", confirmation(to_account="ACC003"), 422, "payment_mismatch"),
        post(PAYMENTS, "create_foreign_account", payment(from_account="ACC003"), 404, "account_not_found"),
        post(PAYMENTS, "create_unknown_payee", payment(to_account="ACC999"), 404, "account_not_found"),
        post(PAYMENTS, "create_other_currency", payment(currency="EUR"), 422, "currency_mismatch"),
    ]
    return [BadRequest(**{**vars(case), "needs_services": True}) for case in cases]


BAD_REQUESTS: list[BadRequest] = [
    *_login(),
    *_tokens(),
    *_bodies(),
    *_original_bodies(),
    *_transport(),
    *_queries(),
    *_encrypted(),
    *_actions(),
    *_webhooks(),
    *_services(),
    *OF_ROUTES,
    *OF_SCREENING,
]
