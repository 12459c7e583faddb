"""Push against a stub of Grafana 13: it knows exactly the routes that we may call and answers 404 to every other."""
import json
import re
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest

from streams.errors import UsageError
from streams.grafana.build import boards
from streams.grafana.push import ATTEMPTS, Grafana, PushError

TOKEN = "stub-token"
HTML = b"<html><body><h1>502 Bad Gateway</h1><p>no message from upstream</p></body></html>"


class Stub:
    """State of the stub: what was stored, what was asked, and faults to answer with, first in first out."""

    def __init__(self):
        self.folders, self.dashboards, self.annotations, self.asked, self.faults = {}, {}, [], [], []

    def answer(self, method, target, body):
        """Status and JSON of one legal call."""
        url = urlsplit(target)
        route = (method, url.path)
        if route == ("GET", "/api/org"):
            return 200, {"id": 1, "name": "Main Org."}
        if match := re.fullmatch(r"/api/folders/([\w-]+)", url.path):
            title = self.folders.get(match[1])
            return (200, {"uid": match[1], "title": title}) if title else (404, {"message": "folder not found"})
        if route == ("POST", "/api/folders"):
            if body["uid"] in self.folders:
                return 412, {"message": "the folder has been changed by someone else"}
            self.folders[body["uid"]] = body["title"]
            return 200, body
        if route == ("POST", "/api/dashboards/db"):
            return self.store(body)
        if match := re.fullmatch(r"/api/dashboards/uid/([\w-]+)", url.path):
            if match[1] not in self.dashboards:
                return 404, {"message": "Dashboard not found"}
            if method == "DELETE":
                return 200, {"title": self.dashboards.pop(match[1])["title"]}
            return 200, {"meta": {}, "dashboard": self.dashboards[match[1]]}
        if route == ("GET", "/api/search"):
            wanted = parse_qs(url.query)["query"][0]
            return 200, [{"uid": uid} for uid, d in self.dashboards.items() if wanted in d["title"]]
        if match := re.fullmatch(r"/api/datasources/name/(.+)", url.path):
            return 200, {"uid": "ds-" + match[1]}
        if route == ("POST", "/api/annotations"):
            self.annotations.append(body)
            return 200, {"id": 1, "message": "Annotation added"}
        return 404, {"message": f"Not found: {method} {url.path}"}

    def store(self, body):
        """POST /dashboards/db as Grafana 13: v1 with a title, an existing folder, a new uid or overwrite."""
        dashboard = body["dashboard"]
        if "title" not in dashboard:
            return 400, {"message": "Dashboard title cannot be empty"}
        if body["folderUid"] not in self.folders:
            return 400, {"message": "folder not found"}
        if dashboard["uid"] in self.dashboards and not body["overwrite"]:
            return 412, {"message": "A dashboard with the same uid already exists"}
        self.dashboards[dashboard["uid"]] = dashboard
        return 200, {"uid": dashboard["uid"], "status": "success", "version": 1}


def handler(stub):
    """A request handler over one stub."""
    class Handler(BaseHTTPRequestHandler):
        def log_message(self, *_):
            pass

        def reply(self):
            """One answer: a planned fault, 401 without the token, else what the stub says."""
            size = int(self.headers.get("Content-Length") or 0)
            body = json.loads(self.rfile.read(size)) if size else None
            stub.asked.append((self.command, self.path))
            if stub.faults:
                return self.send(*stub.faults.pop(0))
            if self.headers.get("Authorization") != f"Bearer {TOKEN}":
                return self.send(401, {"message": "Invalid API key"})
            return self.send(*stub.answer(self.command, self.path, body))

        def send(self, status, body, location=""):
            """`None` sends no body at all; "hang" answers when the test is over; bytes go out as HTML."""
            if body == "hang":
                stub.over.wait(20)
                return
            data = b"" if body is None else body if isinstance(body, bytes) else json.dumps(body).encode()
            self.send_response(status)
            if location:
                self.send_header("Location", location)
            self.send_header("Content-Length", str(len(data)))
            self.send_header("Content-Type", "text/html" if isinstance(body, bytes) else "application/json")
            self.end_headers()
            self.wfile.write(data)

        do_GET = do_POST = do_PUT = do_DELETE = reply

    return Handler


@contextmanager
def grafana_stub():
    """A stub on a loopback port, ended with all its threads."""
    stub = Stub()
    stub.over = threading.Event()
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler(stub))
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    stub.url = f"http://127.0.0.1:{server.server_port}"
    try:
        yield stub
    finally:
        stub.over.set()
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.fixture
def stub():
    """A fresh stub."""
    with grafana_stub() as made:
        yield made


@pytest.fixture
def grafana(stub):
    """A client of the stub that hardly waits between attempts."""
    with Grafana(stub.url, TOKEN, timeout=5, pause=0.001) as client:
        yield client


def test_push_makes_folders_and_writes_the_generated_bytes(stub, grafana):
    """What Grafana has after a push is what the files hold; a second push overwrites and makes no second folder."""
    for _ in range(2):
        addresses = [grafana.put(board) for board in boards()]
    assert addresses == [f"{stub.url}/d/{board.uid}" for board in boards()]
    assert sorted(stub.folders.values()) == sorted({board.folder for board in boards()})
    for board in boards():
        assert stub.dashboards[board.uid] == {**json.loads(board.json), "id": None}
        assert grafana.get(board.uid)["uid"] == board.uid


def test_every_call_that_may_be_used_exists_in_the_stub(stub, grafana):
    """Org, folder, dashboard, search, data source, annotation, delete: each is answered by a route of Grafana 13."""
    assert grafana.check() == "Main Org."
    grafana.put(next(board for board in boards() if board.uid == "wl-health"))
    assert grafana.search("望楼自身 Health") == ["wl-health"]
    assert grafana.datasource("Prometheus") == "ds-Prometheus"
    grafana.annotate("演练", 1_781_830_800_000_000, ["drill"])
    assert stub.annotations[0]["time"] == stub.annotations[0]["timeEnd"] == 1_781_830_800_000
    grafana.delete("wl-health")
    assert stub.dashboards == {}


def test_inputs_are_quoted(stub, grafana):
    """A name with a slash, a question mark or an ampersand reaches Grafana whole: the library encodes nothing."""
    assert grafana.datasource("a/b?c#d") == "ds-a%2Fb%3Fc%23d"
    grafana.search("a&type=dash-folder")
    assert parse_qs(urlsplit(stub.asked[-1][1]).query) == {"query": ["a&type=dash-folder"], "type": ["dash-db"]}
    with pytest.raises(PushError):
        grafana.get("../../admin/settings")
    assert stub.asked[-1][1] == "/api/dashboards/uid/..%2F..%2Fadmin%2Fsettings"


@pytest.mark.parametrize(("status", "body", "text"), [
    (401, {"message": "Invalid API key"}, "HTTP 401, Unauthorized"),
    (403, {"message": "no rights"}, "HTTP 403, Client Error 403: no rights"),
    (404, {"message": "gone"}, "HTTP 404, Client Error 404: gone"),
    (412, {"message": "changed"}, "HTTP 412, Client Error 412: changed"),
    (204, None, "HTTP 204, the answer is not JSON"),
    (200, b"<html>please sign in</html>", "HTTP 200, the answer is not JSON: a proxy or a sign-in page?"),
    (200, None, "HTTP 200, the answer is not JSON"),
    (200, [], "HTTP 200, the answer is list, not dict"),
])
def test_an_answer_that_will_not_change_is_one_error_and_asked_once(stub, grafana, status, body, text):
    """Each refusal and each unreadable body is a PushError with its status, and is not asked again."""
    stub.faults = [(status, body)] * 9
    with pytest.raises(PushError, match=re.escape(text)) as caught:
        grafana.check()
    assert caught.value.status == status
    assert len(stub.asked) == 1


@pytest.mark.parametrize(("status", "body"), [
    (502, HTML), (502, {"message": "bad gateway"}), (500, "null"), (503, None),
], ids=["html", "json", "null", "empty"])
def test_a_server_error_is_tried_again_and_then_told(stub, grafana, status, body):
    """502 HTML with the word message, a body of null (TypeErrors in the library) and plain 5xx: retried, bounded, one error."""
    body = b"null" if body == "null" else body
    stub.faults = [(status, body)] * (ATTEMPTS - 1)
    assert grafana.check() == "Main Org."
    stub.faults, stub.asked = [(status, body)] * 9, []
    with pytest.raises(PushError) as caught:
        grafana.check()
    assert caught.value.status == status
    assert len(stub.asked) == ATTEMPTS


def test_a_null_body_is_one_error(stub, grafana):
    """200 with the body null is not taken for success."""
    stub.faults = [(200, b"null")]
    with pytest.raises(PushError, match="NoneType"):
        grafana.check()


def test_a_redirect_to_a_sign_in_page_is_an_error(stub, grafana):
    """302 to a page of HTML must not look like a push that worked."""
    stub.faults = [(302, None, "/login"), (200, b"<html>sign in</html>")]
    with pytest.raises(PushError, match="sign-in page"):
        grafana.check()


def test_no_answer_in_time_is_an_error(stub):
    """A Grafana that hangs costs attempts times timeout, then one error with status 0."""
    stub.faults = [(200, "hang")] * 9
    with Grafana(stub.url, TOKEN, timeout=0.2, pause=0.001) as grafana, pytest.raises(PushError, match="no answer") as caught:
        grafana.check()
    assert caught.value.status == 0
    assert len(stub.asked) == ATTEMPTS


def test_a_refused_connection_is_an_error():
    """Nobody listens: one error with status 0."""
    with grafana_stub() as gone:
        url = gone.url
    with Grafana(url, TOKEN, pause=0.001) as grafana, pytest.raises(PushError, match="no answer"):
        grafana.check()


def test_an_annotation_is_never_sent_twice(stub, grafana):
    """A repeat would be a second mark, so a failing annotation is told at once."""
    stub.faults = [(502, HTML)] * 9
    with pytest.raises(PushError):
        grafana.annotate("x", 0, [])
    assert len(stub.asked) == 1


def test_a_folder_made_by_somebody_else_meanwhile_is_used(stub, grafana):
    """404 on get and 412 on create: the folder is there now."""
    stub.faults = [(404, {"message": "folder not found"}), (412, {"message": "exists"})]
    assert grafana.folder("大屏") == "wl-5927-5c4f"


def test_a_wrong_token_says_so(stub):
    """401 comes through as 401."""
    with Grafana(stub.url, "wrong", pause=0.001) as grafana, pytest.raises(PushError) as caught:
        grafana.check()
    assert caught.value.status == 401


def test_a_path_prefix_is_kept(stub):
    """Grafana behind a proxy at /grafana is called at /grafana/api."""
    with Grafana(f"{stub.url}/grafana/", TOKEN, pause=0.001) as grafana, pytest.raises(PushError):
        grafana.check()
    assert stub.asked == [("GET", "/grafana/api/org")]


@pytest.mark.parametrize("url", ["127.0.0.1:3000", "ftp://127.0.0.1", "http://", "http://user:secret@127.0.0.1:3000"])
def test_a_wrong_address_is_refused_before_any_call(url):
    """An address without a scheme or with a secret in it is a wrong call, and the secret is not repeated."""
    with pytest.raises(UsageError) as caught:
        Grafana(url, TOKEN)
    assert "secret" not in str(caught.value)


def test_the_command_needs_a_token_from_the_environment(stub, monkeypatch, capsys):
    """Without the variable the call is wrong; with it every dashboard arrives and their addresses are printed."""
    from streams.cli.dashboards import push

    monkeypatch.delenv("STUB_TOKEN", raising=False)
    with pytest.raises(UsageError, match="STUB_TOKEN"):
        push(url=stub.url, token_env="STUB_TOKEN")
    monkeypatch.setenv("STUB_TOKEN", TOKEN)
    push(url=stub.url, token_env="STUB_TOKEN", as_json=True)
    assert json.loads(capsys.readouterr().out) == {"pushed": [f"{stub.url}/d/{board.uid}" for board in boards()]}


def test_only_one_module_knows_the_library():
    """grafana_api is imported by push.py alone, and no dead call of it is named there."""
    root = Path(__file__).parents[3]
    uses = re.compile(r"^\s*(from|import) grafana_api", re.M)
    users = [path.name for path in (root / "streams").rglob("*.py") if uses.search(path.read_text(encoding="utf-8"))]
    assert users == ["push.py"]
    text = (root / "streams/grafana/push.py").read_text()
    assert not re.findall(r"notifications|pause_all|get_folder_by_id|_by_id|dashboard_permissions|switch_user", text)
