"""`make chaos` runs each experiment that there is."""

from hack.chaos import EXPERIMENTS, PLATFORM, TESTS


def test_each_file_is_an_experiment() -> None:
    assert {f"test_{name}.py" for name in EXPERIMENTS} == {file.name for file in TESTS.glob("test_*.py")}


def test_its_platform_is_a_kustomization() -> None:
    assert (PLATFORM / "kustomization.yaml").is_file()
