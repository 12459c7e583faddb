"""`wanglou routes explain`: who is called when, over what."""
from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from streams.errors import UsageError

if TYPE_CHECKING:
    from detectors.pack import City
    from streams.desk.calling.called import Called

app = typer.Typer(no_args_is_help=True, help="Which ladder an alert climbs.")


def register(root: typer.Typer) -> None:
    """Add the command."""
    root.add_typer(app, name="routes")


@app.callback()
def routes() -> None:
    """Which ladder an alert climbs."""


@app.command("explain")
def explain(
    pack: Annotated[str, typer.Option(help="Id of the pack.")],
    level: Annotated[str, typer.Option(help="blue, yellow, orange or red.")],
    area: Annotated[str, typer.Option(help="An area, as id or tree:id.")] = "",
    site: Annotated[str, typer.Option(help="A site instead of an area: its areas and its agency count.")] = "",
    at: Annotated[str, typer.Option(help="A time such as 2026-06-20T02:00:00+08:00; now without it.")] = "",
    configs: Annotated[Path | None, typer.Option(help="Folder of configs.")] = None,
    desk_url: Annotated[str | None, typer.Option("--desk", help="The desk's database, for who is on shift.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object.")] = False,
) -> None:
    """Who is called when over which channel, if nobody answers; who is on shift where there is a roster. Exit 1 = nobody."""
    from json import dumps

    from streams import clock
    from streams.desk.calling.called import called
    from streams.packs import find_configs, load_city

    city = load_city(find_configs(configs))
    tree, _, name = area.rpartition(":")
    found = [f"{a.tree}:{a.id}" for a in city.areas if a.id == name and tree in ("", a.tree)] if area else []
    _known("pack", pack, [p.id for p in city.packs])
    _known("level", level, ["blue", "yellow", "orange", "red"])
    _known("site", site, [*city.sites, ""])
    if area and not found:
        _known("area", area, [a.id for a in city.areas])
    try:
        when = clock.micros(at) if at else clock.now()
    except ValueError as error:
        raise UsageError(f"--at {at}: {error}") from None
    said = document(city, called(city, pack, _number(level), site, next(iter(found), ""), when), when, desk_url)
    print(dumps(said, ensure_ascii=False) if as_json else text(said))
    raise typer.Exit(0 if said["steps"] else 1)


def _number(level: str) -> int:
    from detectors.level import LEVELS

    return int(LEVELS[level])


def _known(what: str, got: str, allowed: list[str]) -> None:
    from streams.packs.faults import meant

    if got not in allowed:
        raise UsageError(f"--{what} {got}: there is no such {what}{meant(got, allowed)}")


def document(city: City, got: Called, at: int, desk_url: str | None) -> dict[str, Any]:
    """What --json prints: times in ISO 8601, durations in seconds; `on` = the roster's code of who is on shift, never a name."""
    from dataclasses import asdict

    from streams.clock import iso
    from streams.desk.duty.roster import on_shift_at

    posts = {p.id: p for p in city.posts}
    on = on_shift_at(city, desk_url, {s.post: s.due_at for s in got.steps})
    route = asdict(city.routes[got.row - 1]) if got.row else {}
    return {
        "at": iso(at), "route": got.row or None, "ladder": got.ladder.id if got.ladder else None,
        "title": got.ladder.title.zh if got.ladder else "",
        "row": {k: x for k, x in route.items() if x not in ((), None)},
        "steps": [{"n": s.n, "of": s.of, "after": (s.due_at - at) / 1e6, "at": iso(s.due_at), "post": s.post,
                   "title": posts[s.post].title.zh, "agency": posts[s.post].agency, "channels": list(s.channels),
                   "within": s.within, "receipt": s.receipt, "on": on.get(s.post)} for s in got.steps],
    }


def text(said: dict[str, Any]) -> str:
    """What people read."""
    from streams.clock import micros
    from streams.desk.local import local

    if not said["steps"]:
        return "no row of routes.yaml matches: nobody is called"
    lines = [f"{said['ladder']} {said['title']}  (routes.yaml row {said['route']})"]
    for s in said["steps"]:
        who = f"{s['post']} {s['title']}" + (f" [{s['on']}]" if s["on"] else "")
        lines.append(f"  {s['n']}/{s['of']}  {local(micros(s['at'])):%m-%d %H:%M:%S}  +{_span(s['after'])}  {who}  "
                     f"{', '.join(s['channels'])}  {_span(s['within'])} to be {s['receipt']}")
    return "\n".join(lines)


def _span(seconds: float) -> str:
    """`90 s`, `5 min`, `2 h`."""
    for unit, size in (("d", 86_400), ("h", 3600), ("min", 60)):
        if seconds >= size and seconds % size == 0:
            return f"{seconds / size:g} {unit}"
    return f"{seconds:g} s"
