"""How commands end: by what `main` gives or raises."""

import subprocess

import pytest

from hack.command import exit_with

FAILED = subprocess.CalledProcessError(3, ["kubectl", "get", "pods"], stderr="no such server\n")


@pytest.mark.parametrize("code", [0, 1])
def test_a_command_ends_as_it_says(code: int, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as end:
        exit_with(lambda: code)
    assert end.value.code == code
    assert capsys.readouterr() == ("", "")


@pytest.mark.parametrize(
    ("error", "code", "words"),
    [
        (KeyboardInterrupt(), 130, ["interrupted"]),
        (FAILED, 1, ["kubectl get pods", "ended with 3", "no such server"]),
        (RuntimeError("not as told"), 1, ["error: not as told"]),
        (TimeoutError("not Ready after 600 s"), 1, ["error: not Ready after 600 s"]),
        (FileNotFoundError(2, "No such file", "helm"), 1, ["helm"]),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, BaseException) else "",
)
def test_a_failure_is_told_without_a_traceback(
    error: BaseException, code: int, words: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    def main() -> int:
        raise error

    with pytest.raises(SystemExit) as end:
        exit_with(main)
    assert end.value.code == code
    told = capsys.readouterr()
    assert told.out == "" and all(word in told.err for word in words), told.err


def test_a_mistake_of_ours_keeps_its_traceback() -> None:
    def main() -> int:
        raise KeyError("name")

    with pytest.raises(KeyError):
        exit_with(main)
