"""`wanglou accounts`: who may sign in to the desk. Passwords are asked for, or read from stdin."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from streams.desk.store import Store

app = typer.Typer(no_args_is_help=True, help="Accounts of the desk. With the first one, everybody must sign in.")
Name = Annotated[str, typer.Argument(help="2 to 40 of a-z 0-9 . _ - ; a function, not a person.")]
Role = Annotated[list[str] | None, typer.Option(help="viewer, duty, leader, analyst, admin, auditor; several times for several.")]
Area = Annotated[list[str] | None, typer.Option(help="An area with all below it (`admin:lanxi`); none = the whole city.")]
Agency = Annotated[list[str] | None, typer.Option(help="An agency as in sites.csv and posts.yaml; none = all.")]
Post = Annotated[list[str] | None, typer.Option(help="A post of posts.yaml that the account may act as.")]


def register(root: typer.Typer) -> None:
    """Add the command."""
    root.add_typer(app, name="accounts")


@app.command("add")
def add(name: Name, role: Role = None, area: Area = None, agency: Agency = None, post: Post = None,
        subject: Annotated[str, typer.Option(help="`ISSUER|SUB` of the single sign-on, in place of a password.")] = "") -> None:
    """Make an account. Its password is asked for twice, or is the first line of stdin."""
    from streams.clock import now
    from streams.desk.people import accounts

    store = _store()
    accounts.known(role or [])
    _check(area or [], agency or [], post or [])
    password = "" if subject else _password()
    with store.begin() as s:
        first = not accounts.any_there(s)
        accounts.add(s, name, password, role or [], now(), area or [], agency or [], post or [], subject)
    print(f"{name}: added" + ("; from now on everybody signs in" if first else ""))


@app.command("list")
def list_(as_json: Annotated[bool, typer.Option("--json", help="One JSON object a line.")] = False) -> None:
    """All accounts, with what they may do and where they are signed in."""
    from streams.clock import iso, now
    from streams.desk.people import accounts, sessions

    with _store().read() as s:
        for row in accounts.every(s):
            said = {"name": row.name, "roles": row.roles, "areas": row.areas, "agencies": row.agencies, "posts": row.posts,
                    "locked": row.locked, "subject": row.subject, "created": iso(row.created),
                    "sessions": len(sessions.of(s, row.name, now()))}
            if as_json:
                print(json.dumps(said, ensure_ascii=False))
                continue
            where = " ".join([*row.areas, *row.agencies]) or "city"
            print(f"{row.name:20} {','.join(row.roles):20} {where:24} posts={','.join(row.posts) or '-'} "
                  f"sessions={said['sessions']}{' LOCKED' if row.locked else ''}")


@app.command("change")
def change(name: Name, role: Role = None, area: Area = None, agency: Agency = None, post: Post = None,
           everywhere: Annotated[bool, typer.Option(help="Take all limits of area and agency away.")] = False) -> None:
    """Change what is given; the rest stays. Its sessions go on with the new rights."""
    from streams.clock import now
    from streams.desk.people import accounts

    _check(area or [], agency or [], post or [])
    given: dict[str, list[str] | None] = {"roles": role, "areas": area, "agencies": agency, "posts": post}
    if everywhere:
        given |= {"areas": area or [], "agencies": agency or []}
    with _store().begin() as s:
        accounts.change(s, name, now(), {k: x for k, x in given.items() if x is not None})
    print(f"{name}: changed")


@app.command("lock")
def lock(name: Name) -> None:
    """Nobody signs in with it any more; its sessions end at once."""
    from streams.clock import now
    from streams.desk.people import accounts

    _do(lambda s: accounts.lock(s, name, True, now()))
    print(f"{name}: locked")


@app.command("unlock")
def unlock(name: Name) -> None:
    """It may be used again."""
    from streams.clock import now
    from streams.desk.people import accounts

    _do(lambda s: accounts.lock(s, name, False, now()))
    print(f"{name}: unlocked")


@app.command("password")
def password(name: Name) -> None:
    """Set a new password, asked for twice or the first line of stdin; its sessions end."""
    from streams.clock import now
    from streams.desk.people import accounts

    store = _store()
    with store.read() as s:
        accounts.one(s, name)
    given = _password()
    with store.begin() as s:
        accounts.set_password(s, name, given, now())
    print(f"{name}: new password; its sessions ended")


@app.command("token")
def token(name: Name, days: Annotated[int, typer.Option(min=1, max=3660)] = 365,
          label: Annotated[str, typer.Option(help="What it is for, as the list of sessions shows it.")] = "program") -> None:
    """A token for a program (`Authorization: Bearer …`) with the rights of an account; it is printed once and not kept."""
    from streams.clock import now
    from streams.desk.people import accounts

    made: list[str] = []
    _do(lambda s: made.append(accounts.token(s, name, label, now(), days)))
    print(made[0])


def _store() -> Store:
    from sqlalchemy.exc import OperationalError

    from streams.desk.store import Store
    from streams.errors import Unavailable
    from streams.settings import settings

    try:
        return Store(settings().desk_url)
    except OperationalError as error:
        raise Unavailable(f"WANGLOU_DESK_URL: {str(error.orig).strip()}") from None


def _do(deed: Callable[..., object]) -> None:
    with _store().begin() as s:
        deed(s)


def _password() -> str:
    """From the keyboard, unseen and twice; from a pipe, its first line. Never from the command line, which others can read."""
    if not sys.stdin.isatty():
        return sys.stdin.readline().rstrip("\r\n")
    return str(typer.prompt("password", hide_input=True, confirmation_prompt=True))


def _check(areas: list[str], agencies: list[str], posts: list[str]) -> None:
    """What the plan in force does not know is probably mistyped: say so, but go on, for the plan may come later."""
    from streams.desk.names import Plan, from_state
    from streams.settings import settings

    names = Plan(from_state(settings().state_url))()
    known_areas = {x for a in names.city.areas for x in (a.id, f"{a.tree}:{a.id}")}
    known_agencies = {s.agency for s in names.city.sites.values()} | {p.agency for p in names.city.posts}
    asked = (("area", areas, known_areas), ("agency", agencies, known_agencies), ("post", posts, set(names.posts)))
    for what, given, known in asked:
        for x in given:
            if x not in known:
                print(f"{what} {x}: not in the plan in force", file=sys.stderr)
