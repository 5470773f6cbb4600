"""Users from the command line: the first operator of a platform without demo users, and the way back in.

    kubectl exec -it deploy/api-gateway -- python3 -m payments.gateway.users create ada --role operator

The database comes from the gateway's own environment (DATABASE_*).
"""

import argparse
import asyncio
import sys
from collections.abc import Sequence

from payments.common.db import Database
from payments.common.errors import Problem
from payments.common.settings import DatabaseSettings
from payments.gateway.domain import CUSTOMER
from payments.gateway.password_policy import new_password, weakness
from payments.gateway.passwords import hash_password
from payments.gateway.store import REVOCATION_MARGIN_SECONDS
from payments.gateway.tokens import LONGEST_SECONDS
from payments.gateway.user_store import Account, Change, UserStore

_BY = "command line"
_PAGE = 100
_ROLES = ("customer", "operator", "auditor")


class _Refused(Exception):
    """What the person at the terminal is told."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Exit code 0: done; 1: refused or the database does not answer; 2: wrong arguments."""
    options = _parser().parse_args(arguments)
    try:
        asyncio.run(_run(options))
    except _Refused as error:
        _say(f"refused: {error}", error=True)
    except Problem as problem:
        _say(f"failed: {problem.detail or problem.kind.title}", error=True)
    else:
        return 0
    return 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python3 -m payments.gateway.users", description="Administer users of the platform."
    )
    commands = parser.add_subparsers(dest="command", required=True)
    create = commands.add_parser("create", help="create a user")
    create.add_argument("username")
    create.add_argument("--role", required=True, choices=_ROLES)
    create.add_argument("--customer-id", help="of a customer")
    password = commands.add_parser("password", help="give a user a new password; ends the user's sessions")
    password.add_argument("username")
    for command in (create, password):
        command.add_argument(
            "--password-stdin",
            action="store_true",
            help="read the password from standard input; otherwise one is made and printed once",
        )
    for name, text in (("disable", "end all sessions and refuse logins"), ("enable", "allow logins again")):
        commands.add_parser(name, help=text).add_argument("username")
    commands.add_parser("list", help="list all users")
    return parser


async def _run(options: argparse.Namespace) -> None:
    settings = DatabaseSettings()  # type: ignore[call-arg]  # from the environment
    async with Database(settings, application="users") as database:
        # The gateway's own setting may be shorter; a mark that stays longer does no harm.
        users = UserStore(database, revocation_seconds=float(LONGEST_SECONDS + REVOCATION_MARGIN_SECONDS))
        if options.command == "create":
            await _create(users, options)
        elif options.command == "list":
            await _list(users)
        else:
            await _change(users, options)


async def _create(users: UserStore, options: argparse.Namespace) -> None:
    if (options.role == CUSTOMER) != bool(options.customer_id):
        raise _Refused("--customer-id is needed for the role customer, and for no other")
    password, made = _password(options)
    account = await users.create(
        options.username, options.role, options.customer_id, hash_password(password), by=_BY
    )
    if account is None:
        raise _Refused(f"there is a user {options.username} already")
    _say(f"user {options.username} ({account.person.user_id}) created with role {options.role}")
    if made:
        _say(f"password (shown this once): {password}")


async def _change(users: UserStore, options: argparse.Namespace) -> None:
    account = await users.by_name(options.username)
    if account is None:
        raise _Refused(f"there is no user {options.username}")
    password, made = _password(options) if options.command == "password" else ("", False)
    change = (
        Change(password_hash=hash_password(password))
        if options.command == "password"
        else Change(disabled=options.command == "disable")
    )
    changed = await users.change(account.person.user_id, change, by=_BY)
    if changed is None:
        raise _Refused(f"there is no user {options.username} any more")
    _say(f"user {options.username}: {options.command} done" + (", sessions ended" if changed.ended else ""))
    if made:
        _say(f"password (shown this once): {password}")


async def _list(users: UserStore) -> None:
    after = ""
    while page := await users.page(after, _PAGE):
        for account in page:
            _say(_line(account))
        after = page[-1].person.user_id


def _line(account: Account) -> str:
    person = account.person
    status = "disabled" if account.disabled else "active"
    return f"{person.username}\t{person.role}\t{person.customer_id or '-'}\t{status}\t{person.user_id}"


def _password(options: argparse.Namespace) -> tuple[str, bool]:
    """The password, and whether it was made here. Raises _Refused for a weak one."""
    if not options.password_stdin:
        return new_password(), True
    password = sys.stdin.readline().rstrip("\r\n")
    weak = weakness(password, options.username)
    if weak is not None:
        raise _Refused(f"the password {weak}")
    return password, False


def _say(text: str, *, error: bool = False) -> None:
    (sys.stderr if error else sys.stdout).write(f"{text}\n")


if __name__ == "__main__":
    raise SystemExit(main())
