import pytest
from hypothesis import given
from hypothesis import strategies as st

from payments.ofac.domain.names import NameType, fold, is_readable, tokens


@pytest.mark.parametrize(
    ("name", "kind", "expected"),
    [
        ("SMITH, John", "individual", "john smith"),
        ("Dr. John Smith", "individual", "john smith"),
        ("AL-RASHID, Omar", "individual", "omar alrashid"),
        ("Omar Al Rashid", "individual", "omar alrashid"),
        ("Abd al-Karim Noor", "individual", "abdalkarim noor"),
        ("O'Brien, Pat", "individual", "pat obrien"),
        ("Łukasz Żółć", "individual", "lukasz zolc"),
        ("Straße, Jörg", "individual", "jorg strasse"),
        ("J.P. Morrow", "individual", "jp morrow"),
        ("ACME TRADING CO., LTD.", "entity", "acme trading"),
        ("The Bank of Nowhere S.A.", "entity", "bank nowhere"),
        ("Co. Ltd.", "entity", "co ltd"),
        ("Al", "individual", "al"),
        ("", "individual", ""),
        ("Владимир", "individual", "vladimir"),
        ("Щербаков, Андрей", "individual", "andrey shcherbakov"),
        ("Γεώργιος Παπαδόπουλος", "individual", "georgios papadopoulos"),
        ("山田", "individual", ""),
        ("DE LA CRUZ, Ana", "individual", "ana cruz"),
        ("El Rashid", "individual", "alrashid"),
    ],
)
def test_names_come_into_one_form(name: str, kind: NameType, expected: str) -> None:
    assert " ".join(tokens(name, kind)) == expected


@pytest.mark.parametrize(
    ("name", "readable"),
    [("José Núñez", True), ("Müller-Lüdenscheid", True), ("Владимир", True), ("John Владимир", True),
     ("محمد", False),
     ("山田", False), ("", False), ("---", False), ("Dmitriо", True), ("John 山田", False)],
)  # fmt: skip
def test_names_that_cannot_be_compared_are_known(name: str, readable: bool) -> None:
    assert is_readable(name) is readable


@given(st.text(max_size=60))
def test_any_text_is_folded_once_and_for_all(name: str) -> None:
    folded = fold(name)
    assert fold(folded) == folded
    assert all(word for word in tokens(name, "individual"))
