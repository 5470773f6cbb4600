"""The list in memory, ordered so that a name is compared with those it could resemble only."""

from collections import defaultdict
from collections.abc import Iterable, Sequence

from rapidfuzz import process
from rapidfuzz.distance import JaroWinkler

from payments.ofac.domain.decision import Hit
from payments.ofac.domain.listing import Entry, EntryType, Name
from payments.ofac.domain.names import NameType, tokens
from payments.ofac.domain.scoring import UNLIKE, compare

# Part of every stored decision; a change of the method needs a new name.
ALGORITHM = "jaro-winkler-words/1"
# Vessels and aircraft hold no accounts.
_SCREENED: dict[EntryType, NameType] = {"individual": "individual", "entity": "entity"}


class Index:
    """Names by their words. Immutable once built; searches may run in threads."""

    def __init__(self, entries: Iterable[Entry]) -> None:
        self._names: list[tuple[Entry, Name, tuple[str, ...]]] = []
        postings: dict[tuple[NameType, str], set[int]] = defaultdict(set)
        for entry in entries:
            kind = _SCREENED.get(entry.type)
            if kind is None:
                continue
            for name in entry.names:
                words = tokens(name.text, kind)
                if not words:
                    continue
                for word in words:
                    postings[kind, word].add(len(self._names))
                self._names.append((entry, name, words))
        self._postings = dict(postings)
        self._vocabulary: dict[NameType, list[str]] = {
            kind: sorted(word for k, word in postings if k == kind) for kind in _SCREENED.values()
        }

    def __len__(self) -> int:
        return len(self._names)

    def search(self, name: str, kinds: Sequence[NameType], floor: float) -> list[Hit]:
        """The best hit of each entry that resembles `name` at `floor` or more; best first.

        A hit by a weak alias is kept beside a better one, for it corroborates.
        """
        best: dict[tuple[int, bool], Hit] = {}
        for kind in kinds:
            words = tokens(name, kind)
            for number in self._candidates(words, kind):
                entry, listed, listed_words = self._names[number]
                score = compare(words, listed_words, JaroWinkler.similarity)
                key = (entry.ent_num, listed.kind == "weak")
                if score.score >= floor and (key not in best or score.score > best[key].score.score):
                    best[key] = Hit(entry, listed, score)
        return sorted(best.values(), key=lambda hit: -hit.score.score)

    def _candidates(self, words: tuple[str, ...], kind: NameType) -> list[int]:
        shared: dict[int, int] = defaultdict(int)
        for word in words:
            similar = process.extract(
                word,
                self._vocabulary[kind],
                scorer=JaroWinkler.similarity,
                score_cutoff=UNLIKE,
                limit=None,
            )
            numbers: set[int] = set()
            for found, _, _ in similar:
                numbers |= self._postings[kind, found]
            for number in numbers:
                shared[number] += 1
        # Two names of several words that share one of them do not reach any threshold in use.
        return [n for n, hits in shared.items() if hits >= min(2, len(words), len(self._names[n][2]))]
