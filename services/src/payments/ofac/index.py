"""The list in memory, ordered so that a name is compared with those it could resemble only."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from payments.ofac.domain.decision import Hit
from payments.ofac.domain.listing import Entry, EntryType, Name
from payments.ofac.domain.names import GENERIC, NameType, tokens
from payments.ofac.domain.scoring import MISSING, MISSING_OWN, NOTHING, NameScore, Pair, score
from payments.ofac.vocabulary import Vocabulary

# Part of every stored decision; a change of the method needs a new version.
ALGORITHM = "words-letters-sounds/3"
# Vessels and aircraft hold no accounts.
_SCREENED: dict[EntryType, NameType] = {"individual": "individual", "entity": "entity"}
# What a word of trade weighs beside a company's own words, and how common a word is that counts as one.
GENERIC_WEIGHT = 0.25
COMMON_SHARE = 0.01
COMMON_NAMES = 10


# Where a word stands: numbers of names, with positions as bits.
_Postings = dict[str, set[tuple[int, int]]]


@dataclass(frozen=True, slots=True)
class _Listed:
    entry: Entry
    name: Name
    words: tuple[str, ...]


class Index:
    """Names by their words, persons and companies apart. Immutable; searches may run in threads."""

    def __init__(self, entries: Iterable[Entry]) -> None:
        names: dict[NameType, list[_Listed]] = {kind: [] for kind in _SCREENED.values()}
        self._documents: dict[str, list[Entry]] = defaultdict(list)
        for entry in entries:
            kind = _SCREENED.get(entry.type)
            if kind is None:
                continue
            for document in entry.documents:
                self._documents[document].append(entry)
            for name in entry.names:
                words = tokens(name.text, kind)
                if words:
                    names[kind].append(_Listed(entry, name, words))
        self._kinds = {kind: _Names(kind, listed) for kind, listed in names.items()}

    def __len__(self) -> int:
        return sum(len(names) for names in self._kinds.values())

    def search(
        self, name: str, kinds: Sequence[NameType], floor: float, documents: Iterable[str] = ()
    ) -> list[Hit]:
        """The best hit of each entry that resembles `name` at `floor` or more; best first.

        A hit by a weak alias is kept beside a better one, for it corroborates. An entry with one of the
        `documents` is a hit under whatever name.
        """
        best: dict[tuple[int, bool], Hit] = {}
        for kind in kinds:
            for listed, found in self._kinds[kind].search(tokens(name, kind)):
                key = (listed.entry.ent_num, listed.name.kind == "weak")
                if found.score >= floor and (key not in best or found.score > best[key].score.score):
                    best[key] = Hit(listed.entry, listed.name, found)
        for document in documents:
            for entry in self._documents.get(document, ()):
                best.setdefault((entry.ent_num, False), Hit(entry, entry.names[0], NOTHING))
        return sorted(best.values(), key=lambda hit: -hit.score.score)


class _Names:
    """The names of one kind."""

    def __init__(self, kind: NameType, names: list[_Listed]) -> None:
        self._names = names
        self._missing = MISSING_OWN if kind == "entity" else MISSING
        postings: tuple[_Postings, _Postings] = (defaultdict(set), defaultdict(set))
        for number, listed in enumerate(names):
            for text, positions in _pieces(listed.words):
                postings[_is_joined(positions)][text].add((number, positions))
        # Two words joined are compared with single words only: joined on both sides they are two pairs.
        self._sought = [(Vocabulary(found), dict(found)) for found in postings]
        limit = max(COMMON_NAMES, COMMON_SHARE * len(names))
        common = {text for text, found in postings[False].items() if len(found) > limit}
        self._generic = GENERIC | common if kind == "entity" else frozenset()

    def __len__(self) -> int:
        return len(self._names)

    def search(self, words: tuple[str, ...]) -> Iterator[tuple[_Listed, NameScore]]:
        """Every name that has enough words like these, with its score."""
        pairs: dict[int, list[Pair]] = defaultdict(list)
        for text, positions in _pieces(words):
            for vocabulary, postings in self._sought[:1] if _is_joined(positions) else self._sought:
                for near, likeness in vocabulary.like(text).items():
                    for number, listed in postings[near]:
                        pairs[number].append(Pair(likeness, positions, listed))
        for number, found in pairs.items():
            listed_name = self._names[number]
            if self._enough(found, len(words), len(listed_name.words)):
                result = score(words, listed_name.words, found, self._weigh, self._missing)
                if result != NOTHING:
                    yield listed_name, result

    def _weigh(self, word: str) -> float:
        return len(word) * (GENERIC_WEIGHT if word in self._generic else 1.0)

    @staticmethod
    def _enough(found: list[Pair], one: int, other: int) -> bool:
        # Two names of several words that share one of them do not reach any threshold in use.
        if min(one, other) == 1 or any((pair.one | pair.other).bit_count() > 1 for pair in found):
            return True
        return len({pair.one for pair in found}) > 1


def _is_joined(positions: int) -> bool:
    return positions.bit_count() > 1


def _pieces(words: Sequence[str]) -> Iterator[tuple[str, int]]:
    """The words, and each two neighbours joined, with their positions as bits."""
    for n, word in enumerate(words):
        yield word, 1 << n
    for n in range(len(words) - 1):
        yield words[n] + words[n + 1], 3 << n
