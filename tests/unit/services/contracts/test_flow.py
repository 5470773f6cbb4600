"""The list of stages stays true."""

from payments.confirm.domain import Action, Status, event_type
from payments.contracts.flow import STAGES
from payments.contracts.payment import NOTIFICATION_TYPES, PAYMENT_TYPES, REFUND_TYPES
from payments.run import MODULES


def test_every_stage_names_a_service_and_happens_once() -> None:
    assert {stage.service for stage in STAGES} == set(MODULES)
    assert len({stage.name for stage in STAGES}) == len(STAGES)


def test_the_payments_own_events_are_declared() -> None:
    told = {name for stage in STAGES for name in stage.events if name.startswith("payment.")}
    assert told <= set(PAYMENT_TYPES)
    assert {event_type(action) for action in Action} <= set(PAYMENT_TYPES)
    assert {f"payment.{status}" for status in Status} <= set(PAYMENT_TYPES)
    assert set(NOTIFICATION_TYPES) <= {*PAYMENT_TYPES, *REFUND_TYPES}
