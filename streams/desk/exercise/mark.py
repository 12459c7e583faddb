"""What is the canary's: its pack, its series, its own ladder, which rings nobody. Pure, but for the line that takes its calls."""

from __future__ import annotations

from pathlib import Path

from detectors.level import Scope
from detectors.pack import SELF, City, Ladder, Step, Text
from streams.desk.channels import Declared, Message, Options, Outcome, Result
from streams.desk.tables import Alert

CHANNEL = "canary"
HIDDEN = (Alert.pack == SELF) & (Alert.scope == Scope.EXERCISE.value)
"""In a query: the canary's warnings, which no page and no count shows. A real warning is never hidden, whatever its pack."""
LADDER = Ladder(CHANNEL, Text("全链路自检", "Canary"), (Step("canary", (CHANNEL,), 3600.0),))


def hidden(alert: Alert) -> bool:
    """Whether this is the canary's warning."""
    return alert.pack == SELF and alert.scope == Scope.EXERCISE


def series(city: City) -> str:
    """`indicator@site` of the canary; "" where the plan has none."""
    found = next((p for p in city.packs if p.id == SELF), None)
    return next((f"{i.id}@{site}" for i in (found.indicators if found else ()) for site in i.sites), "")


class Line:
    """The end of the canary's way: a channel that no ladder of the plan can name. It takes the canary's call and no other."""

    declared = Declared()

    def __init__(self, data: Path = Path(), options: Options = dict) -> None:
        pass

    def send(self, message: Message, address: str) -> Outcome:
        """Taken; nobody is rung."""
        if message.scope != Scope.EXERCISE or message.post != CHANNEL:
            return Outcome(Result.NEVER, "this line takes the canary's calls only")
        return Outcome(Result.SENT)
