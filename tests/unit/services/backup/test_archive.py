"""Files of the log: their names, what is needed of them, and that each is written once."""

import random
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from obstore.store import LocalStore, MemoryStore

from payments.backup.archive import Archive, Differs, systems
from payments.backup.base import Base, bases_around
from payments.backup.manifest import Manifest, name_at, parse
from payments.backup.recovery import chosen_of
from payments.backup.shipping import Late, ship
from payments.backup.stores import BackupMissing, Damaged
from payments.backup.wal import known, needed, outdated, segment_at

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)


def segment(number: int, timeline: int = 1) -> str:
    return f"{timeline:08X}{number // 256:08X}{number % 256:08X}"


def base(hours: int, first: int, system: str = "7") -> Base:
    return Base("payment_db", system, segment(first), NOON + timedelta(hours=hours), 10, "ab")


def backup(copy: Base | None, hours: int = 0) -> Manifest:
    taken_at = NOON + timedelta(hours=hours)
    return Manifest(name_at(taken_at), taken_at, "0.1.0", {"revisions": {}}, 10, "ab", copy)


def test_names_of_the_log() -> None:
    assert segment_at(1, "0/2000028") == "000000010000000000000002"
    assert segment_at(3, "1A/FF000000") == "000000030000001A000000FF"
    for name in ("000000010000000000000002", "000000010000000000000002.00000028.backup", "00000002.history"):
        assert known(name)
    for name in (
        "",
        "../../etc/passwd",
        "00000001000000000000000g",
        "000000010000000000000002'",
        "x.history",
    ):
        assert not known(name)


def test_what_a_recovery_needs_and_what_nothing_needs() -> None:
    mark = f"{segment(4)}.00000028.backup"
    names = [segment(number) for number in range(3, 9)] + [mark, "00000002.history", segment(9, timeline=2)]
    random.Random(3).shuffle(names)
    assert needed(names, segment(7)) == [segment(7), segment(8), "00000002.history", segment(9, 2)]
    assert needed(names, segment(7), segment(7)) == [segment(7), "00000002.history"]
    assert outdated(names, segment(5)) == [segment(3), segment(4), mark]
    assert outdated(names, None) == sorted(names)


def test_the_newest_copy_before_the_moment_is_taken() -> None:
    bases = [base(0, 10), base(24, 40), base(48, 80), base(72, 120)]
    random.Random(5).shuffle(bases)

    def at(hours: int) -> datetime:
        return NOON + timedelta(hours=hours)

    assert bases_around(bases, at(-1)) == (None, None)
    assert bases_around(bases, at(0)) == (base(0, 10), segment(80)), "until the second copy after it begins"
    assert bases_around(bases, at(30)) == (base(24, 40), segment(120))
    assert bases_around(bases, at(50)) == (base(48, 80), None)
    assert bases_around(bases, at(999)) == (base(72, 120), None)
    other = base(30, 5, system="8")
    assert bases_around([*bases, other], at(25))[1] == segment(120), "another server's log says nothing"
    assert bases_around([*bases, other], at(31)) == (other, None)


def test_a_moment_that_nothing_leads_to_names_the_first_one() -> None:
    with pytest.raises(BackupMissing, match="no backup here has a copy of the data"):
        chosen_of([backup(None)], NOON)
    with pytest.raises(BackupMissing, match=r"the first moment is 2026-11-23T13:00:00Z"):
        chosen_of([backup(None), backup(base(1, 4))], NOON)
    chosen, _ = chosen_of([backup(None, 5), backup(base(1, 4), 1)], NOON + timedelta(hours=6))
    assert chosen.taken_at == NOON + timedelta(hours=1)


def test_a_manifest_with_a_copy_comes_back_as_it_was() -> None:
    whole = backup(base(1, 4))
    assert parse(whole.as_json()) == whole
    assert parse(backup(None).as_json()).base is None


def test_a_file_is_written_once(tmp_path: Path) -> None:
    for store, folder in ((LocalStore(tmp_path, mkdir=True), tmp_path), (MemoryStore(), None)):
        archive = Archive(store, "7", folder)
        archive.put(segment(1), b"log" * 9999)
        archive.put(segment(1), b"log" * 9999)
        with pytest.raises(Differs, match="another content"):
            archive.put(segment(1), b"another log")
        archive.put(segment(2), b"")
        assert archive.names() == [segment(1), segment(2)]
        assert Archive(store, "8").names() == [] and systems(store) == ["7"]
        archive.delete([segment(1), segment(3)])
        assert archive.names() == [segment(2)]
    (tmp_path / "wal/7" / f"{segment(2)}.gz").write_bytes(b"\x1f\x8bhalf")
    with pytest.raises(Damaged):
        Archive(LocalStore(tmp_path), "7").put(segment(2), b"")


class Answers:
    """A server whose files wait: it takes notice of one when it was told so and asked again."""

    def __init__(self, *names: str, deaf: bool = False) -> None:
        self.waits = dict.fromkeys(names, False)
        self.deaf = deaf
        self._last: list[tuple[object, ...]] = []

    def execute(self, query: object, parameters: list[str] | None = None, **_: object) -> "Answers":
        if parameters:
            self._last = [(f"content of {parameters[0]}".encode(),)]
        elif "COPY" in repr(query):
            name = next(name for name in self.waits if name in repr(query))
            self.waits[name] = True
        else:
            self.waits = {name: told for name, told in self.waits.items() if self.deaf or not told}
            self._last = [(name,) for name in self.waits]
        return self

    def fetchall(self) -> list[tuple[object, ...]]:
        return self._last

    def fetchone(self) -> tuple[object, ...]:
        return self._last[0]


def test_all_that_waits_is_stored_before_the_server_is_told() -> None:
    archive = Archive(MemoryStore(), "7")
    server = Answers(segment(1), segment(2), segment(3))
    assert ship(server, archive, segment(2), patience=5, sleep=lambda _: None) == 3  # type: ignore[arg-type]
    assert archive.names() == [segment(1), segment(2), segment(3)] and not server.waits


def test_a_server_that_takes_no_notice_is_not_waited_for_without_end() -> None:
    server = Answers(segment(1), deaf=True)
    with pytest.raises(Late, match=f"1 files wait, the first is {segment(1)}"):
        ship(server, Archive(MemoryStore(), "7"), segment(1), patience=0.05)  # type: ignore[arg-type]


def test_a_name_that_is_none_is_not_asked_for() -> None:
    server = Answers("x'; DROP TABLE accounts.entries; --")
    with pytest.raises(ValueError, match="no name of its log"):
        ship(server, Archive(MemoryStore(), "7"), "x", patience=1)  # type: ignore[arg-type]
