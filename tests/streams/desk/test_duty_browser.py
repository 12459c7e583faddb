"""Roster, hand-over and the keys of a warning's whole life in a real Chromium."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from detectors.event import Change
from streams.desk.duty import deeds
from streams.desk.duty.roster import shift_id
from streams.desk.duty.sheet import read
from streams.desk.duty.tables import Shift

Make = Callable[..., Change]
MIDNIGHT = 1_782_230_400_000_000
H = 3_600_000_000
WIDTHS = (360, 390, 768, 1024, 1366, 1920)
ROSTER = """post,from,to,person,label,name
duty,2026-06-23 16:00,2026-06-24 00:00,P03,晚,某丙
duty,2026-06-24 00:00,2026-06-24 08:00,P01,夜,某甲
duty,2026-06-24 08:00,2026-06-24 16:00,P02,白,某乙
duty,2026-06-24 16:00,2026-06-24 24:00,,晚,
"""


@pytest.fixture
def served(tmp_path: Path, night: Any, serve: Any) -> Iterator[tuple[Any, Any, str]]:
    """A desk with a roster behind a port: bench, site, address."""
    bench, site = night(tmp_path, fill=False)
    with bench.store.begin() as s:
        deeds.enforce_sheet(s, read(ROSTER.encode(), bench.names.posts, ()).plain(), bench.names.actor("leader"), bench.m)
    with serve(site) as url:
        yield bench, site, url


def tab(browser: Any, url: str, post: str = "duty", **given: Any) -> tuple[Any, list[str]]:
    """A page of a post, and what it complained of."""
    context, faults = browser.new_context(**given), []     # type: ignore[var-annotated]
    context.add_cookies([{"name": "post", "value": post, "url": url}])
    page = context.new_page()
    page.on("console", lambda m: faults.append(m.text) if m.type == "error" else None)
    page.on("pageerror", lambda e: faults.append(str(e)))
    return page, faults


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_no_page_is_wider_than_the_screen(browser: Any, served: Any, change: Make, theme: str) -> None:
    """Roster and hand-over at six widths, in both themes and languages, without an error."""
    bench, _, url = served
    bench.put(change("methane", "renmin", 4, time=bench.now))
    page, faults = tab(browser, url, color_scheme=theme)
    for width in WIDTHS:
        page.set_viewport_size({"width": width, "height": 800})
        for path in ("/duty", f"/handover/{shift_id('duty', MIDNIGHT + 8 * H)}", "/duty?lang=en"):
            page.goto(url + path)
            assert page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth") <= 0, (path, width)
    assert faults == []


def test_a_shift_changes_hands_without_script(browser: Any, served: Any, change: Make) -> None:
    """Script off: upload with a look, a gap manned, an unticked red refused in place, then both sign."""
    bench, site, url = served
    bench.put(red := change("methane", "renmin", 4, time=bench.now))
    page, _ = tab(browser, url, java_script_enabled=False)
    page.goto(f"{url}/duty")
    page.locator("#gaps select").select_option("P03")
    page.locator("#gaps button").click()
    page.locator("#file").set_input_files({"name": "r.csv", "mimeType": "text/csv", "buffer":
                                           b"post,from,to,person,label\nduty,2026-06-25 00:00,2026-06-25 08:00,P01,N\n"})
    page.locator("form[action='/duty/upload'] button").click()
    page.locator("#preview form button").click()
    with bench.store.read() as s:
        assert [x.person for x in s.scalars(select(Shift).order_by(Shift.start))] == ["P03", "P01", "P02", "P03", "P01"]
    bench.now = MIDNIGHT + 8 * H
    site.now = lambda: bench.now
    page.goto(f"{url}/handover/{shift_id('duty', MIDNIGHT + 8 * H)}")
    page.locator("#note-in").fill("泵车联系方式见预警单")
    page.locator("#sign-in button").click()
    assert "还有 1 条红色" in page.locator("#notice").inner_text()
    assert page.locator("#note-in").input_value() == "泵车联系方式见预警单"
    page.locator(f"[name=seen][value='{red.alert}']").check()
    page.locator("#sign-in button").click()
    page.locator("#sign-out button").click()
    assert "双方已签" in page.locator("main").inner_text() and not page.locator("#sign-in").count()


def test_keys_answer_together_and_go_on(browser: Any, served: Any, change: Make) -> None:
    """x on two rows, a, Enter: one answer for both; v, h, ], g u go where they say; off by one setting."""
    bench, _, url = served
    bench.put(one := change("river_level", "lanxi", 1, time=bench.now), two := change("reservoir", "hengjin", 2, time=bench.now))
    page, faults = tab(browser, url)
    page.goto(url)
    for key in "jxjxa":
        page.keyboard.press(key)
    assert page.locator(".row.picked").count() == 2
    page.keyboard.press("Enter")
    page.locator("[data-section=doing] .row").nth(1).wait_for()
    assert {bench.alert(one.alert).answered_by, bench.alert(two.alert).answered_by} == {"duty"}
    assert page.locator("#picked").is_hidden()

    order = page.evaluate("[...document.querySelectorAll('.row')].map(r => r.dataset.id)")
    page.goto(f"{url}/w/{order[0]}")
    page.keyboard.press("]")
    page.wait_for_url(f"**/w/{order[1]}")
    page.keyboard.press("v")
    assert page.evaluate("document.activeElement.closest('form').id") == "verify"
    page.evaluate("document.activeElement.blur()")
    page.keyboard.press("h")
    assert page.evaluate("document.activeElement.id") == "to"
    page.evaluate("document.activeElement.blur()")
    page.keyboard.press("g")
    page.keyboard.press("u")
    page.wait_for_url("**/duty")
    page.goto(url)
    page.locator("#keysoff").click()
    page.evaluate("document.activeElement.blur()")
    page.keyboard.press("j")
    assert page.locator(".row[aria-selected=true]").count() == 0
    assert faults == []
