"""Invented parts of names in the manner of many languages.

Nothing here is anybody's name: words are put together from syllables, at random and by a seed. Each word
knows its other spellings, which is what makes labels of queries true without asking any matcher.
"""

import unicodedata
from collections.abc import Callable
from dataclasses import dataclass
from random import Random

from tests.support.sanctions.scripts import ARABIC, CHINESE, CYRILLIC, GREEK, others, romanize


@dataclass(frozen=True)
class Word:
    """One word of a name.

    `listed` is how a list writes it, in ASCII; `accented` is the language's own spelling in Latin letters,
    where it has one; `romanized` are spellings by other systems; `native` is the word in its own script.
    """

    listed: str
    accented: str = ""
    romanized: tuple[str, ...] = ()
    native: str = ""


Maker = Callable[[Random], Word]


_UMLAUTS: dict[int, str] = {
    ord(letter): pair for letter, pair in zip("äöüøå", ("ae", "oe", "ue", "oe", "aa"), strict=True)
}
_UNDIVIDED = str.maketrans("łđøıŁĐØ", "ldoiLDO")


def plain(text: str) -> str:
    """Without accents, as lists print it."""
    divided = unicodedata.normalize("NFD", text.translate(_UNDIVIDED))
    return "".join(letter for letter in divided if not unicodedata.combining(letter))


def latin(onsets: str, vowels: str, codas: str, endings: str, syllables: tuple[int, int]) -> Maker:
    """Words of a language in Latin letters; the arguments are spaced lists, `-` for nothing."""
    on, vo, co, en = (
        ["" if x == "-" else x for x in text.split()] for text in (onsets, vowels, codas, endings)
    )

    def make(random: Random) -> Word:
        count = random.randint(*syllables)
        text = "".join(random.choice(on) + random.choice(vo) + random.choice(co) for _ in range(count))
        text = (text + random.choice(on) + random.choice(en)).capitalize()
        bare = plain(text)
        german = text.lower().translate(_UMLAUTS)
        more = (german,) if plain(german) == german != bare.lower() else ()
        return Word(bare, text if text != bare else "", more)

    return make


def cyrillic(stems: str, endings: str) -> Maker:
    """Words written in Cyrillic letters."""
    parts, ends = stems.split(), ["" if x == "-" else x for x in endings.split()]

    def make(random: Random) -> Word:
        native = random.choice(parts) + random.choice(parts) + random.choice(ends)
        return Word(
            romanize(native, CYRILLIC[0]).capitalize(), "", others(native, CYRILLIC), native.capitalize()
        )

    return make


def greek(stems: str, endings: str) -> Maker:
    """Words written in Greek letters."""
    parts, ends = stems.split(), endings.split()

    def make(random: Random) -> Word:
        native = random.choice(parts) + random.choice(parts) + random.choice(ends)
        letters = native.replace("ου", "ȣ")  # one sound, and in every system "ou"
        return Word(romanize(letters, GREEK[0]).capitalize(), "", others(letters, GREEK), native.capitalize())

    return make


_ROOTS = "b t th j H kh d dh r z s sh S T f q k l m n h w".split()
_PATTERNS = (
    "1 a 2 ī 3", "1 ā 2 i 3", "1 a 2 2 ā 3", "m a 1 2 ū 3", "m u 1 a 2 2 a 3", "1 a 2 ī 3 at", "1 u 2 a y 3",
    "a 1 2 a 3", "t a 1 2 ī 3", "1 i 2 ā 3", "n a 1 ī 2", "1 a 2 ū 3", "m u 1 2 i 3", "1 a 2 3 ā n",
)  # fmt: skip


def arabic(*, article: float, suffix: str = "") -> Maker:
    """Words from three consonants and a pattern; `article` is how often "al-" stands before them."""
    ends = ["" if x == "-" else x for x in suffix.split()] or [""]

    def make(random: Random) -> Word:
        root = random.sample(_ROOTS, 3)
        pattern = random.choice(_PATTERNS).split()
        sounds = [root[int(sound) - 1] if sound.isdecimal() else sound for sound in pattern]
        sounds += list(random.choice(ends))
        spelt = [romanize(sounds, table).capitalize() for table in ARABIC]
        if random.random() < article:
            first = f"Al-{spelt[0]}"
            more = [f"El {spelt[1]}", f"Al {spelt[2]}", f"Al{spelt[3].lower()}", f"Al {spelt[0]}"]
        elif random.random() < 0.15:
            first = f"Abd Al-{spelt[0]}"
            more = [f"Abdel {spelt[1]}", f"Abdul{spelt[2].lower()}", f"Abdul {spelt[3]}", f"Abdul-{spelt[0]}"]
        else:
            first, more = spelt[0], spelt[1:]
        return Word(first, "", tuple(dict.fromkeys(word for word in more if word != first)))

    return make


_INITIALS = "b p m f d t n l g k h j q x zh ch sh r z c s y w".split()
_FINALS = {
    "zh": "a ang eng ong ou u uan", "ch": "a ang eng en ong ou uan", "sh": "a ang eng en ou uan ui",
    "j": "ia ian iang ie in ing un", "q": "ia ian iang ie in ing un", "x": "ia ian iang ie in ing un",
    "y": "an ang ong ou uan un", "w": "an ang ei en", "r": "an ang en ong ui",
}  # fmt: skip
_ANY_FINAL = "a ai an ang ao e en ou u"


def chinese(syllables: tuple[int, int]) -> Maker:
    """Words of syllables; given names of two of them are written joined, apart or with a hyphen."""

    def make(random: Random) -> Word:
        pairs = []
        for _ in range(random.randint(*syllables)):
            initial = random.choice(_INITIALS)
            pairs.append((initial, random.choice(_FINALS.get(initial, _ANY_FINAL).split())))
        sounds = ["".join(pair) for pair in pairs]
        wade = [romanize(pair, CHINESE[1]) for pair in pairs]
        first = "".join(sounds).capitalize()
        more = ["-".join(sounds).title(), " ".join(sounds).title()] if len(sounds) > 1 else []
        more.append("-".join(wade).capitalize())
        return Word(first, "", tuple(dict.fromkeys(word for word in more if word != first)))

    return make
