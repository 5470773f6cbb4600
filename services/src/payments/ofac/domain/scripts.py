"""Cyrillic and Greek letters in Latin ones (BGN/PCGN and ELOT 743, without marks)."""

_CYRILLIC = """а a б b в v г g ґ g д d е e ё yo є ye ж zh з z и i і i ї yi й y к k л l м m н n о o п p р
r с s т t у u ў u ф f х kh ц ts ч ch ш sh щ shch ъ _ ы y ь _ э e ю yu я ya ђ dj ј j љ lj њ
nj ћ c џ dz ѓ g ќ k ѕ dz"""
_GREEK = """α a β v γ g δ d ε e ζ z η i θ th ι i κ k λ l μ m ν n ξ x ο o π p ρ r σ s ς s τ t υ y φ f χ ch ψ ps
ω o"""


def _table() -> dict[int, str]:
    words = f"{_CYRILLIC} {_GREEK}".split()
    return {
        ord(letter): latin.replace("_", "") for letter, latin in zip(words[::2], words[1::2], strict=True)
    }


_TABLE = _table()


def to_latin(text: str) -> str:
    """`text`, in lower case and without accents, with what stands in the tables romanized."""
    # Two letters of one sound.
    return text.replace("ου", "ou").translate(_TABLE)
