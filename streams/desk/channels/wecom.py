"""企业微信: a group's robot. Address: `$WANGLOU_SECRET_KEY`, the `key` of its webhook.

Markdown of at most 4096 bytes; red goes as text (2048 bytes), for only text may call everybody. There is no sign: who
has the key may send.
Limit: 20 messages a minute and robot. No receipt but "taken", no key against repeats.
Read in the vendor's documents (developer.work.weixin.qq.com, path 91770); tried against a fake that keeps these limits,
never against WeCom.
"""
from __future__ import annotations

from pathlib import Path
from typing import Any

from streams.desk.channels import Declared, Message, Options, Outcome, Result
from streams.desk.channels._http import Line, cut, refused
from streams.desk.channels._secrets import Missing, fill

__all__ = ["WeCom"]
URL = "https://qyapi.weixin.qq.com/cgi-bin/webhook/send"
NEVER = ("93000", "40008", "40058")     # no such webhook, wrong type, wrong parameter
SLOW = {"45009": 60.0}                  # too fast


class WeCom:
    """Option `url`: a private WeCom."""

    declared = Declared(rates=((20, 60.0),), address="key", options=("url",), defaults={"url": URL})

    def __init__(self, data: Path, options: Options = dict, timeout: float = 4.0) -> None:
        self.line, self.options = Line(timeout), options

    def send(self, message: Message, address: str) -> Outcome:
        """One attempt."""
        try:
            key = fill(address).strip()
        except Missing as error:
            return Outcome(Result.NEVER, str(error))
        if not key:
            return Outcome(Result.NEVER, "no key")
        said = self.line.ask(self.options().get("url", URL), message.at, (address,), params={"key": key}, json=body(message))
        if isinstance(said, Outcome):
            return said
        code = said.get("errcode", "none")
        return Outcome(Result.SENT) if str(code) == "0" else refused(code, said, NEVER, SLOW)


def body(message: Message) -> dict[str, Any]:
    """What is sent: text with @all for a real red, else markdown with a link. The link is kept, the words are cut."""
    if message.level == "red" and message.scope == "real":
        words = cut(message.text, 2048 - len(message.url.encode()) - 1)
        return {"msgtype": "text", "text": {"content": f"{words}\n{message.url}", "mentioned_list": ["@all"]}}
    link = f"\n[{message.until}]({message.url})"
    return {"msgtype": "markdown", "markdown": {"content": cut(message.text, 4096 - len(link.encode())) + link}}
