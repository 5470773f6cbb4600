"""What a person asks of the operator by annotations on the platform. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from payment_operator.kinds import GROUP

ROTATE_ANNOTATION = f"{GROUP}/rotate"
BACKUP_ANNOTATION = f"{GROUP}/backup"
DRY_RUN_ANNOTATION = f"{GROUP}/dry-run"
RETRY_ANNOTATION = f"{GROUP}/retry-upgrade"
_NO = frozenset({"", "false", "no", "0"})


class Requests(NamedTuple):
    """`rotate` names key sets (see rotation.py); `dry_run`: show what would be done, and do nothing.

    `retry` is any text; another one has a failed upgrade tried again.
    `backup` is any text such as now-1: a backup is made for each new one.
    """

    rotate: str = ""
    dry_run: bool = False
    retry: str = ""
    backup: str = ""


def requests_of(platform: Mapping[str, Any]) -> Requests:
    """The annotations of a platform, read."""
    annotations = platform["metadata"].get("annotations") or {}
    dry_run = annotations.get(DRY_RUN_ANNOTATION, "").strip().lower() not in _NO
    return Requests(
        annotations.get(ROTATE_ANNOTATION, ""),
        dry_run,
        annotations.get(RETRY_ANNOTATION, "")[:64],
        annotations.get(BACKUP_ANNOTATION, "").strip()[:128],
    )
