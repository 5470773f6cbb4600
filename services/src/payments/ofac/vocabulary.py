"""All words of a list, and which of them a word is like: by its letters, or by its sound."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from functools import lru_cache

from rapidfuzz import process
from rapidfuzz.distance import OSA, JaroWinkler

from payments.ofac.domain.sounds import sounds

# Words that sound the same, and nearly so. Never sure: a person must look. Two names
# whose words all sound nearly the same only are not alike.
SAME_SOUND = 0.92
NEAR_SOUND = 0.8
# Short words with one letter of difference are different words.
_UNLIKE = 0.8
_NEAR_KEY, _NEAR_SLIPS, _NEAR_LETTERS = 5, 1, 0.7
_REMEMBERED = 20_000


def slips(length: int) -> int:
    """How many letters may differ in words of this length (the longer of the two)."""
    return 0 if length < 4 else 1 if length < 8 else 2 if length < 12 else 3


class Vocabulary:
    """Words by letters and by sound. Immutable once built."""

    def __init__(self, words: Iterable[str]) -> None:
        self._words = _ByLength(words)
        spoken: dict[str, list[str]] = defaultdict(list)
        for word in self._words.all:
            for key in sounds(word):
                spoken[key].append(word)
        self._spoken: Mapping[str, list[str]] = spoken
        self._keys = _ByLength(spoken)
        # The same first names and surnames are asked for again and again.
        self.like = lru_cache(_REMEMBERED)(self._like)

    def _like(self, word: str) -> Mapping[str, float]:
        """The words that `word` is like, and how much."""
        found: dict[str, float] = {}
        for key in sounds(word):
            for near, distance in self._keys.near(key, least=_NEAR_KEY, most=_NEAR_SLIPS):
                likeness = NEAR_SOUND if distance else SAME_SOUND
                for listed in self._spoken[near]:
                    if not distance or JaroWinkler.similarity(word, listed) >= _NEAR_LETTERS:
                        found[listed] = max(found.get(listed, 0.0), likeness)
        for listed, distance in self._words.near(word):
            likeness = _by_letters(word, listed, distance)
            if likeness >= _UNLIKE:
                found[listed] = max(found.get(listed, 0.0), likeness)
        return found


def _by_letters(word: str, listed: str, distance: int) -> float:
    likeness = JaroWinkler.similarity(word, listed) if distance else 1.0
    if distance < 2:
        return likeness
    # Jaro and Winkler forgive several slips behind a common beginning; those are other words more often.
    return (likeness + 1 - distance / max(len(word), len(listed))) / 2


class _ByLength:
    """Words by their number of letters, so that a search touches only those that could be near."""

    def __init__(self, words: Iterable[str]) -> None:
        self.all = sorted(set(words))
        lengths: dict[int, list[str]] = defaultdict(list)
        for word in self.all:
            lengths[len(word)].append(word)
        self._lengths = dict(lengths)

    def near(self, word: str, least: int = 0, most: int = 3) -> Iterable[tuple[str, int]]:
        """Words that differ by `most` slips at the most, with their number; none in words under `least`."""
        widest = min(most, slips(len(word) + 3))
        for length in range(max(1, len(word) - widest), len(word) + widest + 1):
            listed = self._lengths.get(length)
            if listed is None:
                continue
            longer = max(length, len(word))
            limit = min(most, slips(longer)) if longer >= least else 0
            if abs(length - len(word)) > limit:
                continue
            hits = process.extract(word, listed, scorer=OSA.distance, score_cutoff=limit, limit=None)
            for near, distance, _ in hits:
                yield near, int(distance)
