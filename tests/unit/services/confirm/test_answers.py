"""The two shapes of answers."""

import json

import pytest

from payments.confirm import answers
from payments.confirm.answers import CONFIRM_ROUTE, ORIGINAL_ROUTE, Answer, current, illegal, otp_problem
from payments.confirm.usecases.create import bank_fee
from payments.confirm.usecases.settlement import reference

DOCUMENT = '{"id":"p1","status":"requires_action"}'


def test_v1_answers_with_the_payment() -> None:
    answer = current(CONFIRM_ROUTE, DOCUMENT, "requires_action", "p1")
    assert (answer.status, answer.body, answer.location) == (200, DOCUMENT.encode(), None)


def test_the_original_asks_for_the_password_in_its_own_words() -> None:
    answer = current(ORIGINAL_ROUTE, DOCUMENT, "requires_action", "p1")
    assert answer.status == 200
    assert json.loads(answer.body) == {
        "status": "OTP_REQUIRED",
        "message": "OTP verification required",
        "transaction_id": "p1",
    }


@pytest.mark.parametrize("route", [CONFIRM_ROUTE, ORIGINAL_ROUTE])
@pytest.mark.parametrize("status", ["processing", "requires_review"])
def test_what_is_not_decided_is_accepted_with_a_place_to_ask(route: str, status: str) -> None:
    answer = current(route, json.dumps({"id": "p1", "status": status}), status, "p1")
    assert (answer.status, answer.location) == (202, "/v1/payments/p1")
    assert answer.response().headers["location"] == "/v1/payments/p1"


def test_a_problem_is_sent_as_one() -> None:
    response = Answer(402, b"{}").response()
    assert response.headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize(
    ("route", "reason", "tries", "code", "status"),
    [
        (CONFIRM_ROUTE, "invalid", 3, "otp_invalid", 422),
        (CONFIRM_ROUTE, "invalid", 0, "otp_restart", 409),
        (CONFIRM_ROUTE, "exhausted", 0, "otp_restart", 409),
        (CONFIRM_ROUTE, "expired", 5, "otp_restart", 409),
        (CONFIRM_ROUTE, "not_found", None, "otp_restart", 409),
        (ORIGINAL_ROUTE, "invalid", 3, "invalid_otp", 400),
        (ORIGINAL_ROUTE, "expired", 5, "invalid_otp", 400),
    ],
)
def test_a_refused_password(route: str, reason: str, tries: int | None, code: str, status: int) -> None:
    problem = otp_problem(route, reason, tries)
    assert (problem.code, problem.status) == (code, status)


def test_conflicts_show_the_payment() -> None:
    done = illegal('{"id":"p1","status":"succeeded"}')
    assert (done.code, done.status) == ("already_succeeded", 409)
    assert json.loads(done.body())["payment"]["id"] == "p1"
    assert illegal('{"id":"p1","status":"failed"}').code == "illegal_state"
    assert illegal('{"id":"p1","status":"processing"}').retry_after == 1


def test_problems_name_their_path() -> None:
    assert answers.instance(CONFIRM_ROUTE, "p1") == "/v1/payments/p1/confirm"
    assert answers.instance(ORIGINAL_ROUTE, "p1") == "/payment/confirm"


def test_references_are_unique_and_sort_by_time() -> None:
    made = [reference() for _ in range(1000)]
    assert len(set(made)) == 1000 and all(len(text) == 29 and text.startswith("PAY") for text in made)
    assert made[0][:10] <= made[-1][:10]


@pytest.mark.parametrize(("currency", "fee"), [("USD", 250), ("JPY", 3), ("KWD", 2500)])
def test_the_banks_fee(currency: str, fee: int) -> None:
    assert bank_fee(currency) == fee
