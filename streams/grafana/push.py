"""A thin push to a running Grafana through grafana-api: the only module that may import it.

Only calls that Grafana 13 has (grafana.md 2.1): org check, folder get and create, dashboard post, get and delete by uid, search,
data source by name, annotation. The library encodes no input, never retries, and fails in four unrelated ways (its own errors,
requests' errors, ValueError on 204 and HTML, TypeError on null): here that is one error, `PushError`, with a status.
It blocks: inside asyncio call it in an executor.
"""
from __future__ import annotations

import json
import logging
from collections.abc import Callable
from threading import Event
from typing import Any
from urllib.parse import quote, quote_plus, urlsplit

import requests
from grafana_api.grafana_api import GrafanaException
from grafana_api.grafana_face import GrafanaFace

from streams.errors import Unavailable, UsageError
from streams.grafana.build import Board

log = logging.getLogger(__name__)
TIMEOUT = 10.0
ATTEMPTS = 3


class PushError(Unavailable):
    """Grafana refused or could not be understood. `status` is HTTP's, 0 when there was no answer."""

    def __init__(self, what: str, status: int, why: str) -> None:
        self.status = status
        super().__init__(f"Grafana: {what}: {f'HTTP {status}, ' if status else ''}{why}")


class Grafana:
    """One Grafana. `pause` is the wait before the second attempt in seconds, doubled for the next."""

    def __init__(self, url: str, token: str, timeout: float = TIMEOUT, pause: float = 0.5) -> None:
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise UsageError(f"{url!r} is not an address such as http://127.0.0.1:3000")
        if parts.username or parts.password or parts.query:
            raise UsageError("give the token in the environment, never in the address")
        host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
        prefix = f"{parts.path.strip('/')}/" if parts.path.strip("/") else ""
        self._face = GrafanaFace(token, host=host, port=parts.port, url_path_prefix=prefix, protocol=parts.scheme,
                                 timeout=timeout)
        self.url, self._pause = url.rstrip("/"), pause

    def __enter__(self) -> Grafana:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the connection; grafana-api has no call for it."""
        self._face.api.s.close()

    def check(self) -> str:
        """Name of the organisation that the token belongs to. PushError 401 or 403 when it has no rights."""
        return str(self._call("who am I", self._face.organization.get_current_organization)["name"])

    def put(self, board: Board, message: str = "wanglou dashboards push") -> str:
        """Write one dashboard over what is there; returns its address."""
        body = {"dashboard": {**json.loads(board.json), "id": None}, "folderUid": self.folder(board.folder),
                "overwrite": True, "message": message}
        answer = self._call(f"dashboard {board.uid}", lambda: self._face.dashboard.update_dashboard(body))
        return f"{self.url}/d/{answer['uid']}"

    def folder(self, title: str) -> str:
        """Uid of a folder; made when it is not there."""
        uid = ("wl-" + "-".join(f"{ord(c):x}" for c in title))[:40]      # fixed, and plain letters: 大屏 is wl-5927-5c4f
        try:
            self._call(f"folder {title}", lambda: self._face.folder.get_folder(quote(uid, safe="")))
        except PushError as error:
            if error.status != 404:
                raise
            self._made(title, uid)
        return uid

    def _made(self, title: str, uid: str) -> None:
        try:
            self._call(f"new folder {title}", lambda: self._face.folder.create_folder(title, uid))
        except PushError as error:
            if error.status not in (409, 412):      # somebody else made it in between
                raise

    def get(self, uid: str) -> dict[str, Any]:
        """One dashboard as Grafana has it. PushError 404 when it is not there."""
        return dict(self._call(f"dashboard {uid}", lambda: self._face.dashboard.get_dashboard(quote(uid, safe="")))["dashboard"])

    def delete(self, uid: str) -> None:
        """Remove one dashboard. PushError 404 when it is not there."""
        self._call(f"delete {uid}", lambda: self._face.dashboard.delete_dashboard(quote(uid, safe="")))

    def search(self, text: str) -> list[str]:
        """Uids of dashboards whose title has `text`."""
        found = self._call("search", lambda: self._face.search.search_dashboards(query=quote_plus(text), type_="dash-db"), list)
        return [str(row["uid"]) for row in found]

    def datasource(self, name: str) -> str:
        """Uid of a data source. PushError 404 when it is not there."""
        safe = quote(name, safe="")
        return str(self._call(f"data source {name}", lambda: self._face.datasource.get_datasource_by_name(safe))["uid"])

    def annotate(self, text: str, t: int, tags: list[str]) -> None:
        """A mark on all dashboards at `t` (µs UTC)."""
        milli = t // 1000
        self._call("annotation", lambda: self._face.annotations.add_annotation(
            time_from=milli, time_to=milli, tags=tags, text=text), retry=False)

    def _call(self, what: str, call: Callable[[], Any], kind: type = dict, retry: bool = True) -> Any:
        """One call; 5xx and a failed connection are tried again a few times, unless a repeat would be seen twice."""
        attempts = ATTEMPTS if retry else 1
        for attempt in range(attempts):
            try:
                return self._once(what, call, kind)
            except PushError as error:
                if attempt == attempts - 1 or 0 < error.status < 500:
                    raise
                log.warning("%s; trying again", error)
                Event().wait(self._pause * 2 ** attempt)
        raise AssertionError("unreachable")

    def _once(self, what: str, call: Callable[[], Any], kind: type) -> Any:
        answered = Answered(self._face.api.s)
        try:
            answer = call()
        except GrafanaException as error:
            raise PushError(what, error.status_code, str(error.message)[:200]) from error
        except requests.exceptions.JSONDecodeError as error:
            raise PushError(what, answered.status, "the answer is not JSON: a proxy or a sign-in page?") from error
        except requests.RequestException as error:
            raise PushError(what, 0, f"no answer ({type(error).__name__})") from error
        except (ValueError, TypeError) as error:
            raise PushError(what, answered.status, "the answer cannot be understood") from error
        finally:
            answered.close()
        if not isinstance(answer, kind):
            raise PushError(what, answered.status, f"the answer is {type(answer).__name__}, not {kind.__name__}")
        return answer


class Answered:
    """Notes the status of the last answer: grafana-api loses it when it cannot read the body."""

    def __init__(self, session: requests.Session) -> None:
        self.status, self._hooks = 0, session.hooks["response"]
        self._hooks.append(self._note)

    def _note(self, response: requests.Response, *_: object, **__: object) -> None:
        self.status = response.status_code

    def close(self) -> None:
        """Stop noting."""
        self._hooks.remove(self._note)
