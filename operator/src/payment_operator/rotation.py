"""How a key set rotates, step by step. Pure: keys, notes and the time go in, the next state comes out.

A new key goes last into the set, so that everybody learns it before anything is signed or encrypted with it.
When it has been published for ``overlap`` it becomes the first, which is the one in use. The key before it
stays for ``keep``, until what was made with it has expired, and is then dropped. Each step is one write of
the Secret, with the times of its keys beside them, so an operator that was restarted goes on.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from payment_operator.catalog import DATABASE_PASSWORDS, REDIS_PASSWORD, SUPERUSER_LOGIN
from payment_operator.keys import Jwk

#: What happened to a key, and when; kept by its id.
Notes = Mapping[str, Mapping[str, datetime]]
ADDED, PUBLISHED, PROMOTED, RETIRED = "added", "published", "promoted", "retired"
#: Values of the platform's annotation, and the default times.
SIGNING_KEYS, ENCRYPTION_KEYS = "signing-keys", "encryption-keys"
REQUESTS = (SIGNING_KEYS, ENCRYPTION_KEYS, DATABASE_PASSWORDS, REDIS_PASSWORD, SUPERUSER_LOGIN)
OVERLAP, KEEP = timedelta(minutes=3), timedelta(hours=2)
_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86_400}


@dataclass(frozen=True, slots=True)
class Terms:
    """How often keys rotate by themselves (None: never), and the two waits of a rotation."""

    interval: timedelta | None = None
    overlap: timedelta = OVERLAP
    keep: timedelta = KEEP


@dataclass(frozen=True, slots=True)
class State:
    """A key set, the key in use first. ``served`` is the last request that was begun."""

    keys: tuple[Jwk, ...]
    since: datetime
    notes: Notes = field(default_factory=dict)
    served: str = ""

    @property
    def pending(self) -> str | None:
        """Id of the key that is to be the next in use."""
        for key in self.keys[1:]:
            notes = self.notes.get(key["kid"], {})
            if ADDED in notes and RETIRED not in notes:
                return str(key["kid"])
        return None

    def due(self, terms: Terms) -> datetime | None:
        """When time alone brings the next step."""
        times = [
            self.notes[key["kid"]][RETIRED] + terms.keep
            for key in self.keys[1:]
            if RETIRED in self.notes.get(key["kid"], {})
        ]
        if self.pending is not None:
            published = self.notes[self.pending].get(PUBLISHED)
            times += [published + terms.overlap] if published else []
        elif terms.interval is not None:
            times.append(self.in_use_since + terms.interval)
        return min(times, default=None)

    @property
    def in_use_since(self) -> datetime:
        """Since when the first key is the one in use."""
        return self.notes.get(self.keys[0]["kid"], {}).get(PROMOTED, self.since)


def advance(
    state: State,
    *,
    now: datetime,
    terms: Terms,
    request: str,
    published: Callable[[], Collection[str]],
    make: Callable[[], Jwk],
) -> tuple[State, str | None]:
    """The next state and what happened, None for nothing. At most one step.

    Args:
        request: the item of the platform's annotation about this set, empty without one.
        published: ids of the keys that everybody can read.
    """
    present = {key["kid"] for key in state.keys}
    state = replace(state, notes={kid: notes for kid, notes in state.notes.items() if kid in present})
    for key in state.keys[1:]:
        retired = state.notes.get(key["kid"], {}).get(RETIRED)
        if retired is not None and retired + terms.keep <= now:
            kept = tuple(item for item in state.keys if item is not key)
            return replace(state, keys=kept), f"key {key['kid']} dropped, what it made has expired"
    pending = state.pending
    if pending is None:
        scheduled = terms.interval is not None and state.in_use_since + terms.interval <= now
        if not scheduled and request in ("", state.served):
            return state, None
        key = make()
        added = replace(_noted(state, key["kid"], ADDED, now), keys=(*state.keys, key))
        return replace(added, served=request or state.served), f"key {key['kid']} added, not in use yet"
    since = state.notes[pending].get(PUBLISHED)
    if since is None:
        if pending in published():
            return _noted(state, pending, PUBLISHED, now), f"key {pending} is published"
        return state, None
    if since + terms.overlap > now:
        return state, None
    return _promoted(state, pending, now), f"key {pending} is in use now"


def _promoted(state: State, kid: str, now: datetime) -> State:
    (first,) = (key for key in state.keys if key["kid"] == kid)
    others = tuple(key for key in state.keys if key is not first)
    return replace(
        _noted(_noted(state, kid, PROMOTED, now), others[0]["kid"], RETIRED, now), keys=(first, *others)
    )


def _noted(state: State, kid: str, what: str, now: datetime) -> State:
    notes = {**state.notes, kid: {**state.notes.get(kid, {}), what: now}}
    return replace(state, notes=notes)


def write_notes(notes: Notes) -> str:
    """As an annotation."""
    plain = {kid: {what: time(at) for what, at in times.items()} for kid, times in notes.items()}
    return json.dumps(plain, sort_keys=True)


def read_notes(text: str) -> Notes:
    """From an annotation; what cannot be read counts as not there, and its keys as the user's own."""
    try:
        return {
            str(kid): {str(what): datetime.fromisoformat(at) for what, at in times.items()}
            for kid, times in json.loads(text).items()
        }
    except (ValueError, AttributeError, TypeError):
        return {}


def read_requests(annotation: str) -> tuple[dict[str, str], list[str]]:
    """Requests by what they name, such as "signing-keys@2026-11", and items that name nothing known."""
    items = [item.strip() for item in annotation.split(",") if item.strip()]
    known = {name: item for item in items if (name := item.partition("@")[0]) in REQUESTS}
    return known, [item for item in items if item.partition("@")[0] not in known]


def read_duration(text: str) -> timedelta:
    """ "90s", "15m", "2h" or "30d" (the schema lets nothing else in)."""
    return timedelta(seconds=int(text[:-1]) * _UNITS[text[-1]])


def time(moment: datetime) -> str:
    """RFC 3339 in UTC, whole seconds."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def describe(state: State, terms: Terms) -> tuple[str, str]:
    """Reason and message for the condition: where the set stands; ids and times only."""
    kids: Sequence[Any] = [key["kid"] for key in state.keys]
    if state.pending is not None:
        since = state.notes[state.pending].get(PUBLISHED)
        when = f"in use from {time(since + terms.overlap)}" if since else "being published"
        return "Rotating", f"next key {state.pending} {when}"
    retired = [at for kid in kids[1:] if (at := state.notes.get(kid, {}).get(RETIRED))]
    if retired:
        return (
            "Overlapping",
            f"key {kids[0]} in use, the one before is kept until {time(max(retired) + terms.keep)}",
        )
    if terms.interval is not None:
        return "Current", f"key {kids[0]} in use, the next on {time(state.in_use_since + terms.interval)}"
    return "Current", f"key {kids[0]} in use"
