"""Tells the audit trail when another key comes into use: once, however many replicas see it."""

from payments.common.background import Loop
from payments.gateway.keys import Keys
from payments.gateway.store import Store

_SECONDS = 10.0


class KeyNews(Loop):
    """Looks at the first key of each set; event keys.rotated."""

    def __init__(self, store: Store, sets: dict[str, Keys], *, seconds: float = _SECONDS) -> None:
        super().__init__("news of keys", self._look, max_backoff=30)
        self._store = store
        self._sets = sets
        self._seconds = seconds
        self._told: dict[str, str] = {}

    async def _look(self) -> float:
        for purpose, keys in self._sets.items():
            kid = str(keys.current().keys[0].kid)
            # Only a change is told: a replica whose file is late would undo what another one has told.
            if self._told.get(purpose) != kid:
                await self._store.key_in_use(purpose, kid)
                self._told[purpose] = kid
        return self._seconds
