"""How the password in a Secret rotates, step by step. Pure: content and time go in, the next content out.

What is to be known beside the password in use stands in the Secret itself, under keys of its own, so whoever
checks passwords and whoever uses them read the same, and an operator that was restarted goes on:

- ``TWO_LOGINS`` (a role of the database has one password): the other one of two logins gets a new password
  and is used from then on; the one before is good until no pod that uses it is left (``previous-username``).
- ``TWO_PASSWORDS`` (Redis): a new password is made known first (``next-password``), then used, and the one
  before is good until no pod that uses it is left (``previous-password``).
- ``AT_ONCE`` (the superuser, which only Jobs are, and they try again): another password.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import Enum

PASSWORD, USERNAME = "password", "username"
NEXT_PASSWORD, PREVIOUS_PASSWORD, PREVIOUS_USERNAME = (
    "next-password",
    "previous-password",
    "previous-username",
)
#: Keys by which no consumer logs in: they are no reason to replace one.
ASIDE = frozenset({NEXT_PASSWORD, PREVIOUS_PASSWORD, PREVIOUS_USERNAME})
#: Of the second login of a role; the first one is the role itself.
SECOND = "_2"


class Way(Enum):
    """What lets the password before be good for a while, too."""

    TWO_LOGINS = "two logins"
    TWO_PASSWORDS = "two passwords"
    AT_ONCE = "at once"


@dataclass(frozen=True, slots=True)
class Login:
    """A Secret's content. ``since`` it is as it is; ``served`` is the last request that was begun."""

    data: Mapping[str, str]
    since: datetime
    served: str = ""

    @property
    def announced(self) -> bool:
        """Whether the next password waits for being used."""
        return NEXT_PASSWORD in self.data

    @property
    def overlaps(self) -> bool:
        """Whether the password before is good still."""
        return PREVIOUS_PASSWORD in self.data or PREVIOUS_USERNAME in self.data


def advance(
    login: Login,
    way: Way,
    *,
    now: datetime,
    interval: timedelta | None,
    overlap: timedelta,
    request: str,
    in_use: Callable[[], bool],
    make: Callable[[], str],
) -> tuple[Login, str | None]:
    """The next content and what happened, None for nothing. At most one step.

    Args:
        request: the item of the platform's annotation about this Secret, empty without one.
        in_use: whether a pod is left that may use the password before.
    """
    data = dict(login.data)
    if login.overlaps:
        if in_use():
            return login, None
        kept = {key: value for key, value in data.items() if key not in ASIDE}
        return replace(login, data=kept), "the login before is shut, nobody uses it any more"
    if login.announced:
        if login.since + overlap > now:
            return login, None
        data[PREVIOUS_PASSWORD] = data[PASSWORD]
        data[PASSWORD] = data.pop(NEXT_PASSWORD)
        return replace(login, data=data, since=now), "the new password is in use now"
    scheduled = interval is not None and login.since + interval <= now
    if not scheduled and request in ("", login.served):
        return login, None
    login = replace(login, since=now, served=request or login.served)
    if way is Way.TWO_PASSWORDS:
        return replace(
            login, data=data | {NEXT_PASSWORD: make()}
        ), "a new password is made known, not used yet"
    if way is Way.TWO_LOGINS:
        data |= {PREVIOUS_USERNAME: data[USERNAME], USERNAME: other(data[USERNAME])}
    return replace(login, data=data | {PASSWORD: make()}), "a new password is in use now"


def other(username: str) -> str:
    """The other login of the same role."""
    return username.removesuffix(SECOND) if username.endswith(SECOND) else f"{username}{SECOND}"
