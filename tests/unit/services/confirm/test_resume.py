"""Going on with a payment between two of our accounts after its attempt was lost."""

from dataclasses import dataclass, field, replace
from typing import Any, cast

import pytest

from payments.confirm.answers import Answer
from payments.confirm.domain import Payment, Stage, Status
from payments.confirm.money_peers import Accounts, Bank, Unknown
from payments.confirm.store import Store
from payments.confirm.usecases.execute import CHECKS_FOR_ASSESSMENT, Execute
from payments.confirm.usecases.settlement import Attempt, Settlement

PAYMENT = Payment(
    "p", Status.PROCESSING, customer_id="c", from_account="A", to_account="B", amount=1, fee=0, currency="USD"
)
ASSESSMENT = {"decision": "allow", "after_posting": True}


@dataclass
class World:
    """Peers whose answers are set by hand, and what became of the payment."""

    posted: bool = True
    silent: bool = False
    assessment: dict[str, Any] | None = None
    asked: int = 0
    ended: list[dict[str, Any]] = field(default_factory=list)
    left: int = 0

    async def transferred(self, _: str) -> bool:
        if self.silent:
            raise Unknown("account-service")
        return self.posted

    async def succeed(self, _: Attempt, changes: dict[str, Any]) -> Answer:
        self.ended.append(changes)
        return Answer(200, b"")

    async def leave_to_janitor(self, _: Attempt) -> Answer:
        self.left += 1
        return Answer(202, b"")

    async def assess(self, _: Attempt) -> dict[str, Any] | None:
        self.asked += 1
        return self.assessment

    async def resume(self, **changes: Any) -> Answer | None:
        execute = Execute(cast(Store, self), cast(Settlement, self), cast(Accounts, self), cast(Bank, self))
        attempt = Attempt(replace(PAYMENT, **changes), "route", float("inf"))
        return await execute.resume_on_us(attempt, self.assess)


async def test_what_was_not_posted_is_tried_again() -> None:
    world = World(posted=False)
    assert await world.resume() is None
    assert (world.ended, world.left, world.asked) == ([], 0, 0)


async def test_what_nobody_knows_waits() -> None:
    world = World(silent=True)
    assert await world.resume() is not None
    assert (world.ended, world.left, world.asked) == ([], 1, 0)


async def test_a_stored_assessment_is_not_made_again() -> None:
    world = World()
    await world.resume(stage=Stage.AUTHORIZED)
    assert (world.ended, world.asked) == ([{}], 0)


async def test_a_lost_assessment_is_made_again() -> None:
    world = World(assessment=ASSESSMENT)
    await world.resume()
    assert world.ended == [{"assessment": ASSESSMENT}]


@pytest.mark.parametrize("checks", range(CHECKS_FOR_ASSESSMENT + 2))
async def test_money_that_has_moved_does_not_wait_for_ever_for_an_assessment(checks: int) -> None:
    world = World()
    await world.resume(checks=checks)
    patient = checks <= CHECKS_FOR_ASSESSMENT
    assert (world.left, world.ended) == ((1, []) if patient else (0, [{}]))
