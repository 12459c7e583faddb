"""Drills and parked messages in a real Chromium: without script, by keyboard, both themes, every width."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from streams.desk.channels import Message, Outcome, Result
from streams.desk.tables import Delivery

COLOURS = (Path(__file__).parent / "colours.js").read_text("utf-8")
NASTY = "HTTP 403 <img src=x onerror=alert(1)> " + "余额不足" * 60


class Refuses:
    """A channel out of credit, with a long word to say about it."""

    def send(self, message: Message, address: str) -> Outcome:
        """No."""
        return Outcome(Result.NEVER, NASTY)


@pytest.fixture
def desk(tmp_path: Path, night: Any, change: Any, serve: Any) -> Iterator[tuple[Any, str, str]]:
    """A desk with one parked message, behind a port; the id of its warning."""
    bench, site = night(tmp_path, fill=False)
    bench.put(bad := change("river_level", "lanxi", 3))
    bench.deliver(log=Refuses())
    with serve(site) as url:
        yield bench, url, bad.alert
    bench.store.close()


@pytest.fixture
def tab(browser: Any, desk: tuple[Any, str, str]) -> Iterator[Any]:
    """Opens pages as the shift leader; what they complain of fails the test."""
    faults: list[str] = []
    made: list[Any] = []

    def tab(theme: str = "light", lang: str = "zh", **given: Any) -> Any:
        context = browser.new_context(**given)
        made.append(context)
        context.add_cookies([{"name": k, "value": x, "url": desk[1]} for k, x in {"post": "leader", "theme": theme, "lang": lang}.items()])
        page = context.new_page()
        page.on("console", lambda m: faults.append(m.text) if m.type == "error" else None)
        page.on("pageerror", lambda e: faults.append(str(e)))
        page.on("dialog", lambda d: faults.append(d.message))
        return page

    yield tab
    for context in made:
        context.close()
    assert faults == []


def test_a_drill_is_called_and_ended_without_script(tab: Any, desk: tuple[Any, str, str]) -> None:
    """The form is sent by keyboard alone; the report; the button that ends it."""
    page = tab(java_script_enabled=False)
    page.goto(f"{desk[1]}/drill")
    page.select_option("#d-site", "lanxi")
    page.focus("#d-minutes")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    page.wait_for_url("**/drill/*")
    assert "演练报告" in page.inner_text("h1") and "待开始" in page.inner_text("h1")
    page.get_by_role("button", name="结束演练").click()
    assert page.get_by_role("button", name="结束演练").count() == 0


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_colours_widths_and_foreign_text(tab: Any, desk: tuple[Any, str, str], theme: str) -> None:
    """No page is wider than the screen, every text can be read, what a gateway said is text, buttons are large enough."""
    bench, url, alert = desk
    for width in (360, 390, 768, 1024, 1366, 1920):
        page = tab(theme, "zh" if width < 1000 else "en", viewport={"width": width, "height": 800})
        for path in ("/drill", "/outbox", f"/w/{alert}"):
            page.goto(f"{url}{path}")
            assert page.evaluate("document.documentElement.scrollWidth") <= width, (path, width)
            if width in (390, 1366):
                assert page.evaluate(COLOURS)["bad"] == [], path
            if path == "/outbox":
                assert "<img src=x" in page.inner_text("main") and page.locator("main img").count() == 0
                box = page.locator("main form button").bounding_box()
                assert box["height"] >= 24 and box["width"] >= 24
    with bench.store.read() as s:
        assert s.scalars(select(Delivery.state).where(Delivery.alert == alert)).all() == ["parked"]


def test_sent_again_from_its_warning(tab: Any, desk: tuple[Any, str, str]) -> None:
    """One press on the warning's own page; the message waits to leave, and the timeline says who did it."""
    bench, url, alert = desk
    page = tab()
    page.goto(f"{url}/w/{alert}")
    page.locator("#tried").get_by_role("button", name="重发").click()
    page.wait_for_url("**/w/*#tried")
    assert "带班领导甲 重发" in page.inner_text("main") and page.locator("#tried form").count() == 0
    with bench.store.read() as s:
        assert s.scalars(select(Delivery.state).where(Delivery.alert == alert)).all() == ["pending"]
