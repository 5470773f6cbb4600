"""Bad requests to sanctions screening and customers' verification."""

from typing import Any

from tests.support.bad_request import NOWHERE, BadRequest, get, post

RULES, DECISIONS = "/v1/screening/rules", "/v1/screening/decisions"
RESCREENINGS, CUSTOMERS = "/v1/screening/rescreenings", "/v1/kyc/customers"
_INVALID, _FORBIDDEN, _UNKNOWN = (422, "validation_failed"), (403, "forbidden"), (404, "not_found")
_SIGNED_OUT, _NO_KEY = (401, "unauthenticated"), (400, "missing_idempotency_key")
_RULE = {"action": "block", "customer_id": "cust-bad", "reason": "a bad request"}
_VERDICT = {"decision": "approve", "reason": "a bad request"}
_WITHOUT_KEY = {"Idempotency-Key": None}


def _rules() -> list[BadRequest]:
    named = {"action": "block", "reason": "a bad request"}
    allow = _RULE | {"action": "allow"}
    bodies: list[tuple[str, Any, int, str]] = [
        ("empty", {}, *_INVALID),
        ("no_body", b"", *_INVALID),
        ("broken", b'{"action": ', 400, "malformed_request"),
        ("action_unknown", _RULE | {"action": "ignore"}, *_INVALID),
        ("reason_missing", {"action": "block", "customer_id": "cust-bad"}, *_INVALID),
        ("reason_empty", _RULE | {"reason": ""}, *_INVALID),
        ("reason_long", _RULE | {"reason": "x" * 501}, *_INVALID),
        ("reason_control_character", _RULE | {"reason": "a\nb"}, *_INVALID),
        ("about_nobody", named, *_INVALID),
        ("about_two", _RULE | {"name": "Testina Muster"}, *_INVALID),
        ("customer_path", named | {"customer_id": "../x"}, *_INVALID),
        ("name_long", named | {"name": "x" * 501}, *_INVALID),
        ("allow_of_nothing", allow, *_INVALID),
        ("entry_zero", allow | {"entries": [0]}, *_INVALID),
        ("entry_text", allow | {"entries": ["1"]}, *_INVALID),
        ("entries_many", allow | {"entries": list(range(1, 102))}, *_INVALID),
        ("block_of_entries", _RULE | {"entries": [1]}, *_INVALID),
        ("expiry_without_zone", _RULE | {"expires_at": "2099-01-01T00:00:00"}, *_INVALID),
        ("unknown_member", _RULE | {"made_by": "somebody"}, *_INVALID),
    ]
    one, token = f"{RULES}/{NOWHERE}", "operator"
    return [
        *(post(RULES, f"rule_{name}", *rest, token=token) for name, *rest in bodies),
        post(RULES, "rule_key_missing", _RULE, *_NO_KEY, headers=_WITHOUT_KEY, token=token),
        post(RULES, "rule_as_customer", _RULE, *_FORBIDDEN),
        post(RULES, "rule_as_auditor", _RULE, *_FORBIDDEN, token="auditor"),
        post(RULES, "rule_signed_out", _RULE, *_SIGNED_OUT, token=None),
        get(RULES, "rules_as_customer", *_FORBIDDEN),
        get(f"{RULES}?in_force=perhaps", "rules_in_force", *_INVALID, token="auditor"),
        get(f"{RULES}?limit=0", "rules_limit", *_INVALID, token=token),
        get(one, "rule_as_customer_read", *_FORBIDDEN),
        get(f"{one}?x=1", "rule_parameter", *_INVALID, token=token),
        _end(one, "end_rule_as_auditor", *_FORBIDDEN, token="auditor"),
        _end(f"{one}?reason={'x' * 501}", "end_rule_reason_long", *_INVALID),
        _end(f"{one}?why=x", "end_rule_parameter", *_INVALID),
        _end(f"{RULES}/.hidden", "end_rule_odd_id", *_UNKNOWN),
    ]


def _end(path: str, name: str, status: int, code: str, token: str = "operator", **more: Any) -> BadRequest:
    return BadRequest(name=name, method="DELETE", path=path, status=status, code=code, token=token, **more)


def _records() -> list[BadRequest]:
    newest = f"{RESCREENINGS}/1"
    paths = [DECISIONS, f"{DECISIONS}/{NOWHERE}", RESCREENINGS, newest, f"{newest}/customers"]
    paths.append("/v1/screening/list")
    queries = [
        f"{DECISIONS}?decision=perhaps",
        f"{DECISIONS}?customer_id=..%2Fx",
        f"{DECISIONS}?limit=101",
        f"{DECISIONS}/{NOWHERE}?x=1",
        f"{RESCREENINGS}?starting_after=abc",
        f"{RESCREENINGS}?limit=0",
        f"{newest}?x=1",
        f"{newest}/customers?limit=0",
        "/v1/screening/list?x=1",
    ]
    return [
        *(get(path, f"as_customer_{path}", *_FORBIDDEN) for path in paths),
        *(get(path, f"signed_out_{path}", *_SIGNED_OUT, token=None) for path in paths),
        *(get(query, f"query_{query}", *_INVALID, token="auditor") for query in queries),
    ]


def _customers() -> list[BadRequest]:
    one, token = f"{CUSTOMERS}/cust_001", "operator"
    decisions = f"{one}/decisions"
    bodies: list[tuple[str, Any, int, str]] = [
        ("empty", {}, *_INVALID),
        ("broken", b'{"decision": ', 400, "malformed_request"),
        ("unknown", _VERDICT | {"decision": "expire"}, *_INVALID),
        ("reason_missing", {"decision": "reject"}, *_INVALID),
        ("reason_empty", _VERDICT | {"reason": ""}, *_INVALID),
        ("level_unknown", _VERDICT | {"level": "gold"}, *_INVALID),
        ("day_unknown", _VERDICT | {"documents_expire_on": "2026-02-30"}, *_INVALID),
        ("day_number", _VERDICT | {"documents_expire_on": 20260101}, *_INVALID),
        ("unknown_member", _VERDICT | {"status": "verified"}, *_INVALID),
    ]
    return [
        *(post(decisions, f"decide_{name}", *rest, token=token) for name, *rest in bodies),
        post(decisions, "decide_key_missing", _VERDICT, *_NO_KEY, headers=_WITHOUT_KEY, token=token),
        post(decisions, "decide_as_customer", _VERDICT, *_FORBIDDEN),
        post(decisions, "decide_as_auditor", _VERDICT, *_FORBIDDEN, token="auditor"),
        post(decisions, "decide_signed_out", _VERDICT, *_SIGNED_OUT, token=None),
        get(CUSTOMERS, "customers_as_customer", *_FORBIDDEN),
        get(f"{CUSTOMERS}?status=gone", "customers_status", *_INVALID, token=token),
        get(f"{CUSTOMERS}?limit=0", "customers_limit", *_INVALID, token="auditor"),
        get(one, "customer_as_customer", *_FORBIDDEN),
        get(f"{one}?x=1", "customer_parameter", *_INVALID, token=token),
        get(f"{CUSTOMERS}/.hidden", "customer_odd_id", *_UNKNOWN, token=token),
        get(decisions, "decisions_as_customer", *_FORBIDDEN),
        get(f"{decisions}?limit=0", "decisions_limit_of_customer", *_INVALID, token="auditor"),
    ]


def _services() -> list[BadRequest]:
    nobody, token = f"{CUSTOMERS}/nobody-here", "operator"
    unlisted = _RULE | {"action": "allow", "entries": [2**53]}
    past = "2026-01-01"
    cases = [
        post(RULES, "rule_reason_blank", _RULE | {"reason": "  "}, *_INVALID, token=token),
        post(RULES, "rule_name_without_letters", _named("..."), *_INVALID, token=token),
        post(RULES, "rule_unlisted_entry", unlisted, *_INVALID, token=token),
        post(RULES, "rule_in_the_past", _RULE | {"expires_at": f"{past}T00:00:00Z"}, *_INVALID, token=token),
        get(f"{RULES}/{NOWHERE}", "read_unknown_rule", *_UNKNOWN, token=token),
        _end(f"{RULES}/{NOWHERE}", "end_unknown_rule", *_UNKNOWN),
        get(f"{DECISIONS}/{NOWHERE}", "read_unknown_decision", *_UNKNOWN, token="auditor"),
        get(f"{RESCREENINGS}/999999", "read_unknown_rescreening", *_UNKNOWN, token="auditor"),
        get(f"{RESCREENINGS}/latest", "read_odd_rescreening", *_UNKNOWN, token="auditor"),
        get(f"{RESCREENINGS}/999999/customers", "customers_of_unknown_list", *_UNKNOWN, token="auditor"),
        get(nobody, "read_unknown_customer", *_UNKNOWN, token=token),
        get(f"{nobody}/decisions", "decisions_of_unknown_customer", *_UNKNOWN, token=token),
        post(f"{nobody}/decisions", "decide_unknown_customer", _VERDICT, *_UNKNOWN, token=token),
        post(
            f"{CUSTOMERS}/cust_001/decisions",
            "decide_with_day_in_the_past",
            _VERDICT | {"documents_expire_on": past},
            *_INVALID,
            token=token,
        ),
        post(
            f"{CUSTOMERS}/cust_001/decisions",
            "reject_with_day",
            {"decision": "reject", "reason": "a bad request", "documents_expire_on": "2099-01-01"},
            *_INVALID,
            token=token,
        ),
    ]
    return [BadRequest(**{**vars(case), "needs_services": True}) for case in cases]


def _named(name: str) -> dict[str, str]:
    return {"action": "block", "name": name, "reason": "a bad request"}


OF_SCREENING = [*_rules(), *_records(), *_customers(), *_services()]
