"""The sample list of the dev profile: fictitious names in the published format."""

from importlib.resources import files

import psycopg

from payments.ofac.loading import block, load
from payments.ofac.sdn import FILES, read

_BLOCKED = ("BLOCKED_CUSTOMER_001", "SANCTIONED_ENTITY_002")


def seed(connection: psycopg.Connection) -> None:
    """Put the sample list in force unless there is a list, and block the two sample customers."""
    if connection.execute("SELECT FROM ofac.list_versions WHERE active").fetchone() is None:
        folder = files("payments.ofac.sample")
        content = {name: folder.joinpath(name).read_bytes() for name in FILES}
        load(connection, read(content), source="SAMPLE_LIST", by="demo data")
    for customer_id in _BLOCKED:
        block(connection, customer_id=customer_id, reason="stands on the sample list", by="demo data")
