"""An invented sanctions list in the four files that the US Treasury publishes, made from a seed."""

import csv
import io
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from random import Random

from tests.support.sanctions.people import Company, Person, World

FIRST_NUMBER = 900_001
PROGRAMS = ("INVENTED-1", "INVENTED-2", "MADE-UP", "FICTION-EO1", "NOWHERE")
# ISO 3166 code -> the name that lists use.
COUNTRIES = {
    "AF": "Afghanistan", "BY": "Belarus", "BR": "Brazil", "CN": "China", "CO": "Colombia", "CU": "Cuba",
    "CY": "Cyprus", "CD": "Congo, Democratic Republic of the", "FR": "France", "DE": "Germany", "IN": "India",
    "IR": "Iran", "IQ": "Iraq", "KP": "Korea, North", "LB": "Lebanon", "LY": "Libya", "MX": "Mexico",
    "MM": "Burma", "PA": "Panama", "RU": "Russia", "SY": "Syria", "TR": "Turkey", "UA": "Ukraine",
    "AE": "United Arab Emirates", "GB": "United Kingdom", "US": "United States",
    "VE": "Venezuela", "YE": "Yemen",
}  # fmt: skip
_MONTHS = "Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec".split()
_NULL = "-0- "
Row = Sequence[object]


@dataclass(frozen=True)
class Listed:
    """One entry. `aliases` are strong ones with their type; `born` may be known to the year only."""

    number: int
    type: str
    name: Person | Company | str
    aliases: tuple[tuple[str, Person | Company], ...] = ()
    weak: tuple[str, ...] = ()
    born: date | None = None
    precision: str = "day"
    country: str | None = None
    document: str = ""

    @property
    def primary(self) -> str:
        """The name in sdn.csv."""
        return self.name if isinstance(self.name, str) else self.name.listed


def generate(random: Random, world: World, size: int) -> list[Listed]:
    """`size` entries: seven tenths people, a quarter companies, the rest vessels and aircraft."""
    entries: list[Listed] = []
    taken: set[tuple[str, ...]] = set()
    while len(entries) < size:
        number, dice = FIRST_NUMBER + len(entries), random.random()
        if dice < 0.7:
            entry = _individual(random, world, number)
        elif dice < 0.95:
            entry = _entity(random, world, number)
        else:
            entry = _thing(random, world, number, "vessel" if dice < 0.985 else "aircraft")
        names = [entry.name, *(alias for _, alias in entry.aliases)]
        identities = {name if isinstance(name, str) else name.identity for name in names}
        if not taken & {i for i in identities if isinstance(i, tuple)}:
            taken |= {i for i in identities if isinstance(i, tuple)}
            entries.append(entry)
    return entries


def _individual(random: Random, world: World, number: int) -> Listed:
    aliases = []
    if random.random() < 0.4:
        aliases.append((random.choice(("aka", "aka", "fka", "nka")), world.person()))
    weak = []
    if random.random() < 0.15:
        weak.append(f"{random.choice(('ABU', 'EL', 'THE', 'DON'))} {random.choice(world.coined)}".upper())
    born = date(1935, 1, 1) + timedelta(days=random.randrange(365 * 65)) if random.random() < 0.9 else None
    precision = random.choices(("day", "month", "year", "circa"), (70, 8, 15, 7))[0]
    document = (
        f"Passport {random.choice('ABXZ')}{random.randrange(10**7):07d}" if random.random() < 0.3 else ""
    )
    country = random.choice(list(COUNTRIES)) if random.random() < 0.7 else None
    return Listed(
        number,
        "individual",
        world.person(),
        tuple(aliases),
        tuple(weak),
        born,
        precision,
        country,
        document,
    )


def _entity(random: Random, world: World, number: int) -> Listed:
    aliases = [("aka", world.company())] if random.random() < 0.4 else []
    country = random.choice(list(COUNTRIES))
    document = f"Tax ID No. {random.randrange(10**9):09d}" if random.random() < 0.3 else ""
    return Listed(number, "entity", world.company(), tuple(aliases), country=country, document=document)


def _thing(random: Random, world: World, number: int, kind: str) -> Listed:
    if kind == "aircraft":
        return Listed(number, kind, f"ZZ-{random.choice(world.coined)[:3].upper()}")
    return Listed(number, kind, world.person().natural.upper() if random.random() < 0.5 else " ".join(
        random.sample(list(world.coined), 2)).upper())  # fmt: skip


def files(entries: Sequence[Listed], random: Random) -> dict[str, bytes]:
    """sdn.csv, alt.csv, add.csv and sdn_comments.csv with these entries, as published."""
    sdn: list[Row] = []
    alt: list[Row] = []
    add: list[Row] = []
    comments: list[Row] = []
    for entry in entries:
        remarks = "; ".join(_remarks(entry))
        if len(remarks) > 60 and random.random() < 0.1:
            cut = remarks.rindex(" ", 0, 50) - 1  # what does not fit goes on in the middle of a word
            comments.append([entry.number, remarks[cut:] + "."])
            remarks = remarks[:cut]
        elif remarks:
            remarks += "."
        programs = "] [".join(random.sample(PROGRAMS, random.choice((1, 1, 2))))
        kind = _NULL if entry.type == "entity" else entry.type
        sdn.append([entry.number, entry.primary, kind, programs, *[_NULL] * 7, remarks or _NULL])
        for kind, name in entry.aliases:
            alt.append([entry.number, len(alt) + 1, kind, name.listed, _NULL])
        if entry.country is not None:
            add.append(
                [entry.number, len(add) + 1, "1 Nowhere Street", _NULL, COUNTRIES[entry.country], _NULL]
            )
    tables = {"sdn.csv": sdn, "alt.csv": alt, "add.csv": add, "sdn_comments.csv": comments}
    return {name: _csv(rows) for name, rows in tables.items()}


def _remarks(entry: Listed) -> Iterable[str]:
    if entry.born is not None:
        day, month, year = entry.born.day, _MONTHS[entry.born.month - 1], entry.born.year
        yield {
            "day": f"DOB {day:02d} {month} {year}",
            "month": f"DOB {month} {year}",
            "year": f"DOB {year}",
            "circa": f"DOB circa {year}",
        }[entry.precision]
    if entry.type == "individual" and entry.country is not None:
        yield f"nationality {COUNTRIES[entry.country]}"
    if entry.document:
        yield entry.document
    for alias in entry.weak:
        yield f"a.k.a. '{alias}'"


def _csv(rows: Sequence[Row]) -> bytes:
    text = io.StringIO()
    for row in rows:
        cells = [
            str(cell) if isinstance(cell, int) or cell == _NULL else '"' + str(cell).replace('"', '""') + '"'
            for cell in row
        ]
        text.write(",".join(cells) + "\r\n")
    assert list(csv.reader(io.StringIO(text.getvalue()))) or not rows
    # The published files end with the control character SUB.
    return text.getvalue().encode() + b"\x1a"
