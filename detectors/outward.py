"""What an installation says outside of itself, as config has it: wordings, names of hazards, units, mutes."""
from __future__ import annotations

from dataclasses import dataclass, field

from detectors.text import Text


@dataclass(frozen=True)
class Wording:
    """A text that an installation writes itself: for which message (`use`) and when it is taken (empty = always).

    `text` holds templates; what they may do is decided in streams/desk/messages/sandbox.py.
    """

    use: str                        # call, headline, description, instruction
    text: Text
    levels: tuple[int, ...] = ()
    packs: tuple[str, ...] = ()
    roles: tuple[str, ...] = ()     # of the post that is called
    channels: tuple[str, ...] = ()


@dataclass(frozen=True)
class Hazard:
    """What the warnings of some packs are called outside: words, CAP category, code of the national event classification."""

    packs: tuple[str, ...]
    event: Text
    category: str = "Other"
    code: str = ""


@dataclass(frozen=True)
class Unit:
    """Who takes work orders (基层、141): a web address, and the name of the secret that signs what is sent there."""

    id: str
    title: Text
    url: str = ""
    secret: str = ""


@dataclass(frozen=True)
class Outward:
    """What an installation says outside of itself, and how long it may keep quiet (seconds by level, blue first)."""

    wordings: tuple[Wording, ...] = ()
    sender: str = "wanglou@localhost.invalid"       # CAP: unique, no blanks, commas, < or &
    code: str = ""                                  # 14 digits of the national system: region 6, industry 3, unit 5
    name: Text = Text("望楼", "Wanglou")            # who issues
    valid: tuple[float, ...] = (86_400.0, 43_200.0, 21_600.0, 10_800.0)
    methods: tuple[str, ...] = ("WEB",)
    hazards: tuple[Hazard, ...] = ()
    geocodes: dict[str, str] = field(default_factory=dict)      # area id -> GB/T 2260
    polygons: dict[str, str] = field(default_factory=dict)      # area id -> `lat,lon lat,lon …`, WGS-84, closed
    mutes: tuple[float, ...] = (86_400.0, 43_200.0, 14_400.0, 3_600.0)
    windows: float = 259_200.0                      # the longest maintenance window
    ahead: float = 1_800.0                          # before its start it announces itself
    units: tuple[Unit, ...] = ()
