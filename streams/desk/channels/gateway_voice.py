"""语音电话 through the installation's own HTTP gateway (see _gateway.py). Address: a number. 按 1 应答，按 2 转下一位.

"Taken" never means that it rang: only the callback does. `received` = somebody lifted the phone, `answered` = pressed
1, `passed` = pressed 2.
"""
from __future__ import annotations

from streams.desk.channels import Declared
from streams.desk.channels._gateway import NEEDS, OPTIONS, Gateway

__all__ = ["Voice"]


class Voice(Gateway):
    """A call needs a while until it is lifted and heard."""

    declared = Declared(called_back=("received", "answered"), takes=30.0, options=OPTIONS, needs=NEEDS, secrets=("callback",))
