"""The table of states: what is in it works, everything else is refused."""

from dataclasses import replace

import pytest

from payments.confirm import domain
from payments.confirm.domain import TERMINAL, TRANSITIONS, Action, IllegalTransition, Payment, Stage, Status

# Written out, so that a change of the table is a change here.
LEGAL = {
    ("requires_confirmation", "confirm"): "processing",
    ("requires_action", "confirm"): "processing",
    ("requires_confirmation", "cancel"): "canceled",
    ("requires_action", "cancel"): "canceled",
    ("requires_review", "cancel"): "canceled",
    ("requires_confirmation", "expire"): "canceled",
    ("requires_action", "expire"): "canceled",
    ("requires_review", "approve"): "processing",
    ("requires_review", "reject"): "failed",
    ("processing", "ask_otp"): "requires_action",
    ("processing", "ask_review"): "requires_review",
    ("processing", "release"): "requires_confirmation",
    ("processing", "succeed"): "succeeded",
    ("processing", "fail"): "failed",
    ("requires_action", "resend_otp"): "requires_action",
    ("succeeded", "refund"): "succeeded",
}
EVERY = [(status, action) for status in Status for action in Action]

PAYMENT = Payment(
    "p", Status.PROCESSING, customer_id="c", from_account="A", to_account="B", amount=1, fee=0, currency="USD"
)


@pytest.mark.parametrize(("status", "action"), EVERY)
def test_each_pair_is_legal_exactly_when_listed(status: Status, action: Action) -> None:
    wanted = LEGAL.get((status, action))
    if wanted is None:
        with pytest.raises(IllegalTransition):
            domain.after(status, action)
        assert status not in domain.sources(action)
    else:
        assert domain.after(status, action) == wanted == domain.target(action)
        assert status in domain.sources(action)


def test_nothing_leaves_a_terminal_state() -> None:
    assert {"succeeded", "failed", "canceled"} == TERMINAL
    assert not [
        action
        for action, (sources, target) in TRANSITIONS.items()
        if TERMINAL & set(sources) and {target} != set(sources)
    ]


def test_every_state_but_the_first_is_reached() -> None:
    assert {target for _, target in TRANSITIONS.values()} == set(Status)


@pytest.mark.parametrize(
    ("otp_required", "stage", "action"),
    [
        (False, Stage.NEW, Action.RELEASE),
        (True, Stage.NEW, Action.ASK_OTP),
        (True, Stage.AUTHORIZED, Action.RELEASE),
    ],
)
def test_an_attempt_without_effect_keeps_a_demanded_password(
    otp_required: bool, stage: Stage, action: Action
) -> None:
    assert replace(PAYMENT, otp_required=otp_required, stage=stage).release is action


def test_the_event_of_an_action_names_the_new_state() -> None:
    assert domain.event_type(Action.EXPIRE) == "payment.canceled"
