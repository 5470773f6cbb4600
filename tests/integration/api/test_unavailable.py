"""503 means that something is down, and nothing else."""

import pytest

from tests.integration.api.world import HIGH, Person, Request, World, fresh_key


@pytest.fixture
def exhausted(world: World, owner: Person, other: Person) -> tuple[str, str]:
    """A payment whose one-time password has been guessed at too often, and the key of its confirmation."""
    payment, key = world.payment(owner, other, HIGH), fresh_key()
    path = f"/v1/payments/{payment}/confirm"
    assert world.done(Request("POST", path, {}, key), owner)["status"] == "requires_action"
    guesses = [world.send(Request("POST", path, {"otp": "000000"}, key), owner.token) for _ in range(7)]
    assert guesses[-1].json()["code"] == "otp_restart", guesses[-1].text
    return payment, key


def test_no_password_is_left_to_send(exhausted: tuple[str, str], world: World, owner: Person) -> None:
    payment, key = exhausted
    for suffix, under in (("confirm", key), ("confirm", fresh_key()), ("otp", fresh_key())):
        answer = world.send(Request("POST", f"/v1/payments/{payment}/{suffix}", {}, under), owner.token)
        assert (answer.status_code, answer.json()["code"]) == (409, "otp_restart"), answer.text
        assert answer.json()["retryable"] is False
    body = {"transaction_id": payment, "customer_id": owner.customer_id, "amount": HIGH // 100}
    original = world.send(Request("POST", "/payment/confirm", body, fresh_key()), owner.token)
    assert (original.status_code, original.json()["error"]) == (400, "INVALID_OTP"), original.text
    canceled = world.done(Request("POST", f"/v1/payments/{payment}/cancel", {}, fresh_key()), owner)
    assert canceled["status"] == "canceled"
