"""The public warning, mutes and reports in a real Chromium: with and without script, both themes, every width."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

COLOURS = (Path(__file__).parent / "colours.js").read_text("utf-8")


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory, night: Any, serve: Any) -> Iterator[tuple[Any, str]]:
    """The night, with a unit for work orders, behind a port."""
    from detectors.pack import Hazard, Outward, Text, Unit
    from streams.desk.names import Names

    bench, site = night(tmp_path_factory.mktemp("publish"))
    outward = Outward(code="33070041600000", hazards=(Hazard(("basin",), Text("洪水", "Flood"), "Geo", "11A01"),),
                      units=(Unit("street", Text("城中街道 141"), "https://work.example.cn", "$WANGLOU_SECRET_WORK"),))
    bench.names = Names(replace(bench.names.city, outward=outward), "7c1e9a00")
    with serve(site) as url:
        yield bench, url


class Tab:
    """A page of one post, and everything that it complained of."""

    def __init__(self, browser: Any, url: str, post: str, theme: str = "", lang: str = "zh", **given: Any) -> None:
        self.context = browser.new_context(viewport=given.pop("viewport", {"width": 1366, "height": 768}), **given)
        self.context.add_cookies([{"name": k, "value": x, "url": url}
                                  for k, x in {"post": post, "theme": theme, "lang": lang}.items() if x])
        self.page, self.faults = self.context.new_page(), []  # type: ignore[var-annotated]
        self.page.on("console", lambda m: self.faults.append(m.text) if m.type == "error" and "409" not in m.text else None)
        self.page.on("pageerror", lambda e: self.faults.append(str(e)))
        self.page.on("request", lambda r: self.faults.append(r.url) if not r.url.startswith((url, "data:")) else None)

    def __enter__(self) -> Any:
        return self.page

    def __exit__(self, *error: object) -> None:
        self.context.close()
        if error[0] is None:
            assert self.faults == []


def warning(bench: Any) -> str:
    """The orange river."""
    from sqlalchemy import select

    from streams.desk.tables import Alert

    with bench.store.read() as s:
        return str(s.scalar(select(Alert.id).where(Alert.indicator == "river_level", Alert.level == 3)))


def test_submitted_by_one_released_by_another(browser: Any, desk: tuple[Any, str]) -> None:
    """The officer edits and submits, and cannot release; the leader releases, without script; then it is in the feed."""
    bench, url = desk
    id_ = warning(bench)
    with Tab(browser, url, "duty") as page:
        page.goto(f"{url}/w/{id_}")
        pub = page.locator("#pub")
        assert "草稿，未发布" in pub.inner_text() and "urn:oasis:names:tc:emergency:cap:1.2" in pub.inner_text()
        pub.get_by_text("改写文字").click()
        page.locator("#p-hours").fill("999")
        page.get_by_role("button", name="报批发布").click()
        page.locator("#submit .err").filter(has_text="有效期须在").wait_for()
        page.locator("#p-hours").fill("3")
        page.locator("#p-headline").fill("兰江<洪水>橙色预警")
        page.get_by_role("button", name="报批发布").click()
        page.locator("#release").wait_for()
        assert page.get_by_role("button", name="批准发布").is_disabled() and "报批人不能批准自己的" in page.locator("#release").inner_text()
    with Tab(browser, url, "leader", java_script_enabled=False) as page:
        page.goto(f"{url}/w/{id_}")
        page.get_by_role("button", name="批准发布").click()
        assert "在效，至" in page.locator("#pub").inner_text() and "兰江<洪水>橙色预警" in page.locator("#pub").inner_text()
        page.locator("#p-note").fill("水位已回落，解除")
        page.get_by_role("button", name="报批解除").click()
        assert page.get_by_role("button", name="撤回").is_enabled()
        assert "兰江&lt;洪水&gt;橙色预警" in page.request.get(f"{url}/feeds/alerts.rss").text()


def test_muted_on_the_page(browser: Any, desk: tuple[Any, str]) -> None:
    """From a warning to the form with its scope filled in; what is born muted says by whom until when, untinted and silent."""
    bench, url = desk
    with Tab(browser, url, "leader") as page:
        page.goto(f"{url}/w/{warning(bench)}")
        page.get_by_role("link", name="屏蔽", exact=True).last.click()
        assert page.locator("#m-site").input_value() == "lanxi" and page.locator("#m-indicator").input_value() == "river_level"
        page.locator("#m-site").select_option("dapan")
        page.locator("#m-indicator").select_option("rain")
        page.locator("#m-until").fill("2026-06-24T03:10")
        page.locator("#new textarea").fill("雨量筒清洗，厂家在场")
        page.get_by_role("button", name="开始屏蔽").click()
        assert "雨量筒清洗" in page.locator("main").inner_text()
        from detectors.event import Change, alert_id

        id_ = alert_id("basin/rain-stage", "rain@dapan", bench.now)
        bench.put(Change(id=f"{id_}-0", alert=id_, time=bench.now, arrived=bench.now, onset=bench.now, since=bench.now, pack="basin",
                         site="dapan", indicator="rain", detector="basin/rain-stage", to=2, value=31.0, score=31.0, limit=30.0,
                         group="basin/rain", plan="7c1e9a00"))
        page.goto(url)
        row = page.locator(f"#w{id_}")
        assert "屏蔽：带班领导甲，至 03:10" in row.inner_text() and "ask" not in (row.get_attribute("class") or "").split()
        page.goto(f"{url}/mutes")
        page.get_by_role("button", name="提前结束").click()
        bench.pass_time(1)
        page.goto(url)
        assert "ask" in (page.locator(f"#w{id_}").get_attribute("class") or "").split()


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_colours_and_widths(browser: Any, desk: tuple[Any, str], theme: str) -> None:
    """Every text has its contrast, nothing is green, no page is wider than its window, in both languages."""
    bench, url = desk
    for lang in ("zh", "en"):
        with Tab(browser, url, "leader", theme, lang, reduced_motion="reduce") as page:
            for path in (f"/w/{warning(bench)}", "/mutes", "/report"):
                page.goto(url + path)
                assert page.evaluate(COLOURS)["bad"] == [], path
                for width in (360, 390, 768, 1024, 1366, 1920):
                    page.set_viewport_size({"width": width, "height": 800})
                    assert page.evaluate("document.documentElement.scrollWidth") <= width, (path, width)
                    small = page.evaluate("[...document.querySelectorAll('main button,main select,main input:not([type=hidden])')]"
                                          ".filter(e => e.getClientRects().length && e.getBoundingClientRect().height < 18).length")
                    assert small == 0, (path, width)
