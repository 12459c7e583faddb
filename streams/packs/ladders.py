"""`city/ladders.yaml`: who must answer, how, within how long; a ladder that cannot do what it says is refused.

A ladder ends with a person: its last step demands an answer, over a channel at whose other end somebody is. The channel `log`
reaches nobody: a city whose ladders use nothing else is a demonstration, which is said; in every other one it is a fault.
"""
from __future__ import annotations

from collections.abc import Iterator

from detectors.pack import Ladder, Post, Step, Text
from streams.desk import channels
from streams.desk.calling.ladder import RECEIPTS
from streams.packs.book import ID, identifier
from streams.packs.citygrammar import LADDER, STEP
from streams.packs.faults import Faults
from streams.packs.fields import Fields
from streams.packs.nodes import Node
from streams.packs.outlets import Options, keeps

KEYS = STEP.names
NAMES = channels.names()
WITHIN = 300.0
"""Seconds of a step that does not say: red is answered in five minutes."""


def read_ladders(nodes: list[Node], posts: dict[str, Post], options: Options, faults: Faults) -> dict[str, Ladder]:
    """All ladders by id, checked."""
    made = [(_Reader(node, posts, options, faults)) for node in nodes]
    for reader in made:
        reader.rates()
    rung = [reader for reader in made if reader.ladder.steps]
    reached = any(not _nobody(step) for reader in rung for step in reader.ladder.steps)
    for reader in rung:
        reader.ends(reached)
    if rung and not reached:
        faults.hint(nodes[0].place, "every ladder calls over the log alone: a demonstration, nobody is reached")
    return {reader.ladder.id: reader.ladder for reader in made}


def _nobody(step: Step) -> bool:
    return bool(step.channels) and not any(channels.declared(c).person for c in step.channels)


class _Reader:
    """One ladder and where its steps stand."""

    def __init__(self, node: Node, posts: dict[str, Post], options: Options, faults: Faults) -> None:
        self.posts, self.options, self.faults = posts, options, faults
        fields = Fields(node, faults, "ladder", LADDER.names)
        id = fields.word("id", must=True)
        identifier(id, fields.at("id"), "ladder", ID, faults)
        fields.what = f"ladder {id}"
        self.at, self.nodes = fields.at("id"), fields.items("steps")
        steps = tuple(self._step(n) for n in self.nodes)
        if not steps:
            faults.add(fields.at("steps"), f"ladder {id}: ends without a step")
        self.ladder = Ladder(id, fields.title("title", Text(id)), steps, fields.count("repeat", 1))

    def _step(self, node: Node) -> Step:
        fields = Fields(node, self.faults, "step", KEYS)
        for key in ("post", "channels"):
            fields.need(key)
        post = "".join(fields.words("post", "post", list(self.posts))[:1])
        used = fields.words("channels", "channel", NAMES)
        for channel in used:
            if post and channel not in ("log", *self.posts[post].addresses):
                self.faults.hint(fields.at("channels"), f"post {post} has no address for channel {channel}")
        step = Step(post, used, fields.duration("within", WITHIN), fields.choice("receipt", RECEIPTS[1:], "answered"))
        keeps(fields, used, step.receipt, step.within, self.options, self.faults)
        return step

    def ends(self, reached: bool) -> None:
        """Whether somebody must answer at the end."""
        last, fields = self.ladder.steps[-1], Fields(self.nodes[-1], Faults(), "step", KEYS)
        if last.receipt != "answered":
            self.faults.add(fields.at("receipt"), f"ladder {self.ladder.id}: ends without a person: its last step is content "
                            f"with {last.receipt!r}; write receipt: answered")
        if reached and _nobody(last):
            self.faults.add(fields.at("channels"), f"ladder {self.ladder.id}: ends without a person: the log reaches nobody; "
                            f"allowed with it: {', '.join(c for c in NAMES if channels.declared(c).person)}")

    def rates(self) -> None:
        """Whether every call can leave when it is due: an address gets no more in a stretch of time than its channel allows."""
        due: dict[tuple[str, str], list[float]] = {}
        for at, step in self._calls():
            for channel in step.channels:
                address = self.posts[step.post].addresses.get(channel, step.post) if step.post in self.posts else step.post
                due.setdefault((channel, address), []).append(at)
        for (channel, address), times in due.items():
            for most, per in channels.rates(channels.declared(channel), self.options.get(channel, {})):
                crowd = max(sum(t <= u < t + per for u in times) for t in times)
                if crowd > most:
                    who = next((s.post for s in self.ladder.steps if channel in s.channels and address in
                                (s.post, *self.posts[s.post].addresses.values())), address) if self.posts else address
                    self.faults.add(self.at, f"ladder {self.ladder.id}: calls {who} {crowd} times in {per:g} s over {channel}, "
                                    f"which takes {most}; give its steps more time, or repeat less")
                    break

    def _calls(self) -> Iterator[tuple[float, Step]]:
        """When each step is called if nobody answers, in seconds from the start."""
        at = 0.0
        for step in self.ladder.steps * max(self.ladder.repeat, 1):
            yield at, step
            at += step.within
