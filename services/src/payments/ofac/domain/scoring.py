"""How alike two names are, from 0 to 1."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

# What words that only one of the names has cost, as a share of that name: the middle name of a person, a word
# of trade; a word that tells companies apart; and when there is only one pair of words, which says little.
MISSING = 0.15
MISSING_OWN = 0.35
MISSING_OF_ONE = 0.5
INITIAL = 0.9

Weigh = Callable[[str], float]


@dataclass(frozen=True, slots=True)
class Pair:
    """Words of one name that are like words of the other: sets of positions as bits, likeness from 0 to 1."""

    likeness: float
    one: int
    other: int


@dataclass(frozen=True, slots=True)
class NameScore:
    """`score` of the whole, `weakest` of the pairs of words, number of `words` that were paired.

    `missing` is the share of the longer name that the shorter does not have.
    """

    score: float
    weakest: float
    words: int
    missing: float = 0.0


NOTHING = NameScore(0.0, 0.0, 0)


def score(
    one: Sequence[str], other: Sequence[str], pairs: Sequence[Pair], weigh: Weigh, missing: float = MISSING
) -> NameScore:
    """Take the pairs, best first, whatever the words' order; weigh each by its words.

    Two names that each have a word of their own ("John Smith", "Barry Smith") contradict each other, while a
    middle name that only one has is merely missing.

    Args:
        weigh: of a word.
        missing: what words cost that only one of the names has.
    """
    left, right = (1 << len(one)) - 1, (1 << len(other)) - 1
    total = weighted = 0.0
    weakest, count = 1.0, 0
    for pair in sorted(pairs, key=lambda pair: (-pair.likeness, pair.one, pair.other)):
        if pair.one & ~left or pair.other & ~right:
            continue
        left &= ~pair.one
        right &= ~pair.other
        weight = _weight(one, pair.one, weigh) + _weight(other, pair.other, weigh)
        total += weight
        weighted += pair.likeness * weight
        weakest = min(weakest, pair.likeness)
        count += 1
    if not count:
        return NOTHING
    if count > 1 and left and right:
        left, right, initials = _initials(one, other, left, right)
        if initials:
            weakest = min(weakest, INITIAL)
    left_weight, right_weight = _weight(one, left, weigh), _weight(other, right, weigh)
    if left and right:
        # As many letters of the longer rest as the shorter has contradict it; what is beyond is missing.
        total += 2 * min(left_weight, right_weight)
        weakest = 0.0
    lost = abs(left_weight - right_weight)
    whole, rest = (one, left) if left_weight > right_weight else (other, right)
    share = lost / sum(map(weigh, whole)) if rest else 0.0
    cost = MISSING_OF_ONE if count == 1 else missing
    return NameScore(weighted / total * (1 - cost * share), weakest, count, share)


def _initials(one: Sequence[str], other: Sequence[str], left: int, right: int) -> tuple[int, int, bool]:
    """Strike out initials together with the words they may stand for."""
    found = False
    for i, a in enumerate(one):
        for j, b in enumerate(other):
            free = left >> i & 1 and right >> j & 1
            if free and a[0] == b[0] and 1 in (len(a), len(b)):
                left, right, found = left & ~(1 << i), right & ~(1 << j), True
    return left, right, found


def _weight(words: Sequence[str], chosen: int, weigh: Weigh) -> float:
    return sum(weigh(word) for n, word in enumerate(words) if chosen >> n & 1)
