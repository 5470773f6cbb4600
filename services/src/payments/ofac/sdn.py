"""Reads the files of the Specially Designated Nationals list as the US Treasury publishes them.

https://ofac.treasury.gov/specially-designated-nationals-list-data-formats-data-schemas: comma-separated
without a header, null is `-0-`, joined by ent_num. sdn.csv has 12 columns, alt.csv 5, add.csv 6,
sdn_comments.csv 2 (what did not fit into Remarks).
"""

import csv
import hashlib
import re
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime

from payments.ofac.domain.listing import BirthDate, Entry, EntryType, Name, NameKind

FILES = ("sdn.csv", "alt.csv", "add.csv", "sdn_comments.csv")
SUMS = "SHA256SUMS"
_COLUMNS = {"sdn.csv": 12, "alt.csv": 5, "add.csv": 6, "sdn_comments.csv": 2}
_TYPES: dict[str, EntryType] = {"individual": "individual", "vessel": "vessel", "aircraft": "aircraft"}
_ALIAS_KINDS: dict[str, NameKind] = {"aka": "aka", "fka": "fka", "nka": "nka"}
_WEAK = re.compile(r"""a\.k\.a\.,? (?:'([^']+)'|"([^"]+)")""", re.IGNORECASE)
_NATIONAL = re.compile(r"(?:^|; )(?:alt\. )?(?:nationality|citizen) ([^;.(]+)", re.IGNORECASE)
_DOCUMENT = re.compile(
    r"(?:Passport|Identification Number|National ID No\.|Tax ID No\.|Registration ID|Registration Number|"
    r"Identity Card|Driver's License No\.|Residency Number|SSN|C\.U\.I\.T\.|C\.U\.R\.P\.|R\.F\.C\.|"
    r"Cedula No\.|NIT #|Legal Entity Number|Company Number)\s*#?\s*([A-Z0-9][A-Z0-9./-]{3,30})",
    re.IGNORECASE,
)
_SEPARATORS = re.compile(r"[^A-Z0-9]")
_BIRTH = re.compile(r"DOB (circa )?((?:\d{1,2} )?(?:[A-Za-z]{3} )?\d{4})")


class ListError(ValueError):
    """A file that is no list; the message names file, line and fault."""


@dataclass(frozen=True)
class SanctionsList:
    """A list with the SHA-256 over the files it came from, and their size."""

    hash: str
    entries: tuple[Entry, ...]
    bytes: int = 0

    @property
    def names(self) -> int:
        """Names of all entries."""
        return sum(len(entry.names) for entry in self.entries)


def read(files: Mapping[str, bytes]) -> SanctionsList:
    """The list in the files' contents, by file name; only sdn.csv is required.

    With SHA256SUMS (as sha256sum writes it) each file must be the one that it names.

    Raises:
        ListError: a file is missing, empty, cut short, malformed, of another list or not as its sum says.
    """
    if "sdn.csv" not in files:
        raise ListError("sdn.csv is missing")
    _check_sums(files)
    aliases: dict[int, list[Name]] = defaultdict(list)
    for number, _, kind, text, _ in _rows(files, "alt.csv"):
        if text:
            aliases[int(number)].append(Name(text, _ALIAS_KINDS.get(kind.lower(), "aka")))
    countries: dict[int, list[str]] = defaultdict(list)
    for number, _, _, _, country, _ in _rows(files, "add.csv"):
        if country and country not in countries[int(number)]:
            countries[int(number)].append(country)
    comments: dict[int, str] = defaultdict(str)
    for number, text in _rows(files, "sdn_comments.csv"):
        comments[int(number)] += text
    entries = []
    for row in _rows(files, "sdn.csv"):
        ent_num, remarks = int(row[0]), row[11] + comments[int(row[0])]
        weak = [Name(a or b, "weak") for a, b in _WEAK.findall(remarks)]
        entries.append(
            Entry(
                ent_num=ent_num,
                type=_TYPES.get(row[2].lower(), "entity"),
                names=(Name(row[1], "primary"), *aliases[ent_num], *weak),
                programs=tuple(program for program in row[3].split("] [") if program),
                countries=tuple(dict.fromkeys([*countries[ent_num], *nationalities(remarks)])),
                birth_dates=birth_dates(remarks),
                documents=documents(remarks),
                remarks=remarks,
            )
        )
    if not entries:
        raise ListError("sdn.csv has no entries")
    numbers = {entry.ent_num for entry in entries}
    if len(numbers) < len(entries):
        raise ListError("sdn.csv has several entries of one number")
    for name, named in (("alt.csv", aliases), ("add.csv", countries), ("sdn_comments.csv", comments)):
        if strangers := set(named) - numbers:
            raise ListError(
                f"{name} is not of the same list as sdn.csv: entry {min(strangers)} is missing there"
            )
    digest = hashlib.sha256()
    for name in FILES:
        content = files.get(name, b"")
        digest.update(f"{name} {len(content)}\n".encode() + content)
    return SanctionsList(digest.hexdigest(), tuple(entries), sum(map(len, files.values())))


def birth_dates(remarks: str) -> tuple[BirthDate, ...]:
    """Dates of birth in Remarks, e.g. "DOB 10 Dec 1948; alt. DOB Mar 1950; DOB circa 1952"."""
    found = []
    for circa, text in _BIRTH.findall(remarks):
        parts = text.split()
        month = datetime.strptime(parts[-2], "%b").month if len(parts) > 1 and _is_month(parts[-2]) else None
        day = int(parts[0]) if len(parts) == 3 else None
        found.append(BirthDate(int(parts[-1]), month, day, bool(circa)))
    return tuple(found)


def nationalities(remarks: str) -> tuple[str, ...]:
    """Countries of nationality or citizenship in Remarks, as written."""
    return tuple(dict.fromkeys(found.strip() for found in _NATIONAL.findall(remarks)))


def documents(remarks: str) -> tuple[str, ...]:
    """Numbers of documents and registers in Remarks, normalized."""
    return tuple(dict.fromkeys(document(found) for found in _DOCUMENT.findall(remarks)))


def document(number: str) -> str:
    """A document's number in capital letters and digits only."""
    return _SEPARATORS.sub("", number.upper())


def _is_month(text: str) -> bool:
    return text.title() in "Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec".split()


def _rows(files: Mapping[str, bytes], name: str) -> Iterator[list[str]]:
    content = files.get(name, b"")
    # The published files end with the control character SUB.
    if content and not content.endswith((b"\n", b"\x1a")):
        raise ListError(f"{name} is cut short: its last line has no end")
    text = _decode(content).rstrip("\x1a\r\n ")
    reader = csv.reader(text.splitlines(), skipinitialspace=True, strict=True)
    try:
        for row in reader:
            if len(row) != _COLUMNS[name] or not row[0].strip().isdecimal():
                raise ListError(f"{name} line {reader.line_num}: not a record of {_COLUMNS[name]} columns")
            yield ["" if (cell := value.strip()) == "-0-" else cell for value in row]
    except csv.Error as error:
        raise ListError(f"{name} line {reader.line_num}: {error}") from error


def _check_sums(files: Mapping[str, bytes]) -> None:
    if SUMS not in files:
        return
    sums = {}
    for line in _decode(files[SUMS]).splitlines():
        digest, _, name = line.strip().partition(" ")
        sums[name.strip().removeprefix("*").lower()] = digest.lower()
    for name in FILES:
        if name in files and sums.get(name) != hashlib.sha256(files[name]).hexdigest():
            raise ListError(f"{name} is not the file that {SUMS} names: its SHA-256 differs")


def _decode(content: bytes) -> str:
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        return content.decode("latin-1")
