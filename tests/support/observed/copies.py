"""Whether the copies of the audit trail are what the tables say; the tables are the oracle."""

import asyncio
import time
from collections import Counter

from hack.kubectl import Cluster
from tests.support.faults.world import World
from tests.support.observed.stores import documents, points


async def missing_documents(cluster: Cluster, world: World, *, seconds: float) -> list[str]:
    """How the index differs from audit.events; nothing as soon as it does not, within `seconds`."""
    end = time.monotonic() + seconds
    while True:
        try:
            kept = await asyncio.to_thread(documents, cluster)
        except OSError as error:
            found = [repr(error)]
        else:
            # Read afterwards: what is recorded meanwhile may be missing, and is not a moment later.
            rows = await world.sql("SELECT event_id, seq, type, payment_id, hash FROM audit.events")
            trail = {row["event_id"]: row for row in rows}
            found = [f"not indexed: {key}" for key in trail.keys() - kept.keys()]
            found += [f"not in the trail: {key}" for key in kept.keys() - trail.keys()]
            found += [
                f"{key}: {name} is {kept[key][name]!r}, not {trail[key][name]!r}"
                for key in trail.keys() & kept.keys()
                for name in ("seq", "type", "payment_id", "hash")
                if kept[key][name] != trail[key][name]
            ]
        if not found or time.monotonic() > end:
            return found
        await asyncio.sleep(1)


async def missing_points(cluster: Cluster, world: World, token: str, *, seconds: float) -> list[str]:
    """How the bucket differs from the finished payments; nothing as soon as it does not, within `seconds`."""
    end = time.monotonic() + seconds
    while True:
        try:
            kept = await asyncio.to_thread(points, cluster, token)
        except OSError as error:
            found = [repr(error)]
        else:
            rows = await world.sql(
                """SELECT id, status, amount_minor, currency FROM payments.payments
                   WHERE status IN ('succeeded', 'failed', 'canceled')"""
            )
            ended = {row["id"]: (row["status"], str(row["amount_minor"]), row["currency"]) for row in rows}
            told = {p["payment_id"]: (p["status"], p["amount"], p["currency"]) for p in kept}
            counts = Counter(point["payment_id"] for point in kept)
            found = [f"{key} has {count} points" for key, count in counts.items() if count != 1]
            found += [
                f"{key}: {ended.get(key)}, point {told.get(key)}"
                for key in ended.keys() | told.keys()
                if ended.get(key) != told.get(key)
            ]
        if not found or time.monotonic() > end:
            return found
        await asyncio.sleep(1)
