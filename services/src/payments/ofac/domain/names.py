"""Names brought into one form, so that only real differences are left to compare."""

import re
import unicodedata
from typing import Literal

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
_STOPWORDS = frozenset("the of and for".split())
_LEGAL_FORMS = frozenset(
    """ab ag as aps bv bvba co company corp corporation doo est eurl fzco fze gmbh gmbhco inc incorporated jsc
    kft kg lda limited llc llp lp ltd ltda nv oao ojsc ooo oy oyj pjsc plc pte pty sa sal sarl sas spa spzoo
    sro srl zao zoo""".split()
)
# Written joined or apart at will: "Al Rashid", "al-Rashid", "Alrashid".
_PREFIXES = frozenset("abd abdel abdul abu al bin el ibn mac mc o ul ur".split())


def tokens(name: str, kind: NameType) -> tuple[str, ...]:
    """The words of a name that matter, in reading order; () when it has none in Latin letters.

    Case, accents and punctuation go; "SURNAME, Given" of a person is turned round; titles, legal forms and
    stopwords go unless nothing else would be left; prefixes like "al" join the word that follows.
    """
    if kind == "individual" and "," in name:
        surname, _, given = name.partition(",")
        name = f"{given} {surname}"
    words = [word for word in fold(name).split() if _LATIN.fullmatch(word)]
    dropped = _TITLES if kind == "individual" else _STOPWORDS | _LEGAL_FORMS
    kept = [word for word in words if word not in dropped] or words
    return tuple(_join_prefixes(kept))


def fold(name: str) -> str:
    """Lower case without accents and punctuation, words separated by one space."""
    text = unicodedata.normalize("NFKD", name).casefold().translate(_LETTERS)
    text = "".join(character for character in text if not unicodedata.combining(character))
    text = _INITIALS.sub("", _APOSTROPHES.sub("", text))
    return _OTHER.sub(" ", text).strip()


def is_latin(name: str) -> bool:
    """True when every word could be read; a name in another script cannot be compared with the list."""
    words = fold(name).split()
    return bool(words) and all(_LATIN.fullmatch(word) for word in words)


def _join_prefixes(words: list[str]) -> list[str]:
    joined: list[str] = []
    pending = ""
    for word in words:
        if word in _PREFIXES:
            pending += word
        else:
            joined.append(pending + word)
            pending = ""
    return [*joined, pending] if pending else joined
