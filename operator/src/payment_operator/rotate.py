"""Rotates the key sets of a platform in their Secrets; the steps are in rotation.py."""

from __future__ import annotations

import base64
import json
import logging
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from payment_operator import catalog, keys
from payment_operator.apply import Writer
from payment_operator.cluster import Cluster
from payment_operator.errors import ApiError
from payment_operator.keys import Jwk
from payment_operator.kinds import BY_KIND, GROUP, SECRET
from payment_operator.manifest import Object, Owner
from payment_operator.requests import ROTATE_ANNOTATION
from payment_operator.rotation import (
    ENCRYPTION_KEYS,
    REQUESTS,
    SIGNING_KEYS,
    State,
    Terms,
    advance,
    describe,
    read_duration,
    read_notes,
    write_notes,
)
from payment_operator.spec import PaymentPlatformSpec

logger = logging.getLogger(__name__)

NOTES_ANNOTATION, SERVED_ANNOTATION = f"{GROUP}/keys", f"{GROUP}/rotated-for"
#: Since when the password of a Secret is in use, or the next one known.
SINCE_ANNOTATION = f"{GROUP}/rotated-at"
#: Between two looks while a new key is not published yet.
SOON = timedelta(seconds=2)
_SETS: dict[str, tuple[str, Callable[[], Jwk]]] = {
    SIGNING_KEYS: (catalog.SIGNING, keys.signing_jwk),
    ENCRYPTION_KEYS: (catalog.ENCRYPTION, keys.encryption_jwk),
}


@dataclass(frozen=True, slots=True)
class Standing:
    """Where a key set stands: for the condition, and when to look again (None: nothing is awaited).

    ``since`` its key is in use, and ``rotates`` by itself at (None: never); both None for what is no key set.
    """

    name: str
    reason: str
    message: str
    due: datetime | None = None
    since: datetime | None = None
    rotates: datetime | None = None


class Rotator:
    """Takes the steps that are due in one namespace."""

    def __init__(self, cluster: Cluster, owner: Owner, now: Callable[[], datetime]) -> None:
        self._cluster = cluster
        self._owner = owner
        self._now = now

    def run(
        self, spec: PaymentPlatformSpec, requests: Mapping[str, str], *, write: bool
    ) -> tuple[Standing, ...]:
        """At most one step of each set; sets that are not there yet are left out. Raises ApiError."""
        terms = terms_of(spec)
        return tuple(
            standing
            for name in _SETS
            if (standing := self._one(name, terms, requests.get(name, ""), write=write))
        )

    def _one(self, name: str, terms: Terms, request: str, *, write: bool) -> Standing | None:
        secret_name, make = _SETS[name]
        secret = self._cluster.get(SECRET, self._owner.namespace, secret_name)
        state = None if secret is None else _read(secret)
        if secret is None or state is None:
            return None
        if not self._owner.owns(secret):
            if not request and terms.interval is None:
                return Standing(name, "Current", "kept by you", since=state.in_use_since)
            text = f"Secret {secret_name} is not the operator's: rotate it where it comes from"
            return Standing(name, "NotManaged", text, since=state.in_use_since)
        now = self._now()
        if write:
            state = self._step(secret, state, name, terms, request, now)
        reason, message = describe(state, terms)
        due = state.due(terms)
        if due is None and state.pending is not None:
            due = now + SOON
        since = state.in_use_since
        rotates = None if terms.interval is None else since + terms.interval
        return Standing(name, reason, message, due, since, rotates)

    def _step(
        self, secret: Object, state: State, name: str, terms: Terms, request: str, now: datetime
    ) -> State:
        make = _SETS[name][1]
        after, what = advance(
            state, now=now, terms=terms, request=request, published=self._published, make=make
        )
        if what is None:
            return state
        try:
            Writer(self._cluster, self._owner.namespace).patch(SECRET, secret, _content(after))
        except ApiError as error:
            if not error.conflict:
                raise
            # Somebody wrote to it meanwhile: look at what is there now, next time.
            return state
        logger.info("%s/%s: %s", self._owner.namespace, name, what)
        return after

    def _published(self) -> Collection[str]:
        """What the services can read: the live ConfigMap, which may lag behind the Secret."""
        found = self._cluster.get(BY_KIND["ConfigMap"], self._owner.namespace, catalog.PUBLIC_KEYS) or {}
        try:
            return {key["kid"] for key in json.loads(found["data"]["jwks.json"])["keys"]}
        except (ValueError, KeyError, TypeError):
            return ()


def misspelt(items: Iterable[str]) -> tuple[Standing, ...]:
    """For items of the annotation that name nothing that rotates."""
    known = ", ".join(REQUESTS)
    return tuple(
        Standing(
            f"annotation {ROTATE_ANNOTATION}", "UnknownRequest", f"{item[:64]!r} is unknown, use {known}"
        )
        for item in items
    )


def terms_of(spec: PaymentPlatformSpec) -> Terms:
    """The waits that the spec sets."""
    settings = spec.security.key_rotation if spec.security else None
    if settings is None:
        return Terms()
    times = {
        name: read_duration(text)
        for name in ("interval", "overlap", "keep")
        if (text := getattr(settings, name)) is not None
    }
    return Terms(**times)


def _read(secret: Object) -> State | None:
    """None for what holds no key set; who needs it says so."""
    annotations = secret["metadata"].get("annotations") or {}
    try:
        text = base64.b64decode((secret.get("data") or {})[catalog.KEY_SET])
        found = tuple(key for key in json.loads(text)["keys"] if isinstance(key["kid"], str))
        since = datetime.fromisoformat(secret["metadata"].get("creationTimestamp", "2026-01-01T00:00:00Z"))
    except (KeyError, ValueError, TypeError):
        return None
    if not found:
        return None
    notes = read_notes(annotations.get(NOTES_ANNOTATION, "{}"))
    return State(found, since, notes, annotations.get(SERVED_ANNOTATION, ""))


def _content(state: State) -> Object:
    text = keys.key_set(*state.keys)
    annotations = {NOTES_ANNOTATION: write_notes(state.notes), SERVED_ANNOTATION: state.served}
    return {
        "metadata": {"annotations": annotations},
        "data": {catalog.KEY_SET: base64.b64encode(text.encode()).decode()},
    }
