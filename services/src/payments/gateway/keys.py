"""Private keys in mounted files, which rotate while the service runs."""

import logging
import time
from pathlib import Path
from typing import Any

from joserfc.errors import JoseError
from joserfc.jwk import KeySet

from payments.common.auth import KeyFile

log = logging.getLogger(__name__)
_RETRY_SECONDS = 10.0


class Keys:
    """A JWK Set file, read again when it changes. A change that cannot be read keeps the keys before it.

    Raises:
        OSError, ValueError: at construction, when the file is missing or holds no usable JWK Set.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file = KeyFile(path)
        self._broken_until = 0.0
        try:
            self._keys = self._file.keys()
        except (JoseError, KeyError, TypeError) as error:
            raise ValueError(f"{path} holds no usable JWK Set") from error

    def current(self) -> KeySet:
        """The keys now; the same object until the file changes."""
        if self._broken_until and time.monotonic() < self._broken_until:
            return self._keys
        try:
            self._keys = self._file.keys()
            self._broken_until = 0.0
        except (JoseError, OSError, ValueError, KeyError, TypeError) as error:
            self._broken_until = time.monotonic() + _RETRY_SECONDS
            log.error("%s cannot be read, the former keys stay in use: %s", self._path, type(error).__name__)
        return self._keys

    def public(self) -> list[dict[str, Any]]:
        """The public halves, as members of a JWK Set (RFC 7517)."""
        return [dict(key.as_dict(private=False)) for key in self.current().keys]
