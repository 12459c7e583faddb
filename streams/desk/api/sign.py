"""Sign in, sign out, my sessions. What was wrong is never said; accounts are never locked by wrong passwords."""

from __future__ import annotations

from urllib.parse import quote

from fastapi import APIRouter
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from streams.desk.api.look import YEAR
from streams.desk.api.who import acting, lang_of, site_of, theme_of
from streams.desk.pages.mine import mine
from streams.desk.pages.render import page, plain
from streams.desk.people import accounts, passwords, sessions
from streams.desk.people.current import CURRENT
from streams.desk.people.limits import SIGN_IN, SLOWEST, WRONG
from streams.desk.people.rules import Rules
from streams.desk.people.tables import AccountRow
from streams.desk.store import audit

router = APIRouter(include_in_schema=False)
LABEL = 120
"""Characters that are kept of a browser's name."""


def inside(path: str) -> str:
    """Where to go next: only within this desk."""
    return path if path.startswith("/") and not path.startswith(("//", "/\\")) and "\n" not in path else "/"


@router.get("/login")
def login(request: Request) -> Response:
    """The form; where nobody needs to sign in, or somebody did, the desk."""
    if not request.state.demanded or request.state.account is not None:
        return RedirectResponse(inside(request.query_params.get("next", "/")), 303)
    return form(request, inside(request.query_params.get("next", "/")))


@router.post("/login")
async def sign_in(request: Request) -> Response:
    """Check the password, at the pace that the limits allow."""
    fields = await request.form()
    name, password, to = (str(fields.get(k, ""))[:n] for k, n in (("user", 80), ("password", 400), ("next", 2000)))
    name, to, rules = name.strip().lower(), inside(to or "/"), site_of(request).rules
    wait = rules.limits.take("login", request.state.address, SIGN_IN, rules.now())
    if wait:
        return await run_in_threadpool(form, request, to, name, round(wait + 0.5))
    slow = rules.limits.wait("wrong", name, WRONG, rules.now())
    if slow:
        await rules.pause(min(slow, SLOWEST))
    return await run_in_threadpool(_sign_in, request, name, password, to)


def _sign_in(request: Request, name: str, password: str, to: str) -> Response:
    site, address = site_of(request), request.state.address
    with site.store.read() as s:
        row = s.get(AccountRow, name) if accounts.NAME.fullmatch(name) else None
    if not accounts.checked(row, password):
        site.rules.limits.take("wrong", name, WRONG, site.rules.now())
        with site.store.begin() as s:
            audit(s, site.now(), "sign_in", what="refused", name=name if row else "", address=address)
        return form(request, to, name, wrong=True)
    if row is not None and passwords.stale(row.hash):
        with site.store.begin() as s:
            accounts.one(s, name).hash = passwords.hashed(password)
    return admit(request, name, "password", to)


def admit(request: Request, name: str, how: str, to: str) -> Response:
    """A new session in this browser, whatever it had before is ended; its cookie, and on to the page that was asked for."""
    site, old = site_of(request), request.cookies.get(sessions.COOKIE, "")
    rules, now = site.rules, site.now()
    with site.store.begin() as s:
        if old:
            sessions.forget(s, old)
        label = request.headers.get("user-agent", "")[:LABEL]
        token, _ = sessions.begin(s, name, how, now, now + rules.longest, rules.idle, request.state.address, label)
        audit(s, now, "sign_in", what=how, account=name, address=request.state.address)
    answer = RedirectResponse(to, 303)
    answer.set_cookie(sessions.COOKIE, token, max_age=rules.longest // 1_000_000, httponly=True, samesite="lax",
                      secure=secure(request, rules))
    return answer


def secure(request: Request, rules: Rules) -> bool:
    """Whether the cookie is for TLS alone."""
    return bool(request.state.secure) or rules.public.startswith("https:")


def form(request: Request, to: str, name: str = "", wait: int = 0, wrong: bool = False, away: bool = False) -> Response:
    """The page, with what went wrong: 401, or 429 with the seconds to wait; `away` = the foreign sign-in does not answer."""
    lang, rules = lang_of(request), site_of(request).rules
    html = plain(
        "login.html", lang, theme_of(request), next=to, user=name, wait=wait, wrong=wrong, away=away,
        foreign=rules.foreign.title if rules.foreign else "", path=f"/login?next={quote(to, safe='')}&",
        now=site_of(request).now(),
    )
    answer = HTMLResponse(html, 429 if wait else 401 if wrong else 200, {"Retry-After": str(wait)} if wait else None)
    if "lang" in request.query_params:
        answer.set_cookie("lang", lang, max_age=YEAR, httponly=True, samesite="lax")
    return answer


@router.get("/sessions")
def my_sessions(request: Request) -> Response:
    """Where this account is signed in."""
    site, current = site_of(request), CURRENT.get()
    if current.account is None or not current.account.name:
        return RedirectResponse("/", 303)
    with site.store.read() as s:
        v = site.view(s, acting(request), lang_of(request))
        rows = mine(sessions.of(s, current.account.name, v.now), current.session, v)
    html = page("sessions.html", v, "/sessions", theme_of(request), seq=site.head(), sessions=rows,
                idle=site.rules.idle // 3_600_000_000)
    return HTMLResponse(html)


@router.post("/logout")
def sign_out(request: Request) -> Response:
    """End this session."""
    return _end(request, CURRENT.get().session)


@router.post("/sessions/end")
def end_all(request: Request) -> Response:
    """退出全部, this one too."""
    return _end(request, "")


@router.post("/sessions/{id_}/end")
def end_one(request: Request, id_: str) -> Response:
    """End one of my sessions."""
    return _end(request, id_)


def _end(request: Request, id_: str) -> Response:
    """End one session of this account, or all where none is named; 303 to the sign-in where the own one is among them."""
    site, current = site_of(request), CURRENT.get()
    if current.account is None or not current.account.name:
        return RedirectResponse("/", 303)
    name = current.account.name
    with site.store.begin() as s:
        n = sessions.end(s, name, id_) if id_ else sessions.end_all(s, name)
        if n:
            audit(s, site.now(), "sign_out", what="one" if id_ else "all", sessions=n)
    if id_ and id_ != current.session:
        return RedirectResponse("/sessions", 303)
    answer = RedirectResponse("/login", 303)
    answer.delete_cookie(sessions.COOKIE, httponly=True, samesite="lax", secure=secure(request, site.rules))
    return answer
