import json

from payments.common.errors import KINDS, Problem, unavailable


def test_a_problem_has_the_members_of_rfc_9457_and_ours() -> None:
    errors = [{"field": "amount", "message": "must be positive"}]
    problem = Problem("validation_failed", "Amounts are positive", errors=errors)
    body = json.loads(problem.body("/v1/payments"))
    assert body == {
        "type": "urn:paymentplatform:problem:validation_failed",
        "title": "The request is not valid",
        "status": 422,
        "detail": "Amounts are positive",
        "instance": "/v1/payments",
        "code": "validation_failed",
        "error": "VALIDATION_FAILED",
        "errors": errors,
        "retryable": False,
        "request_id": "",
    }


def test_headers_say_when_to_try_again_and_how_to_log_in() -> None:
    assert unavailable("Redis").response().headers["retry-after"] == "1"
    assert Problem("rate_limited", retry_after=30).response().headers["retry-after"] == "30"
    assert Problem("unauthenticated").response().headers["www-authenticate"] == "Bearer"
    assert Problem("invalid_otp").response().media_type == "application/problem+json"


def test_every_kind_is_a_client_or_server_error_and_only_the_bug_is_500() -> None:
    assert all(400 <= kind.status < 600 for kind in KINDS.values())
    assert [code for code, kind in KINDS.items() if kind.status == 500] == ["internal_error"]
