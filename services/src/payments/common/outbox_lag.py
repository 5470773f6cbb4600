"""How far an outbox is behind: rows that Kafka does not have yet, and the age of the oldest."""

from payments.common import metrics
from payments.common.db import Database
from payments.common.sampling import Sample

#: A backlog beyond this is told as this, so that looking at it stays cheap.
COUNTED = 100_000
ROWS = metrics.gauge(
    "payments_outbox_unpublished_rows",
    f"Rows that Kafka does not have yet, {COUNTED} at the most.",
    ["owner"],
)
AGE = metrics.gauge(
    "payments_outbox_oldest_age_seconds",
    "Age of the oldest row that Kafka does not have; 0 for none.",
    ["owner"],
)


def outbox_lag(database: Database, schema: str) -> Sample:
    """The lag of the schema's outbox; an index of the unpublished rows answers."""
    sql = f"""
        SELECT (SELECT count(*) FROM (SELECT FROM {schema}.outbox WHERE published_at IS NULL
                                      LIMIT {COUNTED}) AS counted) AS waiting,
               coalesce(extract(epoch FROM now() - (
                   SELECT created_at FROM {schema}.outbox WHERE published_at IS NULL
                   ORDER BY id LIMIT 1)), 0)::float8 AS age"""  # noqa: S608

    async def take() -> None:
        row = await database.fetchrow(sql)
        assert row is not None
        ROWS.labels(schema).set(row["waiting"])
        AGE.labels(schema).set(max(0.0, row["age"]))

    return Sample("outbox", take)
