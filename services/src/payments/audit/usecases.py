"""Proving that the trail is whole."""

from collections.abc import Sequence
from dataclasses import dataclass

from payments.audit.domain import GENESIS, Head, check
from payments.audit.store import Gap, Repeat, Snapshot, Store

MAX_FAULTS = 100


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong at an entry of the chain."""

    seq: int
    fault: str


@dataclass(frozen=True, slots=True)
class Report:
    """The outcome of a verification.

    `intact`: every entry checked fits its hash, its neighbours, the noted head and the anchors. `complete`:
    no source's events are missing; ones that are still on their way show as gaps for a moment. Lists end at
    100 items.
    """

    intact: bool
    complete: bool
    entries: int
    anchors: int
    head: Head
    faults: list[Fault]
    gaps: list[Gap]
    repeats: list[Repeat]


async def verify(store: Store, *, last: int | None = None, anchors: Sequence[Head] = ()) -> Report:
    """Recompute the chain and look for gaps.

    Args:
        last: only that many entries at the end; None for all.
        anchors: entries as they were noted elsewhere before; each must still stand.

    Raises:
        Problem(service_unavailable).
    """
    async with store.snapshot() as snapshot:
        return await examine(snapshot, last=last, anchors=anchors)


async def examine(snapshot: Snapshot, *, last: int | None = None, anchors: Sequence[Head] = ()) -> Report:
    """`verify` of the trail as a snapshot shows it."""
    faults: list[tuple[int, str]] = []
    entries = 0
    noted = await snapshot.head()
    at = Head() if last is None else await snapshot.before(max(0, noted.seq - last))
    while page := await snapshot.page(at.seq):
        found, at = check(at, page)
        faults += found[: MAX_FAULTS - len(faults)]
        entries += len(page)
    if at != noted:
        faults.append((noted.seq, f"the noted end of the chain is not its end, which is entry {at.seq}"))
    broken = await snapshot.missing(anchors)
    faults += [(seq, "the entry is not the one that was anchored") for seq in broken[:MAX_FAULTS]]
    gaps = await snapshot.gaps(MAX_FAULTS)
    repeats = await snapshot.repeats(MAX_FAULTS)
    return Report(
        intact=not faults,
        complete=not gaps and not repeats,
        entries=entries,
        anchors=len(anchors),
        head=at,
        faults=[Fault(seq, fault) for seq, fault in faults],
        gaps=gaps,
        repeats=repeats,
    )


def parse_anchor(text: str) -> Head:
    """`SEQ:HASH`. Raises ValueError."""
    seq, _, digest = text.partition(":")
    if not seq.isdecimal() or len(digest) != len(GENESIS) or int(digest, 16) < 0:
        raise ValueError("must be SEQ:HASH with 64 hex digits")
    return Head(int(seq), digest.lower())
