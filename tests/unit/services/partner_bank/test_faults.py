import pytest
from hypothesis import given
from hypothesis import strategies as st

from payments.partner_bank.faults import NAMES, Fault, parse


@pytest.mark.parametrize("name", NAMES)
def test_each_fault_is_understood(name: str) -> None:
    assert parse(name) == Fault(name, 0)
    assert parse(f" {name}=2.5 ") == Fault(name, 2.5)


@pytest.mark.parametrize("text", ["", "nothing", "delay=", "delay=-1", "delay=121", "delay=nan", "a;b"])
def test_anything_else_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="must be one of"):
        parse(text)


@given(st.text())
def test_no_header_crashes(text: str) -> None:
    try:
        fault = parse(text)
    except ValueError:
        return
    assert fault.name in NAMES
    assert 0 <= fault.seconds <= 120


def test_which_faults_leave_the_book_untouched() -> None:
    assert [name for name in NAMES if Fault(name).prevents] == ["lost_request", "error_before"]
