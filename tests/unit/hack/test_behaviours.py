"""The table of the operator's behaviours names tests that exist."""

from pathlib import Path

import pytest

from hack.controlplane.behaviours import BEHAVIOURS, Behaviour

REPOSITORY = Path(__file__).parents[3]


def test_all_twenty_two_are_there() -> None:
    assert [item.number for item in BEHAVIOURS if item.number.isdigit()] == [str(n) for n in range(1, 23)]


@pytest.mark.parametrize("item", BEHAVIOURS, ids=lambda item: item.text)
def test_each_is_held_by_a_test(item: Behaviour) -> None:
    assert item.tests
    for name in item.tests:
        file, _, function = name.partition("::")
        assert f"def {function}(" in (REPOSITORY / file).read_text()
