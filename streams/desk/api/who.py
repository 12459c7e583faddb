"""Who asks and who acts: the one seam between requests and people. Without accounts the post is chosen on the page."""

from __future__ import annotations

from dataclasses import replace
from typing import cast

from starlette.requests import Request

from streams.desk.alert import Actor
from streams.desk.people import rights
from streams.desk.people.rights import Account, Role
from streams.desk.site import Site
from streams.desk.words import LANGS

THEMES = ("light", "dark")


def site_of(request: Request) -> Site:
    """The desk that this request reached."""
    return cast(Site, request.app.state.site)


def acting(request: Request) -> Actor:
    """The post that acts in this request; nobody (`Actor()`) where none was chosen or the plan has no such post.

    Who signed in acts as one of the account's posts, and leads only with the role of a leader.
    In a played history whoever opens the page is the plan's first post, so that a watcher may answer at once.
    """
    site, who = site_of(request), account(request)
    names, chosen = site.names(), request.cookies.get("post")
    if who is None:
        return Actor()
    if who.name:
        mine = chosen if chosen in who.posts else next(iter(who.posts), "")
        actor = names.actor(mine, lang_of(request))
        return replace(actor, leader=actor.leader and Role.LEADER in who.roles, account=who.name)
    if chosen is None and site.played and names.city.posts:
        chosen = names.city.posts[0].id
    return names.actor(chosen or "", lang_of(request))


def account(request: Request) -> Account | None:
    """Who signed in; everybody at this machine where there are no accounts; None = nobody."""
    return cast("Account | None", request.scope.get("state", {}).get("account"))


def demand(request: Request, act: rights.Act | str, facts: rights.Facts = rights.CITY) -> None:
    """Refused (`.key`, `.values`) where whoever asks may not do this."""
    rights.demand(account(request), act, facts)


def lang_of(request: Request) -> str:
    """`zh` unless `?lang=` or the cookie says `en`."""
    asked = request.query_params.get("lang") or request.cookies.get("lang", "")
    return asked if asked in LANGS else "zh"


def theme_of(request: Request) -> str:
    """`light`, `dark` or "" for the system's."""
    asked = request.cookies.get("theme", "")
    return asked if asked in THEMES else ""
