"""Secrets and account numbers go through every flow; none is in the index, in the bucket or in the logs."""

import json
import secrets
from pathlib import Path

import httpx

from hack.dev.stack import Stack
from tests.integration.audit_search.payers import Payers
from tests.integration.audit_search.points import Points
from tests.integration.audit_search.replicas import Replicas
from tests.integration.audit_search.search import Search, trail_stands_still
from tests.support.canaries import Flows, leaks
from tests.support.internal_calls import Pool


async def test_secrets_and_account_numbers_are_in_no_document_and_no_point(
    running: Stack,
    replicas: Replicas,
    payers: Payers,
    search: Search,
    points: Points,
    database: Pool,
    log_folder: Path,
) -> None:
    async with httpx.AsyncClient(base_url=running.url("api-gateway"), timeout=30) as api:
        flows = Flows(api, database)
        await flows.set_up()
        await flows.sessions()
        await flows.payments()
        await flows.forged()
    # What people write where they should not.
    account = flows.hide("account", f"99{secrets.randbelow(10**14):014d}")
    iban = flows.hide("iban", f"DE{secrets.randbelow(10**20):020d}")
    token = flows.hide("token", f"eyJ{secrets.token_hex(8)}.eyJ{secrets.token_hex(8)}.{secrets.token_hex(8)}")
    word = f"word{secrets.token_hex(6)}"
    written = await payers.pay(
        0,
        description=f"{word}: {account} or {iban}, Bearer {token}",
        metadata={"account": account, "note": iban, "password": flows.hide("password")},
    )
    await trail_stands_still(database)
    await search.caught_up(database)
    await points.caught_up(database)
    texts = {f"document {hit['_id']}": json.dumps(hit, ensure_ascii=False) for hit in await search.hits()}
    texts |= {f"point of {point['payment_id']}": json.dumps(point) for point in await points.all()}
    for path in log_folder.glob("audit-replica-*.log"):
        texts[path.name] = path.read_text()
    everything = "\n".join(texts.values())
    assert replicas.names() and flows.customer in everything and written in everything
    # The rest of the text can be found.
    query = {"query": {"match_phrase": {"payload": word}}}
    found = await search.ask("POST", "/payment-audit-*/_search", query)
    assert found["hits"]["total"]["value"] >= 2
    leaked = leaks(flows, texts)
    canaries = len(flows.hidden) + len(flows.codes)
    print(f"{canaries} canaries, {len(texts)} places, {len(everything)} characters: {leaked}")  # noqa: T201
    assert leaked == []
