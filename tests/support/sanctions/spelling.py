"""How a name on a list turns up in life: reordered, misspelt, accented, in another romanization."""

from collections.abc import Callable
from random import Random

from tests.support.sanctions.parts import Word
from tests.support.sanctions.people import Company, Person

_KEYS = "qwertyuiop asdfghjkl zxcvbnm"


def reordered(person: Person, random: Random) -> str:
    """Surname first, with or without the comma."""
    return f"{person.family()}{random.choice((',', ''))} {person.first()}"


def typo(text: str, random: Random) -> str:
    """One slip of the finger in one of the longer words: a letter more, less, wrong, or two exchanged."""
    words = text.split()
    long = [n for n, word in enumerate(words) if len(word) >= 5] or [
        max(range(len(words)), key=lambda n: len(words[n]))
    ]
    chosen = random.choice(long)
    word, at = words[chosen], random.randrange(len(words[chosen]))
    match random.choice(("more", "less", "wrong", "exchanged")):
        case "more":
            word = word[:at] + random.choice("aeinrst") + word[at:]
        case "less":
            word = word[:at] + word[at + 1 :]
        case "wrong":
            word = word[:at] + _neighbour(word[at], random) + word[at + 1 :]
        case _:
            at = min(at, len(word) - 2)
            word = word[:at] + word[at + 1] + word[at] + word[at + 2 :]
    return " ".join([*words[:chosen], word, *words[chosen + 1 :]])


def _neighbour(letter: str, random: Random) -> str:
    for row in _KEYS.split():
        at = row.find(letter.lower())
        if at >= 0:
            return random.choice(row[max(0, at - 1) : at] + row[at + 1 : at + 2])
    return "e"


def accented(person: Person) -> str | None:
    """With the accents of its own language; None when it has none."""
    if not any(word.accented for word in (*person.given, *person.surnames)):
        return None
    return _spelt(person, lambda word: word.accented or word.listed)


def romanized(person: Person, random: Random) -> str | None:
    """Each word by another system of romanization; None when no word has one."""
    if not any(word.romanized for word in (*person.given, *person.surnames)):
        return None
    return _spelt(person, lambda word: random.choice(word.romanized) if word.romanized else word.listed)


def native(person: Person) -> str | None:
    """In its own script; None for names in Latin letters."""
    if not all(word.native for word in (*person.given, *person.surnames)):
        return None
    return _spelt(person, lambda word: word.native)


def without_middle(person: Person) -> str | None:
    """First given name and surnames only; None when it has no other names."""
    if len(person.given) < 2:
        return None
    return f"{person.given[0].listed} {person.family()}"


def with_initial(person: Person) -> str | None:
    """The middle names as initials; None when it has none."""
    if len(person.given) < 2:
        return None
    initials = " ".join(f"{word.listed[0]}." for word in person.given[1:])
    return f"{person.given[0].listed} {initials} {person.family()}"


def joined(person: Person, random: Random) -> str | None:
    """Two words of the given name run together or hyphenated; None when there is only one."""
    words = person.first().replace("-", " ").split()
    if len(words) < 2:
        return None
    return f"{random.choice(('', '-')).join(words[:2])} {' '.join([*words[2:], person.family()])}"


def other_form(company: Company, random: Random) -> str:
    """With another legal form, or an article before it."""
    form = random.choice(("Ltd", "L.L.C.", "Company Limited", "Inc", "GmbH", "S.A."))
    return f"{random.choice(('The ', ''))}{company.natural} {form}"


def _spelt(person: Person, spell: Callable[[Word], str]) -> str:
    words = [*map(spell, person.given), *person.particles.split(), *map(spell, person.surnames)]
    return " ".join(words)
