"""Rights: role x area x agency, decided by `may` and nowhere else. Pure.

Warnings are read by everybody who signed in: a command centre needs one picture. Deeds, mutes, releases and the data of
people need the role *and* the place. Duties are kept apart as GB/T 22239 (security of classified protection) asks:
who keeps accounts (admin), who works with warnings (duty, leader, analyst) and who looks at the record (auditor).
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from detectors.level import Level
from streams.desk.alert import Refused
from streams.desk.calling import routes

if TYPE_CHECKING:
    from streams.desk.names import Names
    from streams.desk.tables import Alert


class Role(StrEnum):
    """What an account is for. An account may have several."""

    VIEWER = "viewer"      # 只读: looks, also a wall screen
    DUTY = "duty"          # 值班员: answers and acts
    LEADER = "leader"      # 带班领导: also releases, mutes red, keeps the roster
    ANALYST = "analyst"    # 规则员: proposes and approves detectors
    ADMIN = "admin"        # 系统管理员: accounts, channels; no warnings
    AUDITOR = "auditor"    # 安全审计员: the whole record, nothing else


class Act(StrEnum):
    """What a person may do. Deeds on a warning have the names of its moves (alert.Move)."""

    VIEW = "view"
    SOUND = "sound"                # silence the sound of one's own page
    ANSWER = "answer"
    ANSWER_FOR = "answer_for"
    PASS = "pass"
    NEWS = "news"
    COMMENT = "comment"
    HANDOVER = "handover"
    VERIFY = "verify"
    CLOSE = "close"
    REOPEN = "reopen"
    SIGN = "sign"                  # a hand-over between shifts
    SILENCE = "silence"            # 屏蔽
    SUBMIT = "submit"              # 报批 of a public warning
    RELEASE = "release"            # its 批准发布, Update and 解除
    ORDER = "order"                # work orders
    REPORT = "report"              # 人工接报
    LEAD = "lead"                  # close a lead 线索, or take it up again
    RESEND = "resend"              # a parked delivery
    DRILL = "drill"
    ROSTER = "roster"              # edit shifts and posts' substitutes
    PEOPLE = "people"              # read names, numbers and addresses
    PROPOSE = "propose"            # detectors
    APPROVE = "approve"
    AUDIT = "audit"                # read the whole record and the sessions of others
    ACCOUNTS = "accounts"


_VIEWER = frozenset({Act.VIEW, Act.SOUND})
_DUTY = _VIEWER | {
    Act.ANSWER, Act.ANSWER_FOR, Act.PASS, Act.NEWS, Act.COMMENT, Act.HANDOVER, Act.VERIFY, Act.CLOSE, Act.REOPEN, Act.SIGN,
    Act.SILENCE, Act.SUBMIT, Act.ORDER, Act.REPORT, Act.LEAD, Act.RESEND, Act.DRILL, Act.PEOPLE,
}
GRANTS: dict[Role, frozenset[Act]] = {
    Role.VIEWER: _VIEWER,
    Role.DUTY: frozenset(_DUTY),
    Role.LEADER: frozenset(_DUTY | {Act.RELEASE, Act.ROSTER}),
    Role.ANALYST: _VIEWER | {Act.COMMENT, Act.REPORT, Act.LEAD, Act.PROPOSE, Act.APPROVE},
    Role.ADMIN: _VIEWER | {Act.RESEND, Act.DRILL, Act.ROSTER, Act.PEOPLE, Act.ACCOUNTS},
    Role.AUDITOR: _VIEWER | {Act.AUDIT},
}
"""What each role may do where its place allows."""

EVERYWHERE = _VIEWER
"""Acts for which the place does not matter."""
BY_CALL = frozenset({Act.ANSWER, Act.PASS, Act.NEWS, Act.COMMENT})
"""Whoever a ladder called may do these on its warning, wherever it is."""
HIGHEST: dict[tuple[Role, Act], Level] = {(Role.DUTY, Act.SILENCE): Level.YELLOW}
"""Up to which level a role may do an act; orange and red are muted by a leader."""


@dataclass(frozen=True, slots=True)
class Account:
    """Who signed in. `areas` (`admin:lanxi` or `lanxi`, with all below) and `agencies`: none given = all."""

    name: str = ""
    roles: tuple[Role, ...] = ()
    areas: tuple[str, ...] = ()
    agencies: tuple[str, ...] = ()
    posts: tuple[str, ...] = ()


LOCAL = Account("", tuple(Role))
"""Without accounts whoever sits at this machine may do everything, as the post that was chosen."""


@dataclass(frozen=True, slots=True)
class Facts:
    """What an act is about. `areas` with all that they lie in; nothing given = the city as a whole.

    `called` = a ladder of this warning called a post of the account. `post` = whose people it is about.
    """

    pack: str = ""
    areas: frozenset[str] = frozenset()
    agency: str = ""
    level: int = 0
    scope: str = "real"
    called: bool = False
    post: str = ""


CITY = Facts()


def may(account: Account | None, act: Act | str, facts: Facts = CITY) -> str | None:
    """None when allowed, else the key of the reason: right.signin, right.rights, right.area, right.agency or right.rank."""
    act = Act(act)
    if account is None:
        return "right.signin"
    roles = [r for r in account.roles if act in GRANTS[r]]
    if not roles:
        return "right.rights"
    if act in EVERYWHERE:
        return None
    if not (facts.called and act in BY_CALL) and not (facts.post and facts.post in account.posts):
        if account.areas and not facts.areas & set(account.areas):
            return "right.area"
        if account.agencies and facts.agency not in account.agencies:
            return "right.agency"
    if facts.scope == "real" and all(facts.level > HIGHEST.get((r, act), Level.RED) for r in roles):
        return "right.rank"
    return None


def needs(act: Act | str) -> Role:
    """The least role that may do it, for `right.rights` and `right.rank`."""
    return next(r for r in Role if Act(act) in GRANTS[r])


def refusal(account: Account | None, act: Act | str, facts: Facts = CITY) -> Refused | None:
    """`may` as something to raise or to show: with the role that is needed. None when allowed."""
    key = may(account, act, facts)
    if key is None:
        return None
    if key not in ("right.rights", "right.rank"):
        return Refused(key)
    return Refused(key, role=Role.LEADER if key == "right.rank" else needs(act))


def demand(account: Account | None, act: Act | str, facts: Facts = CITY) -> None:
    """Raise the refusal, if there is one."""
    no = refusal(account, act, facts)
    if no is not None:
        raise no


def facts_of(alert: Alert, names: Names, called: bool = False) -> Facts:
    """What a deed on an alert is about."""
    areas = routes.areas_of(names.city, alert.site, alert.area)
    return Facts(alert.pack, areas, names.agency(alert.site), alert.level or alert.shown, alert.scope, called)


def facts_of_post(post: str, names: Names) -> Facts:
    """What reading or changing a post's people is about: its agency, which lies in every area that all its sites lie in."""
    found = names.posts.get(post)
    agency = found.agency if found else ""
    sites = [id_ for id_, site in names.city.sites.items() if agency and site.agency == agency]
    areas = [routes.areas_of(names.city, id_, "") for id_ in sites]
    return Facts(areas=frozenset.intersection(*areas) if areas else frozenset(), agency=agency, post=post)


def facts_of_area(area: str, names: Names, agency: str = "", level: int = 0, pack: str = "") -> Facts:
    """What an act on a whole area (`admin:lanxi`; "" = the city) is about: a mute, a release."""
    return Facts(pack, routes.areas_of(names.city, "", area) if area else frozenset(), agency, level)
