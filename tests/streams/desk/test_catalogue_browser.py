"""City, series, detectors and the catalogue in a real Chromium: no script needed, both themes and languages, every width, keys."""
from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

COLOURS = (Path(__file__).parent / "colours.js").read_text("utf-8")
PAGES = ("/city", "/series", "/series/river_level@lanxi?from=2026-06-23T18:00&to=2026-06-24T02:00", "/detectors", "/detectors/basin",
         "/kinds?q=outbreak")


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory, night: Any, serve: Any) -> Iterator[str]:
    """The night behind a port."""
    _, site = night(tmp_path_factory.mktemp("catalogue"))
    with serve(site) as url:
        yield url


@pytest.fixture
def tab(browser: Any, url: str, request: pytest.FixtureRequest) -> Iterator[Any]:
    """A page without complaint; the parameter is theme and language."""
    theme, lang = getattr(request, "param", ("light", "zh"))
    context = browser.new_context(viewport={"width": 1366, "height": 768}, reduced_motion="reduce")
    context.add_cookies([{"name": "theme", "value": theme, "url": url}, {"name": "lang", "value": lang, "url": url}])
    page, faults = context.new_page(), []
    page.on("console", lambda m: faults.append(m.text) if m.type == "error" else None)
    page.on("pageerror", lambda e: faults.append(str(e)))
    page.on("request", lambda r: faults.append(r.url) if not r.url.startswith((url, "data:")) else None)
    yield page
    context.close()
    assert faults == []


@pytest.mark.parametrize("tab", [("light", "zh"), ("light", "en")], indirect=True)
def test_the_head_is_one_line(tab: Any, url: str) -> None:
    """In an office's window all pages of the navigation are there in one line; those behind "more" are reached by keys."""
    tab.goto(url + "/city")
    shown = "[...document.querySelectorAll('.nav>a,.more summary')].filter(e => e.offsetParent).length"
    height = "document.querySelector('.top').offsetHeight"
    for width, entries in ((1024, 6), (1366, 6), (1440, 6), (1920, 10)):
        tab.set_viewport_size({"width": width, "height": 768})
        assert tab.evaluate(height) < 56 and tab.evaluate(shown) == entries, width
    tab.set_viewport_size({"width": 1366, "height": 768})
    tab.locator(".more summary").focus()
    tab.keyboard.press("Enter")
    assert tab.locator(".more a:visible").count() == 5
    tab.keyboard.press("Escape")
    assert tab.locator(".more a:visible").count() == 0
    tab.keyboard.press("Enter")
    tab.keyboard.press("Tab")
    tab.keyboard.press("Enter")
    tab.wait_for_url("**/mutes")
    assert "here" in (tab.locator(".more summary").get_attribute("class") or "")


def test_a_cell_holds_what_it_says(tab: Any, url: str) -> None:
    """Level, count and silence of a cell of the matrix lie within its frame, also where all three are said."""
    tab.goto(url + "/city")
    over = """[...document.querySelectorAll('.cell')].filter(e => { const b = e.getBoundingClientRect();
              return [...e.children].some(x => { const c = x.getBoundingClientRect();
                return c.left < b.left || c.right > b.right || c.top < b.top || c.bottom > b.bottom; }); }).length"""
    assert tab.locator(".cell .lv").count() >= 3 and tab.locator(".cell .t-unk").count() >= 1
    for width in (390, 1024, 1366, 1920):
        tab.set_viewport_size({"width": width, "height": 768})
        assert tab.evaluate(over) == 0, width


@pytest.mark.parametrize("tab", [("light", "zh"), ("dark", "en")], indirect=True)
def test_contrast_hue_and_width(tab: Any, url: str) -> None:
    """Every text has its contrast, nothing is green, no page is wider than its window."""
    for path in PAGES:
        tab.goto(url + path)
        assert tab.evaluate(COLOURS)["bad"] == [], path
        for width in (360, 390, 768, 1024, 1366, 1920):
            tab.set_viewport_size({"width": width, "height": 800})
            assert tab.evaluate("document.documentElement.scrollWidth") <= width, (path, width)
        tab.set_viewport_size({"width": 1366, "height": 768})


def test_keys_zoom_and_move(tab: Any, url: str) -> None:
    """+ and - change the address, so the view can be sent on; back shows the one before."""
    tab.goto(url + PAGES[2])
    for key, begins in (("+", "from=2026-06-23T20:00"), ("ArrowRight", "from=2026-06-23T22:00"), ("-", "from=2026-06-23T20:00")):
        before = tab.url
        tab.keyboard.press(key)
        tab.wait_for_url(lambda now, before=before: now != before)
        assert begins in tab.url
    tab.go_back()
    assert "from=2026-06-23T22:00" in tab.url


def test_the_wall_has_no_control(tab: Any, url: str) -> None:
    """Nothing to press but links; its type is larger than that of the page."""
    tab.goto(url + "/city")
    small = tab.evaluate("document.querySelector('.tile b').getBoundingClientRect().height")
    tab.goto(url + "/city?wall=1")
    assert tab.locator("button, input, select, nav").count() == 0
    assert tab.evaluate("document.querySelector('.tile b').getBoundingClientRect().height") > 1.4 * small
