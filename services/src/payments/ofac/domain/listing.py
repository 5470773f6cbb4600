"""What stands on a sanctions list."""

import hashlib
from dataclasses import dataclass, field
from datetime import date
from typing import Literal

EntryType = Literal["individual", "entity", "vessel", "aircraft"]
NameKind = Literal["primary", "aka", "fka", "nka", "weak"]


@dataclass(frozen=True, slots=True)
class BirthDate:
    """A date of birth as lists give it: the month and day may be unknown, the year may be approximate."""

    year: int
    month: int | None = None
    day: int | None = None
    circa: bool = False

    def agrees(self, other: date) -> bool:
        """True when `other` is the same as far as this one is known."""
        if self.circa:
            return abs(self.year - other.year) <= 2
        return (
            self.year == other.year
            and self.month in (None, other.month)
            and (self.day is None or self.day == other.day)
        )

    def exactly(self, other: date) -> bool:
        """True when this is a full date and `other` is the same."""
        return not self.circa and (self.year, self.month, self.day) == (other.year, other.month, other.day)

    def contradicts(self, other: date) -> bool:
        """True when the years are too far apart for a slip of the pen."""
        return abs(self.year - other.year) > (5 if self.circa else 1)


@dataclass(frozen=True, slots=True)
class Name:
    """One name of an entry. A weak alias is too common or too vague to find anybody by."""

    text: str
    kind: NameKind


@dataclass(frozen=True, slots=True)
class Entry:
    """A person, company, vessel or aircraft on the list.

    `countries` are names as the list writes them; `documents` are numbers of passports, identity cards and
    registers, capital letters and digits only.
    """

    ent_num: int
    type: EntryType
    names: tuple[Name, ...]
    programs: tuple[str, ...] = ()
    countries: tuple[str, ...] = ()
    birth_dates: tuple[BirthDate, ...] = ()
    documents: tuple[str, ...] = ()
    remarks: str = field(default="", repr=False)

    @property
    def fingerprint(self) -> str:
        """Another one whenever anything that the list says about this entry is another."""
        said = (
            self.type,
            [(n.kind, n.text) for n in self.names],
            self.programs,
            self.countries,
            self.remarks,
        )
        return hashlib.sha256(repr(said).encode()).hexdigest()

    @property
    def primary(self) -> str:
        """The name under which the list knows it."""
        return self.names[0].text
