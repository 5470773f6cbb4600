"""What a word sounds like, roughly: different romanizations of one name come out alike.

The same letters stand for different sounds in English and on the continent: `ch` of "Chekhov" and of
"Bach", `j` of "John" and of "Jan". So a word has a key for each reading, and two words sound alike when
any of their keys are alike. Voiced and unvoiced consonants, hissing sounds, and vowels that are exchanged
freely fall together; double letters count once.
"""

import re

# Longest first; what stands in neither list stays.
_COMMON = (
    ("schtsch", "s"), ("chtch", "s"), ("shch", "s"), ("dsch", "s"), ("tsch", "s"), ("tch", "s"), ("dzh", "s"),
    ("sch", "s"), ("dj", "s"), ("zh", "s"), ("sh", "s"), ("cz", "s"), ("sz", "s"), ("hs", "s"), ("ts", "s"),
    ("tz", "s"), ("dz", "s"), ("kh", "h"), ("th", "t"), ("dh", "t"), ("bh", "p"), ("ph", "f"), ("ck", "k"),
    ("qu", "k"), ("ee", "i"), ("oo", "u"), ("iou", "iu"), ("ou(?=[aeiou])", "f"), ("ou", "u"), ("eo", "u"),
    ("eu", "u"), ("ue", "u"), ("oe", "u"), ("ae", "a"), ("z", "s"),
    ("b", "p"), ("d", "t"), ("v", "f"), ("w", "f"), ("y", "i"), ("e", "i"), ("o", "u"),
)  # fmt: skip
_ENGLISH = (
    ("gh", "k"),
    ("ch", "s"),
    ("c(?=[eiy])", "s"),
    ("c", "k"),
    ("j", "s"),
    ("x", "ks"),
    ("q", "k"),
    ("g", "k"),
)
_CONTINENTAL = (("gh", "h"), ("ch", "h"), ("c", "s"), ("j", "i"), ("x", "s"), ("q", "s"), ("g", "k"))
# Arabic in the mouths of Turks and Persians ("Ramazan" for "Ramadhan", "Osman" for "Othman"); Greek `c`.
_HISSED = tuple((letters, "s" if letters in ("th", "dh") else sound) for letters, sound in _COMMON)
_EASTERN = (("gh", "k"), ("ch", "h"), ("c", "k"), ("j", "s"), ("x", "ks"), ("q", "k"), ("g", "k"))


def _rules(*tables: tuple[tuple[str, str], ...]) -> tuple[re.Pattern[str], dict[str, str]]:
    rows = sorted((row for table in tables for row in table), key=lambda row: -len(row[0].partition("(")[0]))
    spelt = {f"r{n}": sound for n, (_, sound) in enumerate(rows)}
    return re.compile("|".join(f"(?P<r{n}>{letters})" for n, (letters, _) in enumerate(rows))), spelt


_READINGS = (_rules(_COMMON, _ENGLISH), _rules(_COMMON, _CONTINENTAL), _rules(_HISSED, _EASTERN))
_DOUBLE = re.compile(r"(.)\1+")
_END = re.compile(r"(?<=.)h$")


def sounds(word: str) -> tuple[str, ...]:
    """The keys of a folded word, one for each reading; equal ones once."""
    return tuple(dict.fromkeys(_key(word, pattern, spelt) for pattern, spelt in _READINGS))


def _key(word: str, pattern: re.Pattern[str], spelt: dict[str, str]) -> str:
    sound = pattern.sub(lambda found: spelt[found.lastgroup or ""], word)
    return _DOUBLE.sub(r"\1", _END.sub("", sound))
