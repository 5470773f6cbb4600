import hashlib
from importlib.resources import files

import pytest

from payments.ofac.domain.listing import BirthDate, Entry
from payments.ofac.sdn import FILES, ListError, birth_dates, documents, nationalities, read

SDN = (
    b'900001,"ROE, Richard","individual","ALPHA] [BETA","Chief",-0- ,-0- ,-0- ,-0- ,-0- ,-0- ,'
    b"\"DOB 01 Feb 1960; alt. DOB 1961; a.k.a. 'SHADE'\"\r\n"
    b'900002,"ROE & ""SONS"" LTD.",-0- ,"ALPHA",-0- ,-0- ,-0- ,-0- ,-0- ,-0- ,-0- ,-0- \r\n\x1a'
)


def sample() -> dict[int, Entry]:
    folder = files("payments.ofac.sample")
    found = read({name: folder.joinpath(name).read_bytes() for name in FILES})
    return {entry.ent_num: entry for entry in found.entries}


def test_the_published_format_is_read() -> None:
    alt = b'900001,1,"aka","ROWE, Dick",-0- \r\n900001,2,"fka","ROE, Ricardo",-0- \r\n'
    add = b'900001,1,-0- ,-0- ,"Utopia",-0- \r\n900001,2,"x","y","Utopia",-0- \r\n'
    comments = b'900001,"; DOB circa 1959"\r\n'
    found = read({"sdn.csv": SDN, "alt.csv": alt, "add.csv": add, "sdn_comments.csv": comments})
    person, company = found.entries
    assert [(name.text, name.kind) for name in person.names] == [
        ("ROE, Richard", "primary"),
        ("ROWE, Dick", "aka"),
        ("ROE, Ricardo", "fka"),
        ("SHADE", "weak"),
    ]
    assert person.programs == ("ALPHA", "BETA")
    assert person.countries == ("Utopia",)
    assert person.birth_dates == (BirthDate(1960, 2, 1), BirthDate(1961), BirthDate(1959, circa=True))
    assert (company.type, company.primary) == ("entity", 'ROE & "SONS" LTD.')


def test_the_hash_follows_the_content() -> None:
    one = read({"sdn.csv": SDN})
    assert one.hash == read({"sdn.csv": SDN, "alt.csv": b""}).hash
    assert one.hash != read({"sdn.csv": SDN.replace(b"Chief", b"Thief")}).hash


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "no entries"),
        (b'900001,"too short"\n', "line 1"),
        (SDN.split(b"\r\n")[0] + b'\r\nx,"ROE"\n', "line 2"),
        (b"<html>not a list</html>\n", "line 1"),
        (b"<html>not a list</html>", "cut short"),
        (SDN[:-20], "cut short"),
        (SDN[:-8] + b"\x1a", "line 2"),
        (SDN.rstrip(b"\x1a") + SDN, "several entries"),
    ],
)
def test_what_is_no_list_is_refused(content: bytes, message: str) -> None:
    with pytest.raises(ListError, match=message):
        read({"sdn.csv": content})


def test_files_of_different_lists_are_refused() -> None:
    with pytest.raises(ListError, match="entry 900009 is missing"):
        read({"sdn.csv": SDN, "alt.csv": b'900009,1,"aka","ROWE, Dick",-0- \n'})


def test_each_file_is_the_one_that_the_sums_name() -> None:
    good = hashlib.sha256(SDN).hexdigest()
    for line in (f"{good}  sdn.csv\n", f"{good.upper()} *SDN.CSV\r\n"):
        assert read({"sdn.csv": SDN, "SHA256SUMS": line.encode()}).entries
    for line in (f"{'0' * 64}  sdn.csv\n", f"{good}  alt.csv\n", ""):
        with pytest.raises(ListError, match="SHA-256 differs"):
            read({"sdn.csv": SDN, "SHA256SUMS": line.encode()})


def test_a_list_without_its_main_file_is_refused() -> None:
    with pytest.raises(ListError, match="missing"):
        read({"alt.csv": b""})


@pytest.mark.parametrize(
    ("remarks", "expected"),
    [
        ("DOB 10 Dec 1948.", [BirthDate(1948, 12, 10)]),
        ("POB X; DOB Dec 1948", [BirthDate(1948, 12)]),
        ("DOB circa 1948; alt. DOB 1950", [BirthDate(1948, circa=True), BirthDate(1950)]),
        ("Passport A1948", []),
    ],
)
def test_dates_of_birth_are_found_in_remarks(remarks: str, expected: list[BirthDate]) -> None:
    assert list(birth_dates(remarks)) == expected


def test_countries_and_documents_are_found_in_remarks() -> None:
    remarks = (
        "DOB 1958; nationality Iran; alt. citizen Korea, North; Passport A-123 (Iran); Tax ID No. 00.11;"
    )
    assert nationalities(remarks) == ("Iran", "Korea, North")
    assert documents(remarks) == ("A123", "0011")


def test_the_sample_list_has_invented_numbers_and_all_kinds() -> None:
    entries = sample()
    assert min(entries) >= 900_000
    assert {entry.type for entry in entries.values()} == {"individual", "entity", "vessel", "aircraft"}
    assert {name.kind for entry in entries.values() for name in entry.names} == {
        "primary",
        "aka",
        "fka",
        "nka",
        "weak",
    }
