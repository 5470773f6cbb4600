"""Names brought into one form, so that only real differences are left to compare."""

import re
import unicodedata
from typing import Literal

from payments.ofac.domain.scripts import to_latin

NameType = Literal["individual", "entity"]

# Letters that Unicode does not decompose into a base letter and marks.
_LETTERS = str.maketrans(
    {"ß": "ss", "æ": "ae", "œ": "oe", "ø": "o", "đ": "d", "ð": "d", "þ": "th", "ł": "l", "ı": "i", "ħ": "h"}
)
_APOSTROPHES = re.compile(r"['`´ʻʼ‘’ʹʾʿ]")
_INITIALS = re.compile(r"(?<=\b\w)\.(?=\w\b)")
_OTHER = re.compile(r"[\W_]+")
_LATIN = re.compile(r"[a-z0-9]+")

_TITLES = frozenset("mr mrs ms miss dr prof sir".split())
# Written or left out at will within a person's name.
_PARTICLES = frozenset(
    """bin ibn bint ben ould wald de del della di da do das dos du des la las los van von der den ter
    zu zum af av e y""".split()
)
_STOPWORDS = frozenset("the of and for de des du la le et y".split())
_LEGAL_FORMS = frozenset(
    """ab ag as aps bv bvba co company corp corporation doo est eurl fzco fze gmbh gmbhco inc
    incorporated jsc kft kg lda limited llc llp lp ltd ltda nv oao ojsc ooo oy oyj pao pjsc plc
    pte pty sa sal sarl sas spa spzoo sro srl zao zoo""".split()
)
# Written joined or apart at will, and spelt in several ways: "Al Rashid", "el-Rashid", "Alrashid".
_PREFIXES = {
    "abd": "abd", "abdel": "abdal", "abdul": "abdal", "abdal": "abdal", "abu": "abu", "al": "al", "el": "al",
    "ul": "al", "ur": "al", "mac": "mac", "mc": "mac", "o": "o",
}  # fmt: skip
_SERVANT = re.compile(r"^abd(?:[ue]|ou)l(?=\w{3})")
# Words of trade that say nothing about which company is meant.
GENERIC = frozenset(
    """agency agricultural agriculture air airline airlines aviation bank business center centre charity
    chemical chemicals commerce commercial communications construction consulting contracting
    development distribution east electronics energy engineering enterprise enterprises
    establishment exchange export factory finance financial foods foundation freight fund gas
    general global gold group holding holdings import imports industrial industries industry
    institute insurance international invest investment investments logistics management
    manufacturing marine maritime materials medical metal metals mining national new oil
    organization partners petrochemical petroleum pharmaceutical power private production products
    project projects public real estate republic research resources sales service services ship
    shipping software solutions state steel supplies supply systems technical technologies
    technology telecom telecommunications textile textiles tourism trade traders trading transport
    transportation travel union united ventures west works world worldwide""".split()
)


def tokens(name: str, kind: NameType) -> tuple[str, ...]:
    """The words of a name that matter, in reading order; () when it has none that could be read.

    Case, accents and punctuation go; "SURNAME, Given" of a person is turned round; titles, particles,
    legal forms and stopwords go unless too little would be left; prefixes like "al" join the next word.
    """
    if kind == "individual" and "," in name:
        surname, _, given = name.partition(",")
        name = f"{given} {surname}"
    words = [word for word in fold(name).split() if _LATIN.fullmatch(word)]
    if kind == "entity":
        kept = [word for word in words if word not in _STOPWORDS | _LEGAL_FORMS] or words
        return tuple(kept)
    kept = _join_prefixes([word for word in words if word not in _TITLES] or words)
    named = [word for word in kept if word not in _PARTICLES]
    # "Le Van Do" is a name of its own: two words must be left.
    return tuple(named if len(named) >= 2 else kept)


def fold(name: str) -> str:
    """Lower case in Latin letters without accents and punctuation, words separated by one space."""
    text = unicodedata.normalize("NFKD", name).casefold()
    # й and ї are letters, not и and і with marks.
    text = _bare(unicodedata.normalize("NFC", text)).translate(_LETTERS)
    text = _INITIALS.sub("", _APOSTROPHES.sub("", to_latin(text)))
    return _OTHER.sub(" ", text).strip()


def key(name: str) -> str:
    """The words in order of the alphabet: one key for "SMITH, John" and "John Smith", and no other name."""
    return " ".join(sorted(fold(name).split()))


def is_readable(name: str) -> bool:
    """True when every word could be read; a name in another script cannot be compared with the list."""
    words = fold(name).split()
    return bool(words) and all(_LATIN.fullmatch(word) for word in words)


def _bare(text: str) -> str:
    kept = (letter if letter in "йї" else unicodedata.normalize("NFKD", letter) for letter in text)
    return "".join(letter for letter in "".join(kept) if not unicodedata.combining(letter))


def _join_prefixes(words: list[str]) -> list[str]:
    joined: list[str] = []
    pending: list[str] = []
    for word in words:
        if word in _PREFIXES:
            pending.append(word)
        else:
            joined.append("".join(_PREFIXES[prefix] for prefix in pending) + _SERVANT.sub("abdal", word))
            pending = []
    return [*joined, "".join(pending)] if pending else joined
