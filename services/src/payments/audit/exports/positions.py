"""How far each copy of the trail has come, and who is at work on it: the table audit.exports.

A lease instead of an advisory lock: a store that hangs must not keep a transaction and its connection open.
Should a holder be late, two write the same documents under the same ids, which changes nothing.
"""

from dataclasses import dataclass
from datetime import timedelta

from payments.common.db import Database
from payments.common.ids import new_id

SEARCH, REBUILD, INFLUXDB = "search", "search-rebuild", "influxdb"
# Longer than any one request to a store may take.
LEASE = timedelta(seconds=20)

_STANDING = "SELECT x.seq, h.seq AS head FROM audit.exports AS x, audit.head AS h WHERE x.name = $1"
_TAKE = """
UPDATE audit.exports SET holder = $2, held_until = clock_timestamp() + $3::interval
WHERE name = $1 AND (holder = $2 OR held_until < clock_timestamp()) RETURNING seq"""
_SEIZE = "UPDATE audit.exports SET holder = $2, held_until = clock_timestamp() + $3::interval WHERE name = $1"
_MOVE = "UPDATE audit.exports SET seq = $3 WHERE name = $1 AND holder = $2 RETURNING seq"
_RELEASE = "UPDATE audit.exports SET held_until = '-infinity' WHERE name = $1 AND holder = $2"


@dataclass(frozen=True, slots=True)
class Standing:
    """Every entry up to `seq` is copied; `head` is the last there is."""

    seq: int
    head: int

    @property
    def backlog(self) -> int:
        """Entries that are not copied yet."""
        return max(0, self.head - self.seq)


class Position:
    """The row of one copy, for one worker. Every call raises Problem(service_unavailable)."""

    def __init__(self, database: Database, name: str) -> None:
        self._database = database
        self._name = name
        self._holder = new_id()

    async def standing(self) -> Standing:
        """How far it has come."""
        row = await self._database.fetchrow(_STANDING, self._name)
        assert row is not None
        return Standing(row["seq"], row["head"])

    async def take(self) -> int | None:
        """Become, or stay, the only one at work for LEASE; how far it has come, None when another one is."""
        seq: int | None = await self._database.fetchval(_TAKE, self._name, self._holder, LEASE)
        return seq

    async def seize(self) -> None:
        """Become the only one at work, whoever was; what that one still writes is what is there already."""
        await self._database.execute(_SEIZE, self._name, self._holder, LEASE)

    async def move(self, seq: int) -> bool:
        """Note that every entry up to `seq` is copied; False when another one has taken over."""
        return await self._database.fetchval(_MOVE, self._name, self._holder, seq) is not None

    async def release(self) -> None:
        """Let another one work at once."""
        await self._database.execute(_RELEASE, self._name, self._holder)
