from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rapidfuzz.distance import JaroWinkler

from payments.ofac.domain.scoring import NOTHING, NameScore, Pair, score

words = st.lists(st.text("abcdefgh", min_size=1, max_size=9), min_size=1, max_size=5)


def pairs(one: Sequence[str], other: Sequence[str]) -> list[Pair]:
    """Every two words that are alike, by the plainest of measures."""
    likeness = {(i, j): JaroWinkler.similarity(a, b) for i, a in enumerate(one) for j, b in enumerate(other)}
    return [Pair(value, 1 << i, 1 << j) for (i, j), value in likeness.items() if value >= 0.85]


def compare(one: Sequence[str], other: Sequence[str]) -> NameScore:
    return score(one, other, pairs(one, other), len)


def of(one: str, other: str) -> float:
    return compare(one.split(), other.split()).score


def test_order_does_not_matter() -> None:
    assert of("omar alrashid", "alrashid omar") == 1


def test_a_missing_middle_name_costs_little_and_a_contradicting_name_much() -> None:
    assert 0.85 <= of("john smith", "john michael smith") < 0.95
    assert of("john smith", "barry smith") < 0.7


def test_an_initial_stands_for_a_middle_name_only() -> None:
    assert of("john m smith", "john michael smith") >= 0.85
    assert of("john x smith", "john michael smith") < of("john m smith", "john michael smith")
    assert of("j smith", "john smith") < 0.85


def test_one_shared_word_of_a_longer_name_is_not_enough() -> None:
    assert of("smith", "john smith") < 0.85
    assert of("garcia", "maria garcia") < 0.85


def test_joined_words_are_one_pair() -> None:
    joined = [Pair(1.0, 0b01, 0b011), Pair(1.0, 0b10, 0b100)]
    found = score(["weihao", "lin"], ["wei", "hao", "lin"], joined, len)
    assert (found.score, found.words, found.missing) == (1.0, 2, 0.0)


def test_words_that_weigh_little_tell_little() -> None:
    def weigh(word: str) -> float:
        return 1.0 if word == "trading" else len(word)

    one, other = ["trading", "nordlys"], ["trading", "aurora"]
    assert score(one, other, pairs(one, other), weigh).score < score(one, other, pairs(one, other), len).score


def test_nothing_is_like_nothing() -> None:
    assert score([], ["a"], [], len) == NOTHING


@given(words)
def test_a_name_is_wholly_like_itself(one: list[str]) -> None:
    assert compare(one, one).score == pytest.approx(1)


@given(words, words)
def test_likeness_stays_in_bounds(one: list[str], other: list[str]) -> None:
    found = compare(one, other)
    assert 0 <= found.score <= 1
    assert 0 <= found.missing <= 1
    assert found.words <= min(len(one), len(other))
