import pytest
from hypothesis import given
from hypothesis import strategies as st

from payments.ofac.domain.names import fold
from payments.ofac.domain.sounds import sounds
from payments.ofac.vocabulary import Vocabulary


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("shchukin", "schtschukin"),
        ("kharitonov", "charitonow"),
        ("dmitriy", "dmitrij"),
        ("yusuf", "joussouf"),
        ("kareem", "karim"),
        ("qasim", "kassim"),
        ("zhukov", "joukov"),
        ("mehmed", "mehmet"),
        ("ramadhan", "ramazan"),
        ("othman", "osman"),
        ("makarios", "macarios"),
    ],
)
def test_romanizations_of_one_name_sound_the_same(one: str, other: str) -> None:
    assert set(sounds(one)) & set(sounds(other))


@pytest.mark.parametrize(("one", "other"), [("hassan", "hussein"), ("maria", "marta"), ("ivan", "igor")])
def test_names_that_differ_sound_different(one: str, other: str) -> None:
    assert not set(sounds(one)) & set(sounds(other))


@given(st.text(max_size=30))
def test_any_word_has_a_sound(text: str) -> None:
    for word in fold(text).split():
        assert sounds(word)
        assert Vocabulary([word]).like(word) == {word: 1.0}


def test_short_words_must_be_equal_and_long_ones_may_slip() -> None:
    vocabulary = Vocabulary(["lee", "ivan", "volkarenko"])
    assert "lee" not in vocabulary.like("lea")
    assert "ivan" in vocabulary.like("iwan")
    assert "volkarenko" in vocabulary.like("volakrenkko")
    assert "volkarenko" not in vocabulary.like("valkoranka")


def test_several_slips_count_for_more_than_one() -> None:
    like = Vocabulary(["volkarenko"]).like
    assert like("volkarenka")["volkarenko"] > 0.95
    assert like("volkarinka")["volkarenko"] < 0.93
