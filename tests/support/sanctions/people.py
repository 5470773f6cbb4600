"""Invented people and companies: names whose every other spelling is known."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from random import Random

from tests.support.sanctions.cultures import CULTURES, Culture
from tests.support.sanctions.parts import Word, latin


@dataclass(frozen=True)
class Person:
    """A person's name, by words; `particles` stand before the first surname."""

    culture: str
    given: tuple[Word, ...]
    surnames: tuple[Word, ...]
    particles: str = ""

    @property
    def listed(self) -> str:
        """SURNAME, Given Middle: as lists print it."""
        return f"{self.family().upper()}, {self.first()}"

    def first(self) -> str:
        """Given names as listed."""
        return " ".join(word.listed for word in self.given)

    def family(self) -> str:
        """Surnames with their particles as listed."""
        return " ".join([*self.particles.split(), *(word.listed for word in self.surnames)])

    @property
    def natural(self) -> str:
        """Given names first."""
        return f"{self.first()} {self.family()}"

    @property
    def identity(self) -> tuple[str, ...]:
        """What makes the name this name: people with the same one cannot be told apart."""
        return tuple(word.listed.lower() for word in (self.given[0], self.surnames[0]))


@dataclass(frozen=True)
class Company:
    """A company's name: what is its own, what says its trade, and the legal form."""

    own: tuple[str, ...]
    trade: tuple[str, ...]
    form: str

    @property
    def listed(self) -> str:
        """In capitals, with its legal form."""
        return " ".join(filter(None, [*self.own, *self.trade, self.form])).upper()

    @property
    def natural(self) -> str:
        """Without the legal form."""
        return " ".join([*self.own, *self.trade])

    @property
    def identity(self) -> tuple[str, ...]:
        """Its own words in lower case."""
        return tuple(word.lower() for word in self.own)


TRADES = (
    "Trading", "Shipping", "Mining", "Petroleum", "Industries", "Holdings", "General Trading",
    "Import Export", "Engineering", "Aviation Services", "Logistics", "Investment Group", "Bank",
    "Steel Works",
    "Construction", "Telecom", "Chemicals", "Foundation", "Commercial Agency", "Maritime Services",
)  # fmt: skip
FORMS = (
    "LLC", "CO., LTD.", "S.A.", "LIMITED", "GMBH", "OOO", "FZE", "INC.", "S.R.L.", "JSC", "PLC", "A.S.",
    "B.V.",    "CORP.", "",
)  # fmt: skip
_COINED = latin(
    "b br d f g gl h k kr l m n p r s t v x z",
    "a e i o u ae io",
    "l n r s x -",
    "ar en is on um ex a or",
    (1, 2),
)


@dataclass
class World:
    """Words of one seed, from which people and companies are put together."""

    random: Random
    words: dict[str, tuple[Sequence[Word], Sequence[Word]]] = field(default_factory=dict)
    coined: Sequence[str] = ()

    @classmethod
    def of(cls, random: Random, *, given: int = 60, surnames: int = 160, coined: int = 3000) -> "World":
        """Make the words: as many of each for every culture."""
        world = cls(random)
        for culture in CULTURES:
            world.words[culture.name] = (
                _distinct(random, culture, given, surname=False),
                _distinct(random, culture, surnames, surname=True),
            )
        world.coined = sorted({_COINED(random).listed for _ in range(coined)})
        return world

    def person(self) -> Person:
        """Somebody of any culture."""
        culture = self.random.choice(CULTURES)
        given, surnames = self.words[culture.name]
        count = 1 + self.random.randint(*culture.middle)
        particles = (
            self.random.choice(culture.particles) if culture.particles and self.random.random() < 0.4 else ""
        )
        return Person(
            culture.name,
            tuple(self.random.sample(given, count)),
            tuple(self.random.sample(surnames, culture.surnames)),
            particles,
        )

    def company(self) -> Company:
        """A company of any trade."""
        own = tuple(self.random.sample(self.coined, self.random.choice((1, 1, 2))))
        return Company(own, tuple(self.random.choice(TRADES).split()), self.random.choice(FORMS))


def _distinct(random: Random, culture: Culture, count: int, *, surname: bool) -> list[Word]:
    found: dict[str, Word] = {}
    make = culture.surname if surname else culture.given
    for _ in range(count * 20):
        word = make(random)
        if len(word.listed) >= 2:
            found.setdefault(word.listed.lower(), word)
        if len(found) == count:
            break
    return list(found.values())
