import pytest
from hypothesis import given
from hypothesis import strategies as st
from rapidfuzz.distance import JaroWinkler

from payments.ofac.domain.scoring import NOTHING, compare

words = st.lists(st.text("abcdefgh", min_size=1, max_size=9), min_size=1, max_size=5)


def score(one: str, other: str) -> float:
    return compare(one.split(), other.split(), JaroWinkler.similarity).score


def test_order_does_not_matter() -> None:
    assert score("omar alrashid", "alrashid omar") == 1


def test_a_missing_middle_name_costs_little_and_a_contradicting_name_much() -> None:
    assert 0.85 <= score("john smith", "john michael smith") < 0.95
    assert score("john smith", "barry smith") < 0.7


def test_one_shared_word_of_a_longer_name_is_not_enough() -> None:
    assert score("smith", "john smith") < 0.85
    assert score("garcia", "maria garcia") < 0.85


def test_words_that_merely_share_letters_count_nothing() -> None:
    assert compare(["ali", "abdulrahmanov"], ["ivo", "abdulrahmanov"], JaroWinkler.similarity).weakest == 0


def test_nothing_is_like_nothing() -> None:
    assert compare([], ["a"], JaroWinkler.similarity) == NOTHING


@given(words)
def test_a_name_is_wholly_like_itself(one: list[str]) -> None:
    assert compare(one, one, JaroWinkler.similarity).score == pytest.approx(1)


@given(words, words)
def test_likeness_has_no_direction_and_stays_in_bounds(one: list[str], other: list[str]) -> None:
    there = compare(one, other, JaroWinkler.similarity)
    back = compare(other, one, JaroWinkler.similarity)
    assert 0 <= there.score <= 1
    assert there.words == back.words == min(len(one), len(other))
