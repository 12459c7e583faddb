"""`city/channels.yaml`: how messages leave, and whether posts and ladders ask of a channel only what it declares.

Secrets stand in the environment: an option or address that is one may only be a name, `$WANGLOU_SECRET_…`; what else stands
there is not repeated in the message, for it may be the secret itself.
"""
from __future__ import annotations

from detectors.pack import Fold
from streams.desk import channels
from streams.desk.calling.ladder import RECEIPTS
from streams.desk.channels._secrets import PREFIX, only_names
from streams.packs.citygrammar import FOLD
from streams.packs.faults import Faults
from streams.packs.fields import Fields
from streams.packs.nodes import Node

Options = dict[str, dict[str, str]]


def read_channels(root: Node | None, faults: Faults) -> tuple[Options, Fold]:
    """Options of each channel that is named, and the rule of folding."""
    if root is None:
        return {}, Fold()
    whole = Fields(root, faults, "channels", ("fold", *channels.names()))
    fold = whole.sub("fold", FOLD.names)
    more = fold.count("more", Fold().more)
    if more < 1:
        faults.add(fold.at("more"), "more: a post gets at least 1 message")
    rule = Fold(max(more, 1), fold.duration("within", Fold().within))
    return {name: _options(whole, name, faults) for name in channels.names() if name in whole}, rule


def _options(whole: Fields, name: str, faults: Faults) -> dict[str, str]:
    said = channels.declared(name)
    fields = whole.sub(name, (*said.options, *channels.COMMON))
    options = {key: fields.word(key) for key in fields.node.fields if key in (*said.options, *channels.COMMON)}
    for key in said.needs:
        fields.need(key)
    for key in said.secrets:
        if key in options and not only_names(options[key]):
            faults.add(fields.at(key), f"{key}: a secret stands in the environment; write its name, ${PREFIX}…")
    if "per_minute" in options and not (options["per_minute"].isdigit() and int(options["per_minute"])):
        faults.add(fields.at("per_minute"), f"per_minute: expected a whole number above 0, got {options['per_minute']!r}")
    if "url" in options and not options["url"].startswith(("http://", "https://")):
        faults.add(fields.at("url"), "url: begins with http:// or https://")
    wrong = channels.fault(name, options)
    if wrong is not None:
        faults.add(fields.at(wrong[0]), f"{name}: {wrong[0]}: {wrong[1]}")
    return options


def address(fields: Fields, channel: str, faults: Faults) -> str:
    """A post's address in a channel, of the shape that the channel declares."""
    word = fields.word(channel)
    shape = channels.declared(channel).address if channel in channels.names() else "text"
    if shape == "url" and not word.startswith(("http://", "https://", "$" + PREFIX)):
        faults.add(fields.at(channel), f"{channel}: an address begins with http:// or https://")
    if shape not in ("url", "text") and not (only_names(word) and len(word.split()) <= len(shape.split())):
        write = " ".join(f"[${PREFIX}…]" if part.startswith("[") else f"${PREFIX}…" for part in shape.split())
        faults.add(fields.at(channel), f"{channel}: write the names of secrets, {write} ({shape})")
    return word


def keeps(fields: Fields, used: tuple[str, ...], receipt: str, within: float, options: Options, faults: Faults) -> None:
    """Whether a step's channels can give the receipt it demands, in its time. An answer can always come by the page."""
    for name in used:
        needed = [key for key in channels.declared(name).needs if not options.get(name, {}).get(key)]
        if needed and name not in options:
            faults.add(fields.at("channels"), f"channel {name} needs {', '.join(needed)} in channels.yaml")
    given = {name: channels.able(channels.declared(name), options.get(name, {})) for name in used}
    best = max((RECEIPTS.index(got) for can in given.values() for got in can), default=0)
    if used and receipt != "answered" and best < RECEIPTS.index(receipt):
        can = "; ".join(f"{name} gives {', '.join(got)}" for name, got in given.items())
        faults.add(fields.at("receipt"), f"receipt {receipt} never comes: {can} (answered always can, by the page)")
    quickest = min((channels.declared(name).takes for name in used), default=0.0)
    if within < quickest:
        faults.add(fields.at("within"), f"within {within:g} s: {', '.join(used)} commonly needs {quickest:g} s to be noticed")
