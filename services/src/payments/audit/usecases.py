"""Proving that the trail is whole."""

from dataclasses import dataclass

from payments.audit.domain import GENESIS, Head, check
from payments.audit.store import Gap, Repeat, Store

MAX_FAULTS = 100


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong at an entry of the chain."""

    seq: int
    fault: str


@dataclass(frozen=True, slots=True)
class Report:
    """The outcome of a verification.

    `intact`: every entry checked fits its hash, its neighbours and the noted head. `complete`: no source's
    events are missing; ones that are still on their way show as gaps for a moment. Lists end at 100 items.
    """

    intact: bool
    complete: bool
    entries: int
    head: Head
    faults: list[Fault]
    gaps: list[Gap]
    repeats: list[Repeat]


async def verify(store: Store, *, last: int | None = None, anchor: Head | None = None) -> Report:
    """Recompute the chain and look for gaps.

    Args:
        last: only that many entries at the end; None for all.
        anchor: an entry as somebody noted it before; it must still stand.

    Raises:
        Problem(service_unavailable).
    """
    faults: list[tuple[int, str]] = []
    entries = 0
    async with store.snapshot() as snapshot:
        noted = await snapshot.head()
        at = Head() if last is None else await snapshot.before(max(0, noted.seq - last))
        while page := await snapshot.page(at.seq):
            found, at = check(at, page)
            faults += found[: MAX_FAULTS - len(faults)]
            entries += len(page)
        if at != noted:
            faults.append((noted.seq, f"the noted end of the chain is not its end, which is entry {at.seq}"))
        if anchor is not None and await snapshot.before(anchor.seq) != anchor:
            faults.append((anchor.seq, "the entry is not the one that was noted"))
        gaps = await snapshot.gaps(MAX_FAULTS)
        repeats = await snapshot.repeats(MAX_FAULTS)
    return Report(
        intact=not faults,
        complete=not gaps and not repeats,
        entries=entries,
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
