"""The API server's own record of who asked what."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from hack.controlplane.servers import ACCOUNT

WRITES = frozenset({"create", "update", "patch", "delete", "deletecollection"})
#: What an operator writes about a platform, rather than for it.
ABOUT = frozenset({"events", "paymentplatforms/status", "leases"})


@dataclass(frozen=True, slots=True)
class Call:
    """One request of an operator and its answer."""

    at: datetime
    operator: str
    verb: str
    resource: str
    namespace: str
    name: str
    code: int
    dry_run: bool

    @property
    def writes(self) -> bool:
        """Whether it may have changed something."""
        return self.verb in WRITES and not self.dry_run

    @property
    def writes_child(self) -> bool:
        """Whether it may have changed something beside status, events and leases."""
        return self.writes and self.resource not in ABOUT

    def __str__(self) -> str:
        return f"{self.at:%H:%M:%S.%f} {self.operator} {self.verb} {self.resource}/{self.name} {self.code}"


class Audit:
    """Reads on from where it was; `mark` forgets what was before. Of one operator, or of all."""

    def __init__(self, log: Path, operator: str = "") -> None:
        self._log = log
        self._operator = operator
        self._from = 0
        self._read: list[Call] = []

    def mark(self) -> None:
        """From here on."""
        self._from = self._log.stat().st_size
        self._read = []

    def calls(self, namespace: str | None = None) -> list[Call]:
        """The operators' requests since the mark, in a namespace or in all."""
        self._read_on()
        return [call for call in self._read if namespace is None or call.namespace == namespace]

    def children_written(self, namespace: str | None = None) -> list[Call]:
        """Writes of children and Secrets."""
        return [call for call in self.calls(namespace) if call.writes_child]

    def by_verb(self, namespace: str | None = None) -> Counter[str]:
        """How often which verb; a dry run counts apart."""
        return Counter(
            f"{call.verb} (dry run)" if call.dry_run else call.verb for call in self.calls(namespace)
        )

    def _read_on(self) -> None:
        with self._log.open("rb") as lines:
            lines.seek(self._from)
            for line in lines:
                if not line.endswith(b"\n"):
                    return
                self._from += len(line)
                call = _call(line)
                if call is not None and self._operator in ("", call.operator):
                    self._read.append(call)


def _call(line: bytes) -> Call | None:
    # Most lines are of others; to parse them takes longer than all the rest.
    if ACCOUNT.encode() not in line:
        return None
    event = json.loads(line)
    user, what = event["user"], event.get("objectRef")
    if not isinstance(user, dict) or user["username"] != ACCOUNT or not isinstance(what, dict):
        return None
    # A watch is told when it begins, everything else when it ended.
    if event["stage"] != ("ResponseStarted" if event["verb"] == "watch" else "ResponseComplete"):
        return None
    status = event.get("responseStatus")
    resource = str(what.get("resource", ""))
    if sub := what.get("subresource"):
        resource += f"/{sub}"
    return Call(
        datetime.fromisoformat(str(event["stageTimestamp"])),
        str(user.get("uid", "")),
        str(event["verb"]),
        resource,
        str(what.get("namespace", "")),
        str(what.get("name", "")),
        int(status.get("code", 0)) if isinstance(status, dict) else 0,
        "dryRun=All" in str(event["requestURI"]),
    )
