"""`city/` of a configs folder: areas, and who is called how (ladders, routes, posts), and where readings come from (feeds)."""
from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from math import inf
from pathlib import Path

from detectors.level import LEVELS
from detectors.pack import Area, Duty, FeedSource, Fold, Ladder, Outward, Post, Route, Text
from streams.packs import nodes
from streams.packs.book import ID, identifier
from streams.packs.citygrammar import AREAS, FEED, POST, ROUTE
from streams.packs.duty import read_duty, timed
from streams.packs.faults import Faults
from streams.packs.fields import Fields
from streams.packs.ladders import read_ladders
from streams.packs.links import check_links, read_link
from streams.packs.nodes import Node
from streams.packs.outlets import Options, address, read_channels
from streams.packs.outward import FILES, read_outward
from streams.packs.sheets import Row, read


@dataclass(frozen=True)
class Calls:
    """Ladders, routes, posts, feeds, channels."""

    ladders: tuple[Ladder, ...] = ()
    routes: tuple[Route, ...] = ()
    posts: tuple[Post, ...] = ()
    feeds: tuple[FeedSource, ...] = ()
    channels: Options = field(default_factory=dict)
    fold: Fold = field(default_factory=Fold)
    outward: Outward = field(default_factory=Outward)
    duty: Duty = field(default_factory=Duty)


def channels() -> list[str]:
    """The channels that exist: the files of the desk's folder."""
    folder = Path(__file__).parents[1] / "desk" / "channels"
    return _files(folder) or ["log", "webhook"]


def read_areas(path: Path, name: str, faults: Faults) -> dict[str, dict[str, Area]]:
    """areas.csv: tree -> area id -> area. Parents exist, no area is its own ancestor."""
    trees: dict[str, dict[str, Area]] = {}
    sheet = read(path, faults, name)
    sheet.unknown(AREAS.names, faults)
    if not sheet.need(("tree", "area"), faults):
        return trees
    rows: dict[tuple[str, str], Row] = {}
    for row in sheet.rows:
        tree, area = row["tree"], row["area"]
        if not identifier(tree, row.at("tree"), "tree", ID, faults) or not identifier(area, row.at("area"), "area", ID, faults):
            faults.add(row.at("area"), "an area needs a tree and an id")
        elif (tree, area) in rows:
            faults.add(row.at("area"), f"duplicate area {area!r} of {tree}, first at line {rows[tree, area].line}")
        else:
            rows[tree, area] = row
            trees.setdefault(tree, {})[area] = Area(tree, area, Text(row["zh"] or row["en"] or area, row["en"]),
                                                    row["parent"], row["depth"], *read_link(row, faults))
    for (tree, area), row in rows.items():
        _ancestors(trees[tree], area, row, faults)
    for tree, its in trees.items():
        check_links("area", {area.id: area.downstream for area in its.values() if area.downstream},
                    {area: rows[tree, area].at("downstream") for area in its}, its, faults)
    return trees


def _ancestors(tree: dict[str, Area], area: str, row: Row, faults: Faults) -> None:
    parent = tree[area].parent
    if parent and parent not in tree:
        faults.unknown(row.at("parent"), "parent", parent, tree)
    seen = [area]
    while parent in tree:
        if parent in seen:
            if parent == area == min(seen):     # a circle is told once, by one of its areas
                faults.add(row.at("parent"), f"area {area!r} is its own ancestor: {' -> '.join([*seen, parent])}")
            return
        seen.append(parent)
        parent = tree[parent].parent


def read_calls(folder: Path, shown: Path, packs: Iterable[str], trees: dict[str, dict[str, Area]], agencies: list[str] | None,
               indicators: Iterable[str], faults: Faults) -> Calls:
    """The YAML files of `city/`, each only if it is there. `shown` is the folder as messages call it.

    `agencies` None: not all sites were read, so those of routes are taken on trust.
    """
    if not folder.is_dir():
        return Calls()
    kinds = ("posts", "ladders", "routes", "feeds", "channels", "duty", *FILES)
    roots = {kind: _root(folder, shown, kind, faults) for kind in kinds}
    options, fold = read_channels(roots["channels"], faults)
    posts = {post.id: post for post in (_post(n, faults) for n in _list(roots["posts"], faults))}
    ladders = read_ladders(_list(roots["ladders"], faults), posts, options, faults)
    areas = [area for tree in trees.values() for area in tree]
    routes = tuple(_route(n, ladders, list(packs), areas, agencies, faults) for n in _list(roots["routes"], faults))
    feeds = tuple(_feed(n, list(indicators), faults) for n in _list(roots["feeds"], faults))
    _unused(roots["ladders"], ladders, {r.ladder for r in routes}, faults)
    _hidden(_list(roots["routes"], faults), routes, faults)
    for kind in ("posts", "ladders", "feeds"):
        _twice(roots[kind], faults)
    return Calls(tuple(ladders.values()), routes, tuple(posts.values()), feeds, options, fold,
                 read_outward({name: roots[name] for name in FILES}, list(packs), areas, faults),
                 read_duty(roots["duty"], posts, faults))


def _root(folder: Path, shown: Path, kind: str, faults: Faults) -> Node | None:
    path = folder / f"{kind}.yaml"
    return nodes.read(path, faults, str(shown / path.name)) if path.exists() else None


def _list(root: Node | None, faults: Faults) -> list[Node]:
    if root is not None and not isinstance(root.value, list):
        faults.add(root.place, f"expected a list, got {root.got}")
    return root.items if root else []


def _id(fields: Fields, noun: str) -> str:
    id = fields.word("id", must=True)
    identifier(id, fields.at("id"), noun, ID, fields.faults)
    fields.what = f"{noun} {id}"
    return id


def _post(node: Node, faults: Faults) -> Post:
    fields = Fields(node, faults, "post", POST.names)
    id = _id(fields, "post")
    addresses = fields.sub("addresses", channels())
    return Post(id, fields.title("title", Text(id)), fields.word("agency"),
                {channel: address(addresses, channel, faults) for channel in addresses.node.fields})


def _route(node: Node, ladders: dict[str, Ladder], packs: list[str], areas: list[str], agencies: list[str] | None,
           faults: Faults) -> Route:
    fields = Fields(node, faults, "route", ROUTE.names)
    fields.need("ladder")
    ladder = "".join(fields.words("ladder", "ladder", list(ladders))[:1])
    levels = tuple(int(LEVELS[word]) for word in fields.words("levels", "level", LEVELS))
    return Route(ladder, fields.words("packs", "pack", packs), levels, fields.words("areas", "area", areas),
                 fields.words("agencies", "agency", agencies), *timed(fields))


def _feed(node: Node, indicators: list[str], faults: Faults) -> FeedSource:
    fields = Fields(node, faults, "feed", FEED.names)
    folder = Path(__file__).parents[1] / "feeds"
    id = _id(fields, "feed")
    options, scale = fields.sub("options"), fields.sub("scale", indicators)
    return FeedSource(
        id, fields.choice("transport", _files(folder / "transports") or ["file", "http", "play"], "http"),
        fields.choice("decoder", _files(folder / "decoders") or ["csv", "json"], "json"),
        fields.duration("silent", 90.0, {"never": inf}), {key: options.word(key) for key in options.node.fields},
        {key: scale.number(key, 1.0, -inf) for key in scale.node.fields}, fields.word("token"))


def _files(folder: Path) -> list[str]:
    return sorted(f.stem.rstrip("_") for f in folder.glob("[a-z]*.py"))


def _unused(root: Node | None, ladders: Iterable[str], used: set[str], faults: Faults) -> None:
    for ladder in ladders:
        if ladder not in used and root is not None:
            faults.hint(root.place, f"ladder {ladder} has no route")


def _hidden(nodes: list[Node], routes: tuple[Route, ...], faults: Faults) -> None:
    """A row behind one that takes everything is never reached."""
    every = next((n for n, r in enumerate(routes) if r == Route(r.ladder)), len(routes))
    for node in nodes[every + 1:]:
        faults.hint(node.place, f"this route is never reached: the one at line {nodes[every].place.line} takes everything")


def _twice(root: Node | None, faults: Faults) -> None:
    seen: dict[str, int] = {}
    for node in root.items if root else []:
        named = node.fields.get("id")
        if named is not None and seen.setdefault(named.text, named.place.line) != named.place.line:
            faults.add(named.place, f"duplicate id {named.text!r}, first at line {seen[named.text]}")
