"""Bad requests to users, webhooks, statements and one-time passwords."""

from typing import Any

from tests.support.bad_request import NOWHERE, BadRequest, get, post

USERS, HOOKS = "/v1/users", "/v1/webhook_endpoints"
_INVALID, _FORBIDDEN = (422, "validation_failed"), (403, "forbidden")
_SIGNED_OUT, _NO_KEY = (401, "unauthenticated"), (400, "missing_idempotency_key")
_GOOD_USER = {"username": "bad-request", "role": "customer", "customer_id": "cust-bad"}


def _users() -> list[BadRequest]:
    bodies: list[tuple[str, Any, int, str]] = [
        ("empty", {}, *_INVALID),
        ("no_body", b"", *_INVALID),
        ("broken", b'{"username": ', 400, "malformed_request"),
        ("name_upper_case", _GOOD_USER | {"username": "Bad"}, *_INVALID),
        ("name_short", _GOOD_USER | {"username": "ab"}, *_INVALID),
        ("name_line_break", _GOOD_USER | {"username": "abcd\n"}, *_INVALID),
        ("role_unknown", _GOOD_USER | {"role": "root"}, *_INVALID),
        ("customer_missing", {"username": "bad-request", "role": "customer"}, *_INVALID),
        ("customer_of_staff", _GOOD_USER | {"role": "operator"}, *_INVALID),
        ("customer_path", _GOOD_USER | {"customer_id": "../x"}, *_INVALID),
        ("password_short", _GOOD_USER | {"password": "short"}, *_INVALID),
        ("password_long", _GOOD_USER | {"password": "a1" * 129}, *_INVALID),
        ("password_common", _GOOD_USER | {"password": "password123!"}, *_INVALID),
        ("password_of_the_name", _GOOD_USER | {"password": "xx-bad-request-xx"}, *_INVALID),
        ("unknown_member", _GOOD_USER | {"admin": True}, *_INVALID),
        ("name_taken", _GOOD_USER | {"username": "demo"}, 409, "username_taken"),
    ]
    one, password = f"{USERS}/user_demo4", f"{USERS}/user_demo4/password"
    nobody = (404, "user_not_found")
    changes: list[tuple[str, str, str, Any, int, str]] = [
        ("PATCH", one, "status_unknown", {"status": "gone"}, *_INVALID),
        ("PATCH", one, "role_without_customer", {"role": "customer"}, *_INVALID),
        ("PATCH", one, "customer_without_role", {"customer_id": "cust-bad"}, *_INVALID),
        ("PATCH", one, "list", [], *_INVALID),
        ("PATCH", f"{USERS}/nobody", "nobody", {"status": "active"}, *nobody),
        ("PATCH", f"{USERS}/%ff", "odd_id", {"status": "active"}, *nobody),
        ("PATCH", f"{USERS}/user_operator", "oneself", {"status": "disabled"}, 409, "illegal_state"),
        ("POST", password, "password_short", {"password": "short"}, *_INVALID),
        ("POST", password, "password_number", {"password": 123456789012}, *_INVALID),
        ("POST", f"{USERS}/nobody/password", "nobody", {}, *nobody),
    ]
    own: list[tuple[str, Any, str | None, int, str]] = [
        ("signed_out", {"current_password": "x", "new_password": "Brackwasser-77"}, None, *_SIGNED_OUT),
        ("new_missing", {"current_password": "x"}, "customer", *_INVALID),
        ("current_missing", {"new_password": "Brackwasser-77"}, "customer", *_INVALID),
        ("number", {"current_password": 1, "new_password": "Brackwasser-77"}, "customer", *_INVALID),
    ]
    return [
        *(post(USERS, f"user_{name}", *rest, token="operator") for name, *rest in bodies),
        *(
            post(path, f"{method}_user_{name}", *rest, method=method, token="operator")
            for method, path, name, *rest in changes
        ),
        *(
            post("/auth/password", f"password_{name}", body, status, code, token=token)
            for name, body, token, status, code in own
        ),
        post(
            f"{USERS}/%00",
            "PATCH_user_null_byte",
            {"status": "active"},
            *nobody,
            method="PATCH",
            token="operator",
            not_for_proxies=True,
        ),
        post(USERS, "user_as_customer", _GOOD_USER, *_FORBIDDEN),
        post(USERS, "user_as_auditor", _GOOD_USER, *_FORBIDDEN, token="auditor"),
        post(USERS, "user_signed_out", _GOOD_USER, *_SIGNED_OUT, token=None),
        post(one, "change_as_auditor", {"status": "active"}, *_FORBIDDEN, method="PATCH", token="auditor"),
        post(password, "password_as_customer", {}, *_FORBIDDEN),
        get(USERS, "users_as_customer", *_FORBIDDEN),
        get(f"{USERS}?limit=0", "users_limit", *_INVALID, token="operator"),
        get(f"{USERS}?name=x", "users_unknown_parameter", *_INVALID, token="auditor"),
        get(one, "user_as_customer_read", *_FORBIDDEN),
        get(f"{USERS}/nobody", "user_nobody_read", *nobody, token="auditor"),
        get(f"{one}?x=1", "user_parameter", *_INVALID, token="operator"),
    ]


def _webhooks() -> list[BadRequest]:
    one, event = f"{HOOKS}/{NOWHERE}", f"/v1/events/{NOWHERE}"
    return [
        post(one, "webhook_status", {"status": "lost"}, *_INVALID, method="PATCH"),
        post(one, "webhook_member", {"secret": "x"}, *_INVALID, method="PATCH"),
        post(f"{one}/roll_secret", "roll_with_body", {"secret": "x"}, *_INVALID),
        post(f"{one}/roll_secret", "roll_key_missing", {}, *_NO_KEY, headers={"Idempotency-Key": None}),
        post(f"{one}/test", "test_with_body", {"type": "payment.succeeded"}, *_INVALID),
        post(f"{event}/replay", "replay_endpoint_number", {"webhook_endpoint": 1}, *_INVALID),
        post(f"{event}/replay", "replay_key_missing", {}, *_NO_KEY, headers={"Idempotency-Key": None}),
        BadRequest(
            name="delete_as_auditor", method="DELETE", path=one, status=403, code="forbidden", token="auditor"
        ),
        get(f"{HOOKS}?limit=1", "webhooks_parameter", *_INVALID),
        get(HOOKS, "webhooks_as_auditor", *_FORBIDDEN, token="auditor"),
        get(f"{one}?x=1", "webhook_parameter", *_INVALID),
        get(f"{one}/deliveries?status=lost", "deliveries_status", *_INVALID),
        get(f"{one}/deliveries?limit=0", "deliveries_limit", *_INVALID),
        get("/v1/events?limit=101", "events_limit", *_INVALID),
        get(f"{event}?x=1", "event_parameter", *_INVALID),
    ]


def _others() -> list[BadRequest]:
    statements, otp = "/v1/accounts/ACC001/statements", f"/v1/payments/{NOWHERE}/otp"
    queries = [
        "from=yesterday",
        "to=2026-02-30",
        "limit=0",
        "limit=1001",
        "format=xml",
        "starting_after=x",
        "from=",
        "x=1",
    ]
    return [
        *(get(f"{statements}?{query}", f"statement_{query}", *_INVALID) for query in queries),
        get(statements, "statement_signed_out", *_SIGNED_OUT, token=None),
        post(otp, "otp_with_body", {"channel": "sms"}, *_INVALID),
        post(otp, "otp_key_missing", {}, *_NO_KEY, headers={"Idempotency-Key": None}),
        get("/v1/audit/events?type=A%20B", "audit_type", *_INVALID, token="auditor"),
        get("/v1/audit/events?limit=0", "audit_limit", *_INVALID, token="auditor"),
    ]


def _services() -> list[BadRequest]:
    one, event, unknown = f"{HOOKS}/{NOWHERE}", f"/v1/events/{NOWHERE}", (404, "not_found")
    no_account = (404, "account_not_found")
    cases = [
        get(one, "read_unknown_webhook", *unknown),
        post(one, "change_unknown_webhook", {"description": "x"}, *unknown, method="PATCH"),
        BadRequest(name="delete_unknown_webhook", method="DELETE", path=one, status=404, code="not_found"),
        post(f"{one}/roll_secret", "roll_unknown_webhook", {}, *unknown),
        post(f"{one}/test", "test_unknown_webhook", {}, *unknown),
        get(f"{one}/deliveries", "deliveries_of_unknown_webhook", *unknown),
        get(event, "read_unknown_event", *unknown),
        get("/v1/events?type=payment.exploded", "events_of_unknown_type", *_INVALID),
        post(f"{event}/replay", "replay_unknown_event", {}, *unknown),
        get("/v1/accounts/ACC999/statements", "statement_of_unknown_account", *no_account),
        get("/v1/accounts/ACC002/statements", "statement_of_foreign_account", *no_account),
        post(f"/v1/payments/{NOWHERE}/otp", "otp_for_unknown_payment", {}, 404, "payment_not_found"),
        post(
            f"/v1/reviews/{NOWHERE}/approve",
            "approve_unknown",
            {},
            404,
            "payment_not_found",
            token="operator",
        ),
    ]
    return [BadRequest(**{**vars(case), "needs_services": True}) for case in cases]


OF_ROUTES = [*_users(), *_webhooks(), *_others(), *_services()]
