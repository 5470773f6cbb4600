"""Labelled queries against the sample list, and the rules that persons make."""

import csv
from datetime import date
from importlib.resources import files
from pathlib import Path
from typing import get_args

import pytest

from payments.ofac.domain.decision import Decision, Rule, Screening, Subject, Thresholds, decide
from payments.ofac.domain.listing import Entry, Name
from payments.ofac.domain.names import NameType, is_readable
from payments.ofac.index import Index
from payments.ofac.sdn import FILES, read

QUERIES = list(csv.DictReader(Path(__file__).with_name("queries.csv").read_text("utf-8").splitlines()))
KINDS: dict[str, tuple[NameType, ...]] = {
    "individual": ("individual",),
    "business": ("entity",),
    "": ("individual", "entity"),
}
THRESHOLDS = Thresholds()


def sample() -> Index:
    folder = files("payments.ofac.sample")
    return Index(read({name: folder.joinpath(name).read_bytes() for name in FILES}).entries)


INDEX = sample()


def screen(
    name: str, kind: str = "", born: date | None = None, rules: tuple[Rule, ...] = (), index: Index = INDEX
) -> Screening:
    subject = Subject("c", name, None, born)
    hits = index.search(name, KINDS[kind], THRESHOLDS.review)
    return decide(hits, subject, rules, THRESHOLDS, readable=is_readable(name))


@pytest.mark.parametrize("query", QUERIES, ids=lambda q: f"{q['perturbation']}: {q['name']}")
def test_labelled_queries(query: dict[str, str]) -> None:
    born = date.fromisoformat(query["date_of_birth"]) if query["date_of_birth"] else None
    found = screen(query["name"], query["kind"], born)
    # `review`: a person must look or the payment is stopped; which of the two is not promised.
    expected = {"possible_match", "match"} if query["expected"] == "review" else {query["expected"]}
    assert found.decision in expected
    if query["ent_num"] and query["perturbation"] != "homoglyph":
        assert int(query["ent_num"]) == found.matches[0].hit.entry.ent_num


def test_the_labels_cover_every_decision() -> None:
    assert {query["expected"] for query in QUERIES} >= set(get_args(Decision))


def test_every_listed_name_of_two_words_finds_its_entry() -> None:
    folder = files("payments.ofac.sample")
    for entry in read({name: folder.joinpath(name).read_bytes() for name in FILES}).entries:
        kind = {"individual": "individual", "entity": "business"}.get(entry.type)
        if kind is None:
            continue
        for name in entry.names:
            found = screen(name.text, kind)
            if name.kind == "weak":
                assert found.decision == "clear"
            else:
                assert found.decision != "clear"
                assert entry.ent_num in {match.hit.entry.ent_num for match in found.matches}


def test_a_block_stops_whatever_the_name() -> None:
    found = screen("Maria Garcia", rules=(Rule("block"),))
    assert (found.decision, found.score, found.reasons) == ("match", 1.0, ("blocked_by_rule",))


def test_an_allowed_entry_is_cleared_and_no_other() -> None:
    name = "Cormac O'Dunnaghy"
    assert screen(name, rules=(Rule("allow", 900009),)).decision == "clear"
    assert screen(name, rules=(Rule("allow", None),)).decision == "clear"
    assert screen(name, rules=(Rule("allow", 900010),)).decision == "match"
    assert screen(name, rules=(Rule("allow", 900009), Rule("block"))).decision == "match"


def test_allowing_does_not_make_an_unreadable_name_clear() -> None:
    assert screen("山田", rules=(Rule("allow", None),)).decision == "possible_match"


def test_similar_first_names_go_to_a_person_and_not_to_a_refusal() -> None:
    index = Index([Entry(900001, "individual", (Name("SMITH, Petar", "primary"),))])
    assert screen("Peter Smith", "individual", index=index).decision == "possible_match"


def test_the_search_leaves_out_nobody_that_a_full_comparison_would_find() -> None:
    folder = files("payments.ofac.sample")
    entries = read({name: folder.joinpath(name).read_bytes() for name in FILES}).entries
    for query in QUERIES:
        for kind in KINDS[query["kind"]]:
            found = {hit.entry.ent_num for hit in INDEX.search(query["name"], (kind,), 0.85)}
            alone = {e.ent_num for e in entries if Index([e]).search(query["name"], (kind,), 0.85)}
            assert found == alone
