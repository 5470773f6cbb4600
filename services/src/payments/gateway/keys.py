"""Private keys in mounted files, which rotate while the service runs."""

from pathlib import Path
from typing import Any

from joserfc.jwk import KeySet

from payments.common.auth import RELOAD_SECONDS, KeyFile


class Keys:
    """A JWK Set file, read again when it changes. A change that cannot be read keeps the keys before it.

    Raises:
        OSError, ValueError: at construction, when the file is missing or holds no usable JWK Set.
    """

    def __init__(self, path: Path, *, reload: float = RELOAD_SECONDS) -> None:
        self._file = KeyFile(path, reload=reload)
        self._file.keys()

    def current(self) -> KeySet:
        """The keys now, the one to use first; the same object until the file changes."""
        return self._file.keys()

    def public(self) -> list[dict[str, Any]]:
        """The public halves, as members of a JWK Set (RFC 7517)."""
        return [dict(key.as_dict(private=False)) for key in self.current().keys]

    def public_first(self) -> list[dict[str, Any]]:
        """The public half of the key to use: a younger one may not have reached all replicas yet."""
        return self.public()[:1]
