r"""钉钉: a group's own robot, markdown, signed. Address: `$WANGLOU_SECRET_TOKEN [$WANGLOU_SECRET_SIGN]` (access token, 加签 key).

Sign = base64(HMAC-SHA256(key, "timestamp ms \n key")), in the query; a clock more than an hour off is refused.
Limit: 20 messages a minute and robot, beyond which the vendor is silent for ten minutes, so deliver.py must never go over.
A robot does not say whether anybody read it, and knows no key: a repeat is a second message, marked 重发. Red calls
everybody (@all).
Read in the vendor's documents (open.dingtalk.com, custom robots); tried against a fake that keeps these limits, never
against DingTalk.
"""
from __future__ import annotations

import base64
import hashlib
import hmac
from pathlib import Path

from streams.desk.channels import Declared, Message, Options, Outcome, Result
from streams.desk.channels._http import Line, cut, refused
from streams.desk.channels._secrets import Missing, fill

__all__ = ["DingTalk"]
URL = "https://oapi.dingtalk.com/robot/send"
BYTES = 20_000
NEVER = ("300001", "40035", "400013")       # no such token, a parameter is wrong, the group is gone
SLOW = {"130101": 60.0, "90030": 60.0}      # too fast: one more attempt within the ban costs nothing


class DingTalk:
    """Option `url`: another robot address (a private DingTalk)."""

    declared = Declared(rates=((20, 60.0),), address="token [sign]", options=("url",), defaults={"url": URL})

    def __init__(self, data: Path, options: Options = dict, timeout: float = 4.0) -> None:
        self.line, self.options = Line(timeout), options

    def send(self, message: Message, address: str) -> Outcome:
        """One attempt."""
        try:
            token, *sign = fill(address).split()
        except (Missing, ValueError) as error:
            return Outcome(Result.NEVER, str(error) if isinstance(error, Missing) else "no token")
        query = {"access_token": token}
        if sign:
            stamp = str(message.at // 1000)
            query |= {"timestamp": stamp, "sign": signature(stamp, sign[0])}
        text = f"{message.text}\n\n[{message.until}]({message.url})"
        body = {"msgtype": "markdown", "markdown": {"title": cut(message.text, 60), "text": cut(text, BYTES)},
                "at": {"isAtAll": message.level == "red" and message.scope == "real"}}
        said = self.line.ask(self.options().get("url", URL), message.at, (address,), params=query, json=body)
        if isinstance(said, Outcome):
            return said
        code = said.get("errcode", "none")
        return Outcome(Result.SENT) if str(code) == "0" else refused(code, said, NEVER, SLOW)


def signature(stamp: str, key: str) -> str:
    """The sign of one moment (ms as text).

    >>> signature("1500000000000", "this is secret")
    'Uh8/s3G+IzvZznoaEVWda63/fDfyAZQioUKdu7COwHU='
    """
    return base64.b64encode(hmac.new(key.encode(), f"{stamp}\n{key}".encode(), hashlib.sha256).digest()).decode()
