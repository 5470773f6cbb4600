"""Questions about an invented list whose right answers are known from how they were made."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from itertools import islice
from random import Random

from tests.support.sanctions import spelling
from tests.support.sanctions.listing import COUNTRIES, Listed
from tests.support.sanctions.parts import Word
from tests.support.sanctions.people import FORMS, TRADES, Company, Person, World


@dataclass(frozen=True)
class Query:
    """One question. `number` is the entry that is meant, None for somebody who is not on the list.

    `never_held`: whatever else is decided, not without a person.
    """

    kind: str
    name: str
    type: str | None
    number: int | None
    born: date | None = None
    country: str | None = None
    never_held: bool = False


_GIVEN = """James Mary John Patricia Robert Jennifer Michael Linda David Maria Carlos Ana Luis Sofia
Mohammed Fatima Ahmed Aisha Ali Omar Ivan Olga Sergey Elena Wei Li Jing Yuki Hiroshi Kim
Jin Nguyen Priya Raj Amit Pierre Marie Hans Anna Giulia Marco Lars Ingrid Piotr Katarzyna
Mehmet Ayse Kwame Amina Chidi""".split()
_SURNAMES = """Smith Johnson Williams Brown Jones Garcia Miller Davis Rodriguez Martinez Hernandez Lopez
Gonzalez Wilson Anderson Khan Ahmed Hussein Hassan Ibrahim Petrov Ivanov Smirnov Kuznetsov
Wang Zhang Chen Liu Tanaka Sato Park Choi Tran Le Patel Singh Sharma Dubois Martin Bernard
Schmidt Schneider Weber Rossi Ferrari Hansen Johansson Nowak Kowalski Yilmaz Demir Okafor
Mensah Diallo""".split()


def generate(random: Random, world: World, entries: Sequence[Listed], count: int) -> list[Query]:
    """About `count` questions, half of them about entries, half about others."""
    about = [*_positives(random, entries)]
    others = [*_negatives(random, world, entries, count // 2)]
    return [*_balanced(random, about, count // 2), *others]


def _balanced(random: Random, queries: list[Query], count: int) -> list[Query]:
    """`count` of them, as many of each kind as there are."""
    kinds: dict[str, list[Query]] = {}
    for query in random.sample(queries, len(queries)):
        kinds.setdefault(query.kind, []).append(query)
    chosen: list[Query] = []
    for left, listed in zip(range(len(kinds), 0, -1), sorted(kinds.values(), key=len), strict=True):
        chosen += listed[: (count - len(chosen)) // left]
    return chosen


def _positives(random: Random, entries: Sequence[Listed]) -> Iterable[Query]:
    for entry in entries:
        if isinstance(entry.name, Person):
            yield from _about_person(random, entry, entry.name)
        elif isinstance(entry.name, Company):
            yield from _about_company(random, entry, entry.name)


def _about_person(random: Random, entry: Listed, person: Person) -> Iterable[Query]:
    def ask(kind: str, name: str | None, **more: object) -> Iterable[Query]:
        if name is not None:
            yield Query(kind, name, random.choice(("individual", None)), entry.number, **more)  # type: ignore[arg-type]

    yield from ask("exact", person.listed)
    yield from ask("reordered", spelling.reordered(person, random))
    yield from ask("typo", spelling.typo(person.natural, random))
    yield from ask("diacritics", spelling.accented(person))
    yield from ask("transliteration", spelling.romanized(person, random))
    yield from ask("native script", spelling.native(person))
    yield from ask("missing middle name", spelling.without_middle(person))
    yield from ask("middle initial", spelling.with_initial(person))
    yield from ask("joined words", spelling.joined(person, random))
    for _, alias in entry.aliases:
        yield from ask("alias", alias.natural)
    if entry.country is not None:
        yield from ask("country corroborated", spelling.typo(person.natural, random), country=entry.country)
        other = random.choice([code for code in COUNTRIES if code != entry.country])
        yield from ask("country contradicted", person.natural, country=other, never_held=True)
    if entry.born is not None:
        far = entry.born + timedelta(days=random.choice((-1, 1)) * random.randint(4000, 9000))
        yield from ask("birth corroborated", spelling.typo(person.natural, random), born=entry.born)
        yield from ask("birth contradicted", person.natural, born=far, never_held=True)
        if entry.precision == "day":
            for weak in entry.weak:
                yield from ask("weak alias with birth", weak, born=entry.born, never_held=True)


def _about_company(random: Random, entry: Listed, company: Company) -> Iterable[Query]:
    kind = random.choice(("business", None))
    yield Query("company exact", company.listed, kind, entry.number)
    yield Query("company other form", spelling.other_form(company, random), kind, entry.number)
    yield Query("company typo", spelling.typo(company.natural, random), kind, entry.number)
    for _, alias in entry.aliases:
        yield Query("company alias", alias.natural, kind, entry.number)


def _negatives(random: Random, world: World, entries: Sequence[Listed], count: int) -> Iterable[Query]:
    people = [entry for entry in entries if isinstance(entry.name, Person)]
    companies = [entry for entry in entries if isinstance(entry.name, Company)]
    things = [entry for entry in entries if isinstance(entry.name, str)]
    names = [entry.name for entry in entries] + [alias for entry in entries for _, alias in entry.aliases]
    listed = {name.identity for name in names if not isinstance(name, str)}
    weak = [alias for entry in entries for alias in entry.weak]
    made = 0
    while made < count:
        match random.choices(range(8), (25, 25, 10, 25, 20, 5, 10, 10))[0]:
            case 0:
                query = _of_person("unrelated", world.person(), listed)
            case 1:
                person = random.choice(people).name
                assert isinstance(person, Person)
                query = _of_person("near miss", _namesake(random, world, person), listed)
            case 2:
                query = _of_company("unrelated company", world.company(), listed)
            case 3:
                name = f"{random.choice(_GIVEN)} {random.choice(_SURNAMES)}"
                query = Query("common name", name, random.choice(("individual", None)), None)
            case 4:
                company = random.choice(companies).name
                assert isinstance(company, Company)
                coined = random.sample(list(world.coined), 20)
                other = next(word for word in coined if _far(word, company.own[0]))
                changed = replace(company, own=(other, *company.own[1:]))
                query = _of_company("near miss company", changed, listed)
            case 5:
                form, trade = random.choice([form for form in FORMS if form]), random.choice(TRADES)
                name = random.choice((form, f"{trade} {form}", trade, f"The {trade} Company {form}"))
                query = Query("suffix only", name, random.choice(("business", None)), None)
            case 6:
                query = Query("weak alias alone", random.choice(weak), "individual", None) if weak else None
            case _:
                query = _wrong_type(random, random.choice((people, companies, things)))
        if query is not None:
            made += 1
            yield query


def _of_person(kind: str, person: Person, listed: set[tuple[str, ...]]) -> Query | None:
    return None if person.identity in listed else Query(kind, person.natural, "individual", None)


def _of_company(kind: str, company: Company, listed: set[tuple[str, ...]]) -> Query | None:
    taken = any(
        set(company.identity) <= set(other) or set(other) <= set(company.identity) for other in listed
    )
    return None if taken else Query(kind, company.natural, "business", None)


def _namesake(random: Random, world: World, person: Person) -> Person:
    """Somebody of the same family with another given name, or the other way round."""
    given, surnames = world.words[person.culture]
    if random.random() < 0.5:
        return replace(person, given=_others(random, given, person.given, 1))
    return replace(person, surnames=_others(random, surnames, person.surnames, len(person.surnames)))


def _others(random: Random, words: Sequence[Word], own: Sequence[Word], count: int) -> tuple[Word, ...]:
    """`count` words that are none of one's own, nor a slip away from one."""
    shuffled = iter(random.sample(list(words), len(words)))
    far = (word for word in shuffled if all(_far(word.listed, mine.listed) for mine in own))
    return tuple(islice(far, count))


def _wrong_type(random: Random, entries: Sequence[Listed]) -> Query:
    entry = random.choice(entries)
    if isinstance(entry.name, Person):
        return Query("wrong type", entry.name.natural, "business", None)
    name = entry.name.natural if isinstance(entry.name, Company) else entry.name
    return Query("wrong type", name, "individual", None)


def _far(one: str, other: str) -> bool:
    """More than a slip apart: two edits at least, and two fifths of the letters."""
    return _edits(one.lower(), other.lower()) >= max(2, 0.4 * max(len(one), len(other)))


def _edits(one: str, other: str) -> int:
    row = list(range(len(other) + 1))
    for i, a in enumerate(one, 1):
        left, row[0] = row[0], i
        for j, b in enumerate(other, 1):
            left, row[j] = row[j], min(row[j] + 1, row[j - 1] + 1, left + (a != b))
    return row[-1]
