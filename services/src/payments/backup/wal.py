"""The write-ahead log's files: how they are named, and which are needed. Standard library only."""

import re
from collections.abc import Iterable

#: Bytes of a segment, as PostgreSQL has them unless told otherwise.
SEGMENT = 16 * 2**20
#: What PostgreSQL archives: segments, the marks of base backups, histories of timelines.
_FILE = re.compile(r"[0-9A-F]{24}(\.[0-9A-F]{8}\.backup|\.partial)?|[0-9A-F]{8}\.history")


def known(name: str) -> bool:
    """Whether PostgreSQL gives its files such names."""
    return _FILE.fullmatch(name) is not None


def segment_at(timeline: int, location: str) -> str:
    """Name of the segment that holds a location such as "0/2000028". Raises ValueError."""
    high, low = (int(part, 16) for part in location.split("/"))
    return f"{timeline:08X}{high:08X}{low // SEGMENT:08X}"


def needed(names: Iterable[str], first: str, last: str | None = None) -> list[str]:
    """Those that lead from one segment on to another one (None: to the end), in order; histories always."""
    return sorted(
        name
        for name in names
        if name.endswith(".history")
        or (_place(name) >= _place(first) and (last is None or _place(name) <= _place(last)))
    )


def outdated(names: Iterable[str], first: str | None) -> list[str]:
    """Those before the first segment that is still needed; all when none is."""
    if first is None:
        return sorted(names)
    return sorted(name for name in names if not name.endswith(".history") and _place(name) < _place(first))


def _place(name: str) -> str:
    """The position in the log, whatever the timeline."""
    return name[8:24]
