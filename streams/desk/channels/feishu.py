r"""飞书: a group's own robot, signed. Address: `$WANGLOU_SECRET_TOKEN [$WANGLOU_SECRET_SIGN]` (end of the webhook, 签名校验 key).

Sign = base64(HMAC-SHA256(key = "timestamp s \n key", empty text)), in the body; a clock more than an hour off is refused.
Limits: 100 messages a minute, 5 a second, 20 kB. No receipt but "taken", no key against repeats. Red calls everybody.
Read in the vendor's documents (open.feishu.cn, custom bots); tried against a fake that keeps these limits, never
against Feishu.
"""
from __future__ import annotations

import base64
import hashlib
import hmac
from pathlib import Path
from typing import Any

from streams.desk.channels import Declared, Message, Options, Outcome, Result
from streams.desk.channels._http import Line, cut, refused
from streams.desk.channels._secrets import Missing, fill

__all__ = ["Feishu"]
URL = "https://open.feishu.cn/open-apis/bot/v2/hook"
BYTES = 18_000
NEVER = ("19001", "19022", "19024")         # no such robot, address not allowed, keyword missing
SLOW = {"11232": 10.0, "9499": 10.0}        # too fast


class Feishu:
    """Option `url`: Lark's or a private address, without the token."""

    declared = Declared(rates=((100, 60.0), (5, 1.0)), address="token [sign]", options=("url",), defaults={"url": URL})

    def __init__(self, data: Path, options: Options = dict, timeout: float = 4.0) -> None:
        self.line, self.options = Line(timeout), options

    def send(self, message: Message, address: str) -> Outcome:
        """One attempt."""
        try:
            token, *sign = fill(address).split()
        except (Missing, ValueError) as error:
            return Outcome(Result.NEVER, str(error) if isinstance(error, Missing) else "no token")
        all_ = '<at user_id="all"></at> ' if message.level == "red" and message.scope == "real" else ""
        body: dict[str, Any] = {"msg_type": "text", "content": {"text": cut(f"{all_}{message.text}\n{message.url}", BYTES)}}
        if sign:
            stamp = str(message.at // 1_000_000)
            body |= {"timestamp": stamp, "sign": signature(stamp, sign[0])}
        url = f"{self.options().get('url', URL)}/{token}"
        said = self.line.ask(url, message.at, (address,), json=body)
        if isinstance(said, Outcome):
            return said
        code = said.get("code", said.get("StatusCode", "none"))
        return Outcome(Result.SENT) if str(code) == "0" else refused(code, said, NEVER, SLOW)


def signature(stamp: str, key: str) -> str:
    """The sign of one moment (seconds as text): the key signs nothing, it is itself made of the time.

    >>> signature("1599360473", "demo")
    'l1N0gAcBjdwBvGm1xMjOF0XSyaLRpR7tuO5dHfhAYc8='
    """
    return base64.b64encode(hmac.new(f"{stamp}\n{key}".encode(), b"", hashlib.sha256).digest()).decode()
