"""E-mail over SMTP. Address: a mailbox. Sent = the server's 2xx after the data; a mail that bounces later is not known here.

4xx is tried again, 5xx is never; a time-out after the data may have been a yes, so the next one is marked 重发 under
the same Message-ID
(some servers drop it by that, none must). Mail is slow and silent: it tells nothing but "taken" and is no way to wake
anybody.
"""
from __future__ import annotations

import asyncio
from collections.abc import Mapping
from email.errors import HeaderParseError
from email.headerregistry import Address
from email.message import EmailMessage
from pathlib import Path

from streams.clock import iso
from streams.desk.channels import Declared, Message, Options, Outcome, Result
from streams.desk.channels._http import WORDS, cut
from streams.desk.channels._secrets import Missing, fill, hide

__all__ = ["Email"]
PORTS = {"starttls": 587, "implicit": 465, "none": 25}


class Email:
    """Options: `host`, `from`; `port`, `tls` (starttls, implicit, none), `user` and `password` (names of secrets)."""

    declared = Declared(takes=60.0, options=("host", "port", "from", "tls", "user", "password"), needs=("host", "from"),
                        secrets=("user", "password"), defaults={"tls": "starttls"})

    @staticmethod
    def fault(options: Mapping[str, str]) -> tuple[str, str] | None:
        """What `wanglou check` says of the options."""
        tls = options.get("tls", "starttls")
        if tls not in PORTS:
            return "tls", f"unknown {tls!r}; allowed: {', '.join(PORTS)}"
        if tls == "none" and options.get("password"):
            return "tls", "a password never goes over an open line; take starttls or implicit"
        if options.get("port", "1").isdigit() and 0 < int(options.get("port", "1")) < 65_536:
            return None
        return "port", f"expected 1 to 65535, got {options['port']!r}"

    def __init__(self, data: Path, options: Options = dict, timeout: float = 8.0) -> None:
        self.options, self.timeout = options, timeout

    def send(self, message: Message, address: str) -> Outcome:
        """One attempt."""
        from aiosmtplib import SMTPException, SMTPRecipientsRefused, SMTPResponseException

        options = self.options()
        hidden = (address, options.get("user", ""), options.get("password", ""))
        try:
            asyncio.run(asyncio.wait_for(self._send(written(message, options["from"], address)), self.timeout))
        except KeyError as error:
            return Outcome(Result.NEVER, f"channels.yaml: email has no {error.args[0]}")
        except Missing as error:
            return Outcome(Result.NEVER, str(error))
        except SMTPRecipientsRefused as error:
            return _judged(min(r.code for r in error.recipients), str(error.recipients[0].message), hidden)
        except SMTPResponseException as error:
            return _judged(error.code, error.message, hidden)
        except (SMTPException, OSError, TimeoutError) as error:
            return Outcome(Result.AGAIN, hide(f"{type(error).__name__}: {error}"[:WORDS], *hidden))
        except ValueError as error:                 # a mailbox that is none
            return Outcome(Result.NEVER, hide(str(error), *hidden))
        return Outcome(Result.SENT)

    async def _send(self, mail: EmailMessage) -> None:
        import aiosmtplib

        options = self.options()
        tls = options.get("tls", "starttls")
        user, password = fill(options.get("user", "")), fill(options.get("password", ""))
        await aiosmtplib.send(
            mail, hostname=options["host"], port=int(options.get("port", "") or PORTS.get(tls, 587)), timeout=self.timeout,
            use_tls=tls == "implicit", start_tls=tls == "starttls", username=user or None, password=password or None,
        )


def written(message: Message, sender: str, address: str) -> EmailMessage:
    """The mail: the call is its subject, so that a preview says all. ValueError for a mailbox that is none."""
    mail = EmailMessage()
    mail["From"], mail["To"] = _box(sender), _box(address)
    mail["Subject"] = cut(" ".join(message.text.split()), 300)
    mail["Message-ID"] = f"<{message.key}@wanglou.invalid>"
    mail["Auto-Submitted"] = "auto-generated"
    if message.level == "red":
        mail["X-Priority"] = "1"
    mail.set_content(f"{message.text}\n\n{message.url}\n{message.until}\n{iso(message.at) if message.at else ''}\n")
    return mail


def _box(address: str) -> Address:
    try:
        box = Address(addr_spec=address)
    except (HeaderParseError, ValueError, IndexError) as error:
        raise ValueError("no mailbox") from error
    if not (box.username and box.domain):
        raise ValueError("no mailbox")
    return box


def _judged(code: int, words: str, hidden: tuple[str, ...]) -> Outcome:
    """4xx: later. 5xx: not as it is. Anything else is no mail server."""
    detail = hide(f"SMTP {code}: {' '.join(words.split())[:WORDS]}", *hidden)
    return Outcome(Result.NEVER if 500 <= code < 600 else Result.AGAIN, detail)
