"""What a pack's test says of calls: the ladder, its steps, the text. Compared with what the desk would do at the event's time.

expect:
- {at: 3h, detector: stage, site: lanxi, level: red, ladder: basin-flood, message: 兰溪站 河道水位, calls: [hydro-desk,
  {post: hydro-lead, after: 5min, channels: [log], within: 5min, receipt: answered}]}

`ladder: none` = nobody is called. `calls` may end before the ladder does; a bare word is a post.
"""
from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from importlib import import_module

from detectors.event import Change
from detectors.level import Scope
from detectors.pack import City
from streams.desk.calling import ladder as ladders
from streams.desk.calling import routes
from streams.packs.faults import Faults
from streams.packs.fields import Fields
from streams.packs.grammar import CALL
from streams.packs.nodes import Node

KEYS = ("ladder", "calls", "message")
NONE = "none"
MICRO = 1_000_000


@dataclass(frozen=True)
class Call:
    """One step that must be there: what is given counts. `after`: seconds from the first call if nobody answers."""

    post: str
    after: float | None = None
    channels: tuple[str, ...] = ()
    within: float | None = None
    receipt: str = ""


@dataclass(frozen=True)
class Calling:
    """What one expected event must lead to."""

    ladder: str = ""
    calls: tuple[Call, ...] = ()
    message: str = ""


def read_calling(node: Node, city: City, faults: Faults) -> Calling | None:
    """The keys of an entry that speak of calls; None where none does."""
    fields = Fields(Node(node.place, {k: x for k, x in node.fields.items() if k in KEYS}, keys=node.keys), faults, "entry")
    if not fields.node.fields:
        return None
    ladder = fields.choice("ladder", [NONE, *(x.id for x in city.ladders)])
    posts = [p.id for p in city.posts]
    calls = tuple(_call(item, posts, faults) for item in fields.items("calls"))
    return Calling(ladder, calls, fields.word("message"))


def _call(node: Node, posts: Iterable[str], faults: Faults) -> Call:
    if not isinstance(node.value, dict):
        word = Fields(Node(node.place, {"post": node}), faults, "call").choice("post", posts)
        return Call(word)
    fields = Fields(node, faults, "call", CALL.names)
    fields.need("post")
    after, within = ("after" in fields and fields.duration("after", 0.0)), ("within" in fields and fields.duration("within", 0.0))
    return Call(fields.choice("post", posts), None if after is False else after, fields.words("channels"),
                None if within is False else within, fields.choice("receipt", ladders.RECEIPTS[1:]))


def differences(want: Calling, event: Change, city: City) -> list[str]:
    """What is otherwise than wanted, in words."""
    nobody = event.report or event.scope == Scope.SHADOW        # a line of a worklist; on trial
    found = None if nobody else routes.ladder_of(city, event.pack, event.to, event.site, event.area, False, event.time)
    steps = ladders.begin(found, event.time) if found else ()
    out = []
    got = found.id if found else NONE
    if want.ladder and want.ladder != got:
        out.append(f"ladder {want.ladder}: got {got}")
    for n, call in enumerate(want.calls):
        out += [f"call {n + 1} of {got}: {say}" for say in _call_differs(call, steps[n] if n < len(steps) else None, event.time)]
    if want.message:
        text = import_module("streams.desk.calling.called").text_of(event, city, steps[0] if steps else None)
        if want.message not in text:
            out.append(f"message {want.message!r}: got {text!r}")
    return out


def _call_differs(want: Call, step: ladders.Step | None, start: int) -> list[str]:
    if step is None:
        return [f"post {want.post}: the ladder has no such step"]
    pairs = (("post", want.post, step.post), ("after", want.after, (step.due_at - start) / MICRO),
             ("within", want.within, step.within), ("channels", want.channels or None, step.channels),
             ("receipt", want.receipt or None, step.receipt))
    return [f"{what} {_told(a)}: got {_told(b)}" for what, a, b in pairs if a is not None and a != b]


def _told(value: object) -> str:
    return f"{value:g} s" if isinstance(value, float) else ", ".join(value) if isinstance(value, tuple) else str(value)
