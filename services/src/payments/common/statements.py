"""What spans of database calls tell: kind and target of a statement, never its text or its values."""

import re

from payments.common import tracing
from payments.common.settings import DatabaseSettings

_KNOWN = 500
_TARGET = re.compile(r"\b(?:FROM|INTO|UPDATE|SELECT|JOIN)\s+([a-z_]+\.[a-z_]+)")
_WORD = re.compile(r"[A-Za-z]+")


class Statements:
    """Shapes of the statements of one database, each made once."""

    def __init__(self, settings: DatabaseSettings) -> None:
        self._attributes: tracing.Attributes = {
            "db.system.name": "postgresql",
            "db.namespace": settings.database_name,
            "server.address": settings.database_host,
            "server.port": settings.database_port,
        }
        self._shapes: dict[str, tracing.Shape] = {}

    def __call__(self, sql: str) -> tracing.Shape:
        """The shape for a statement with placeholders, or for the word `transaction`."""
        shape = self._shapes.get(sql)
        if shape is None:
            shape = self._shape(sql)
            if len(self._shapes) < _KNOWN:
                self._shapes[sql] = shape
        return shape

    def _shape(self, sql: str) -> tracing.Shape:
        operation, target = summary(sql)
        name = f"{operation} {target}" if target else operation
        more: tracing.Attributes = {"db.operation.name": operation, "db.query.summary": name}
        if target:
            more["db.collection.name"] = target
        return tracing.Shape(name, tracing.CLIENT, self._attributes | more)


def summary(sql: str) -> tuple[str, str]:
    """Operation and first table or function of a statement, each empty when it has none.

    >>> summary("SELECT * FROM payments.act($1, $2)")
    ('SELECT', 'payments.act')
    """
    word, target = _WORD.search(sql), _TARGET.search(sql)
    return (word[0] if word else "", target[1] if target else "")
