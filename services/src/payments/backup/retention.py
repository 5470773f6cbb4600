"""Which backups are kept. Standard library only."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from payments.backup.manifest import Manifest


def surplus(
    backups: Sequence[Manifest], *, count: int | None, days: int | None, now: datetime
) -> list[Manifest]:
    """Those to delete, oldest first: beyond the newest `count`, or older than `days`. The newest one stays.

    None sets no limit.
    """
    newest_first = sorted(backups, key=lambda item: (item.taken_at, item.name), reverse=True)
    gone = []
    for place, item in enumerate(newest_first):
        too_many = count is not None and place >= count
        too_old = days is not None and item.taken_at < now - timedelta(days=days)
        if place > 0 and (too_many or too_old):
            gone.append(item)
    return gone[::-1]
