"""How alike two names are, from 0 to 1."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

Similarity = Callable[[str, str], float]

# Below this two words have nothing to do with each other, however many letters they share.
UNLIKE = 0.7
# What a word that only one of the names has costs, as a share of that name's length ...
MISSING_WORD = 0.15
# ... and when the other name is a single word, which says little.
MISSING_WORD_OF_ONE = 0.5


@dataclass(frozen=True, slots=True)
class NameScore:
    """`score` of the whole, `weakest` of the pairs of words, number of `words` that were paired."""

    score: float
    weakest: float
    words: int


NOTHING = NameScore(0.0, 0.0, 0)


def compare(one: Sequence[str], other: Sequence[str], similarity: Similarity) -> NameScore:
    """Pair the words, best first, whatever their order; weigh each pair by its letters.

    Every word of the shorter name is paired, so two names that each have a word of their own ("John Smith",
    "Barry Smith") contradict each other, while a middle name that only one has is merely missing.
    """
    if not one or not other:
        return NOTHING
    candidates = sorted(
        ((similarity(a, b), i, j) for i, a in enumerate(one) for j, b in enumerate(other)),
        key=lambda candidate: (-candidate[0], candidate[1], candidate[2]),
    )
    count = min(len(one), len(other))
    left, right = set(range(len(one))), set(range(len(other)))
    total = weighted = 0.0
    weakest = 1.0
    for value, i, j in candidates:
        if i not in left or j not in right:
            continue
        left.discard(i)
        right.discard(j)
        value = value if value >= UNLIKE else 0.0
        weight = len(one[i]) + len(other[j])
        total += weight
        weighted += value * weight
        weakest = min(weakest, value)
        if not left or not right:
            break
    rest, whole = (left, one) if left else (right, other)
    missing = sum(len(whole[i]) for i in rest) / sum(len(word) for word in whole)
    cost = MISSING_WORD_OF_ONE if count == 1 and rest else MISSING_WORD
    return NameScore(weighted / total * (1 - cost * missing), weakest, count)
