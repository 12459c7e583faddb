"""Sign in, answer, sign out everywhere in a real Chromium; an answer link on a telephone, without script."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from streams.desk.people import accounts, links
from streams.desk.tables import Delivery

COLOURS = (Path(__file__).parent / "colours.js").read_text("utf-8")
PASSWORD = "correct horse battery"
PHONE = {"width": 360, "height": 740}


@pytest.fixture
def desk(tmp_path: Path, night: Any, change: Any, serve: Any) -> Iterator[Any]:
    """A desk behind a port where people sign in, with one red warning."""
    bench, site = night(tmp_path, fill=False)
    with bench.store.begin() as s:
        accounts.add(s, "zhiban", PASSWORD, ["duty"], bench.now, [], [], ["wucheng"])
        accounts.add(s, "kan", PASSWORD, ["viewer"], bench.now)
    bench.put(red := change("methane", "renmin", 4))
    bench.red = red.alert
    with serve(site) as url:
        bench.url = url
        yield bench


def tab(browser: Any, faults: list[str], **given: Any) -> Any:
    """A page that tells its complaints."""
    page = browser.new_context(**given).new_page()
    page.on("console", lambda m: faults.append(m.text) if m.type == "error" else None)
    page.on("pageerror", lambda e: faults.append(str(e)))
    return page


def sign_in(page: Any, url: str, name: str) -> None:
    """By keyboard alone: the cursor stands in the first field."""
    page.goto(url)
    page.wait_for_selector("#user:focus")
    page.keyboard.type(name)
    page.keyboard.press("Tab")
    page.keyboard.type(PASSWORD)
    page.keyboard.press("Enter")
    page.wait_for_selector("#post, .tools small")


def answer_link(bench: Any) -> str:
    """The link of the red warning's first step."""
    with bench.store.read() as s:
        row = s.query(Delivery).filter_by(alert=bench.red, n=1).one()
        return f"{bench.url}/a/{links.token_of(links.secret_of(s), row)}"


def test_sign_in_answer_and_sign_out_everywhere(browser: Any, desk: Any) -> None:
    """Live, with two keys; then both browsers are out: the other, an open page, comes to the sign-in by itself."""
    faults: list[str] = []
    one, two = tab(browser, faults), tab(browser, faults)
    sign_in(one, desk.url + f"/w/{desk.red}", "zhiban")
    assert one.url == f"{desk.url}/w/{desk.red}"
    sign_in(two, desk.url, "zhiban")
    one.goto(desk.url)
    one.keyboard.press("a")
    one.keyboard.press("Enter")
    one.wait_for_selector("[data-section=doing] .row")
    assert desk.alert(desk.red).answered_by == "wucheng"
    two.wait_for_selector("[data-section=doing] .row")
    one.click(".tools a[href='/sessions']")
    assert one.locator(".items li").count() == 2
    one.click("text=退出全部")
    one.wait_for_selector("#password")
    two.wait_for_selector("#password", timeout=20_000)
    assert faults == []


def test_a_viewer_sees_the_buttons_disabled_with_the_reason(browser: Any, desk: Any) -> None:
    """What may not be done is shown, and why."""
    faults: list[str] = []
    page = tab(browser, faults)
    sign_in(page, desk.url, "kan")
    button = page.locator(".row .acts button")
    assert button.is_disabled() and button.get_attribute("title") == "无权操作：需要值班员"
    assert "账号没有岗位" in page.locator(".tools").inner_text()
    page.goto(f"{desk.url}/w/{desk.red}")
    assert page.locator("#do button:not([disabled])").count() == 0 and page.locator("#do form").count() >= 3
    assert faults == []


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_an_answer_link_on_a_telephone(browser: Any, desk: Any, theme: str, tmp_path: Path) -> None:
    """Without script: both buttons at least 52 px, nothing wider than the screen, readable; one touch answers."""
    page = tab(browser, faults := [], viewport=PHONE, color_scheme=theme, java_script_enabled=False, has_touch=True)
    looks = tab(browser, faults, viewport=PHONE, color_scheme=theme)
    looks.goto(answer_link(desk))
    assert looks.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
    found = looks.evaluate(COLOURS)
    assert found["bad"] == [] and found["texts"] > 12
    page.goto(answer_link(desk))
    page.screenshot(path=str(tmp_path / f"answer-{theme}.png"))
    boxes = [b.bounding_box() for b in page.locator("form button").all()]
    assert len(boxes) == 2 and all(b["height"] >= 52 and b["y"] + b["height"] <= PHONE["height"] for b in boxes)
    page.tap("button[value=answer]")
    page.wait_for_selector("main [role=status]")
    assert "已应答" in page.inner_text("main") and desk.alert(desk.red).answered_by == "wucheng"
    assert looks.reload().status == 410
    assert [f for f in faults if "410" not in f] == []


@pytest.mark.parametrize(("theme", "lang"), [("light", "zh"), ("dark", "en")])
def test_the_sign_in_page_at_every_width(browser: Any, desk: Any, theme: str, lang: str) -> None:
    """Nothing wider than the screen, fields and button high enough for a finger, focus in the first field."""
    for width in (360, 390, 768, 1024, 1366, 1920):
        page = tab(browser, faults := [], viewport={"width": width, "height": 768}, color_scheme=theme)
        page.goto(f"{desk.url}/login?lang={lang}")
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        page.wait_for_function("document.activeElement.id === 'user'")     # the browser focuses when it paints, not when it has loaded
        assert all(x.bounding_box()["height"] >= 44 for x in page.locator(".in, .lf .btn").all())
        assert page.evaluate(COLOURS)["bad"] == [] and faults == []
        page.context.close()
