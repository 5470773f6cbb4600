"""The result of the scheduled verification, as Prometheus reads it."""

import json

import httpx

from hack.dev.stack import Stack
from tests.support.internal_calls import Calls, Pool, eventually


async def test_the_last_verification_is_a_metric(
    audit: Calls, stack: Stack, database: Pool, client: httpx.AsyncClient
) -> None:
    assert audit.service == "audit-service"

    async def scraped() -> dict[str, str]:
        answer = await client.get(stack.url("audit-service") + "/metrics")
        assert answer.status_code == 200
        lines = [line for line in answer.text.splitlines() if line.startswith("payments_verification_")]
        return dict(line.rsplit(" ", 1) for line in lines)

    for ok, wrong in ((False, {"audit_chain_is_whole": 2}), (True, {"audit_chain_is_whole": 0})):
        await database.execute(
            "SELECT verification.record(now(), $1, $2::text::jsonb, '{}')", ok, json.dumps(wrong)
        )

        async def shown(ok: bool = ok, wrong: dict[str, int] = wrong) -> bool:
            found = await scraped()
            mismatches = 'payments_verification_mismatches{check="audit_chain_is_whole"}'
            return (found["payments_verification_ok"], found.get(mismatches)) == (
                f"{float(ok)}",
                f"{float(wrong['audit_chain_is_whole'])}",
            )

        await eventually("the result is shown", shown, seconds=10)
    at = float((await scraped())["payments_verification_last_run_timestamp_seconds"])
    last = await database.fetchval("SELECT extract(epoch FROM max(finished_at)) FROM verification.runs")
    assert at == float(last)
