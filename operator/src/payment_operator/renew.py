"""Rotates the passwords of a platform in their Secrets; the steps are in passwords.py."""

from __future__ import annotations

import base64
import logging
import time
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import cached_property, partial

from payment_operator import keys
from payment_operator.apply import Writer
from payment_operator.catalog import DATABASE_PASSWORDS, REDIS_PASSWORD, SUPERUSER_LOGIN, SecretKind
from payment_operator.cluster import Cluster
from payment_operator.errors import ApiError
from payment_operator.kinds import POD, SECRET
from payment_operator.manifest import Object, Owner
from payment_operator.passwords import Login, Way, advance
from payment_operator.rotate import SERVED_ANNOTATION, SINCE_ANNOTATION, Standing
from payment_operator.rotation import OVERLAP, read_duration
from payment_operator.rotation import time as rfc3339
from payment_operator.settings import FIELD_MANAGER
from payment_operator.spec import PaymentPlatformSpec

logger = logging.getLogger(__name__)

WAYS = {
    DATABASE_PASSWORDS: Way.TWO_LOGINS,
    REDIS_PASSWORD: Way.TWO_PASSWORDS,
    SUPERUSER_LOGIN: Way.AT_ONCE,
}
#: Between two looks at the pods that still use the login before.
SOON = timedelta(seconds=5)
#: Times of Kubernetes are whole seconds: pods that replace others begin in a later one than the new password.
SECOND = 1.0
_ENDED = ("Succeeded", "Failed")


@dataclass(frozen=True, slots=True)
class PasswordTerms:
    """How often passwords rotate by themselves (None: never); how long Redis knows one before it is used."""

    interval: timedelta | None = None
    overlap: timedelta = OVERLAP


def terms_of(spec: PaymentPlatformSpec) -> PasswordTerms:
    """The times that the spec sets."""
    settings = spec.security.password_rotation if spec.security else None
    if settings is None:
        return PasswordTerms()
    interval = None if settings.interval is None else read_duration(settings.interval)
    return PasswordTerms(interval, OVERLAP if settings.overlap is None else read_duration(settings.overlap))


class Renewer:
    """Takes the steps that are due in one namespace; made anew for each look."""

    def __init__(self, cluster: Cluster, owner: Owner, now: datetime) -> None:
        self._cluster = cluster
        self._owner = owner
        self._now = now

    def run(
        self,
        spec: PaymentPlatformSpec,
        kinds: Iterable[SecretKind],
        requests: Mapping[str, str],
        known: Collection[str],
        *,
        write: bool,
        under_way: bool,
    ) -> tuple[Standing, ...]:
        """At most one step of each Secret. Reads none while nothing is asked for, due or ``under_way``.

        Args:
            requests: items of the platform's annotation, by what they name.
            known: the passwords that the version which runs can take another one of; no other changes.
        Raises ApiError.
        """
        terms = terms_of(spec)
        standings = []
        for name, way in WAYS.items():
            wanted = [kind.name for kind in kinds if kind.rotates == name]
            request = requests.get(name, "")
            asked = bool(request) or terms.interval is not None
            if wanted and name not in known:
                # Its pods know one login and one password: they would be locked out.
                text = "the version that runs does not know two at a time: set spec.version to a later one"
                standings += [Standing(name, "NotSupported", text)] if asked else []
            elif wanted and (asked or under_way):
                standings += self._set(name, way, wanted, terms, request, write)
            elif request:
                text = "the server runs elsewhere: change it there and in the Secret that you named"
                standings.append(Standing(name, "NotManaged", text))
        return tuple(standings)

    def _set(
        self, name: str, way: Way, wanted: Sequence[str], terms: PasswordTerms, request: str, write: bool
    ) -> list[Standing]:
        secrets = self._cluster.parallel(
            lambda item: self._cluster.get(SECRET, self._owner.namespace, item), wanted
        )
        found = [secret for secret in secrets if secret is not None]
        ours = [secret for secret in found if self._owner.owns(secret)]
        # Together, for each change of what is good is a run of the migration.
        held = partial(self._held, [secret for secret in ours if _read(secret).overlaps])
        logins = [self._one(secret, way, terms, request, write, held) for secret in ours]
        if write and any(after is not before for before, after in logins):
            time.sleep(SECOND)
        standings = [self._standing(name, [after for _, after in logins], terms)] if logins else []
        if len(ours) < len(found) and request:
            names = ", ".join(item["metadata"]["name"] for item in found if item not in ours)
            text = f"Secret {names} is not the operator's: rotate it where it comes from"
            standings.append(Standing(name, "NotManaged", text))
        return standings

    def _one(
        self,
        secret: Object,
        way: Way,
        terms: PasswordTerms,
        request: str,
        write: bool,
        held: Callable[[], bool],
    ) -> tuple[Login, Login]:
        """The login before and after the step; the same one when there was none."""
        before = _read(secret)
        if not write:
            return before, before
        name = secret["metadata"]["name"]
        after, what = advance(
            before,
            way,
            now=self._now,
            interval=terms.interval,
            overlap=terms.overlap,
            request=request,
            in_use=held,
            make=keys.password,
        )
        if what is None:
            return before, before
        try:
            Writer(self._cluster, self._owner.namespace).patch(SECRET, secret, _changes(before, after))
        except ApiError as error:
            if not error.conflict:
                raise
            # Somebody wrote to it meanwhile: look at what is there now, next time.
            return before, before
        logger.info("%s/%s: %s", self._owner.namespace, name, what)
        return before, after

    def _standing(self, name: str, logins: Sequence[Login], terms: PasswordTerms) -> Standing:
        since = min(login.since for login in logins)
        rotates = None if terms.interval is None else since + terms.interval
        base = Standing(name, "Current", f"in use since {rfc3339(since)}", None, since, rotates)
        announced = [login.since + terms.overlap for login in logins if login.announced]
        if announced:
            text = f"the next one is made known, in use from {rfc3339(max(announced))}"
            return replace(base, reason="Rotating", message=text, due=min(announced))
        late = sum(login.overlaps for login in logins)
        if late:
            text = f"{len(logins)} changed; of {late} the one before is good until no pod uses it"
            return replace(base, reason="Overlapping", message=text, due=self._now + SOON)
        return replace(base, due=rotates)

    def _held(self, secrets: Iterable[Object]) -> bool:
        """Whether a pod is left that uses what was good before the last change of one of these Secrets."""
        changed = {item["metadata"]["name"]: _written(item) or _read(item).since for item in secrets}
        return any(
            datetime.fromisoformat(pod["metadata"]["creationTimestamp"]) <= since
            for pod in self._pods
            if pod.get("status", {}).get("phase") not in _ENDED
            for since in (changed[name] for name in _logins_of(pod) if name in changed)
        )

    @cached_property
    def _pods(self) -> list[Object]:
        """All of the namespace, read once: pods of a person's making may use a Secret, too."""
        return self._cluster.list(POD, self._owner.namespace)


def _logins_of(pod: Object) -> set[str]:
    """The Secrets that it got when it began. Who has one as files sees each change."""
    containers = [*pod["spec"].get("initContainers", ()), *pod["spec"]["containers"]]
    return {
        variable.get("valueFrom", {}).get("secretKeyRef", {}).get("name", "")
        for container in containers
        for variable in container.get("env", ())
    }


def _read(secret: Object) -> Login:
    metadata = secret["metadata"]
    annotations = metadata.get("annotations") or {}
    data = {key: base64.b64decode(value).decode() for key, value in (secret.get("data") or {}).items()}
    since = annotations.get(SINCE_ANNOTATION) or metadata.get("creationTimestamp", "2026-01-01T00:00:00Z")
    return Login(data, datetime.fromisoformat(since), annotations.get(SERVED_ANNOTATION, ""))


def _written(secret: Object) -> datetime | None:
    """When we wrote it last, by the API server's clock, which is that of the pods' times as well."""
    times = [
        datetime.fromisoformat(entry["time"])
        for entry in secret["metadata"].get("managedFields", ())
        if entry.get("manager") == FIELD_MANAGER and "time" in entry
    ]
    return max(times, default=None)


def _changes(before: Login, after: Login) -> Object:
    data = {
        key: base64.b64encode(after.data[key].encode()).decode() if key in after.data else None
        for key in before.data.keys() | after.data.keys()
        if before.data.get(key) != after.data.get(key)
    }
    annotations = {SINCE_ANNOTATION: rfc3339(after.since), SERVED_ANNOTATION: after.served}
    return {"metadata": {"annotations": annotations}, "data": data}
