"""The report on the operator keeps what was not measured again."""

from hack.bench.operator_report import Kept, merged, report, scale
from hack.controlplane.behaviours import BEHAVIOURS

FIRST = BEHAVIOURS[0].tests[0].rpartition("::")[2]


def row(figures: Kept, commit: str) -> str:
    lines = report(figures, commit, failed=False).splitlines()
    return next(line for line in lines if line.startswith("| 1 |"))


def test_a_new_figure_replaces_the_old_one_and_others_stay() -> None:
    kept: Kept = {"a": {"commit": "old", "told": ["1 s"]}, "b": {"commit": "old", "told": ["2 s"]}}
    found = merged(kept, {"b": ["3 s"], "c": ["4 s"]}, "new")
    assert found == {
        "a": {"commit": "old", "told": ["1 s"]},
        "b": {"commit": "new", "told": ["3 s"]},
        "c": {"commit": "new", "told": ["4 s"]},
    }


def test_a_figure_that_says_the_same_keeps_its_commit() -> None:
    kept: Kept = {"a": {"commit": "old", "told": ["1 s"]}}
    assert merged(kept, {"a": ["1 s"]}, "new") == kept


def test_an_earlier_figure_names_its_commit() -> None:
    figures: Kept = {FIRST: {"commit": "old", "told": ["9 s", "7 s"]}}
    assert row(figures, "new").endswith("| 9 s; 7 s (old) |")
    assert row(figures, "old").endswith("| 9 s; 7 s |")
    assert row({}, "new").endswith("|  |")


def test_without_a_new_measurement_there_are_no_lines_of_scale() -> None:
    assert scale([]) == []
