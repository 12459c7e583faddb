"""The pages in a real Chromium: without script, in both themes, at every width, live."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

COLOURS = (Path(__file__).parent / "colours.js").read_text("utf-8")
FAKE_AUDIO = """window.beeps = [];
window.AudioContext = class { constructor() { this.state = 'running'; this.currentTime = 0; this.destination = {}; }
  resume() { return Promise.resolve(); }
  createOscillator() {
    const o = {frequency: {value: 0}, connect: x => x, start: () => window.beeps.push(o.frequency.value), stop() {}}; return o; }
  createGain() { return {gain: {value: 0}, connect: x => x}; } };"""


@dataclass(frozen=True)
class Served:
    """A desk behind a port, and what looks at it."""

    bench: Any
    site: Any
    url: str


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory, night: Any, serve: Any) -> Iterator[Served]:
    """The night, only to be read."""
    bench, site = night(tmp_path_factory.mktemp("web"))
    with serve(site) as url:
        yield Served(bench, site, url)


@pytest.fixture
def own(tmp_path: Path, night: Any, serve: Any) -> Iterator[Served]:
    """An empty desk to act on."""
    bench, site = night(tmp_path, fill=False)
    with serve(site) as url:
        yield Served(bench, site, url)


class Tab:
    """A page with a post, and everything that it complained of."""

    def __init__(
        self,
        browser: Any,
        served: Served,
        post: str = "duty",
        script: str = "",
        theme: str = "",
        lang: str = "zh",
        allow: str = "\0",
        **given: Any,
    ) -> None:
        self.context = browser.new_context(viewport=given.pop("viewport", {"width": 1366, "height": 768}), **given)
        cookies = {"post": post, "theme": theme, "lang": lang}
        self.context.add_cookies([{"name": k, "value": x, "url": served.url} for k, x in cookies.items() if x])
        self.page, self.url, self.faults = self.context.new_page(), served.url, []  # type: ignore[var-annotated]
        if script:
            self.page.add_init_script(script)
        self.page.on("console", lambda m: self.faults.append(m.text) if m.type == "error" and allow not in m.text else None)
        self.page.on("pageerror", lambda e: self.faults.append(str(e)))
        self.page.on("request", lambda r: self.faults.append(r.url) if not r.url.startswith((served.url, "data:")) else None)

    def __enter__(self) -> Any:
        self.page.goto(self.url)
        return self.page

    def __exit__(self, *error: object) -> None:
        self.context.close()
        if error[0] is None:
            assert self.faults == []


def until(page: Any, said: str) -> None:
    """Wait until an expression holds (Playwright's own way needs eval, which the desk's CSP forbids)."""
    for _ in range(100):
        if page.evaluate(said):
            return
        page.wait_for_timeout(50)
    raise AssertionError(f"never held: {said}")


def ids(served: Served) -> list[str]:
    """Pages to look at: the desk, and three warnings."""
    from sqlalchemy import select

    from streams.desk.tables import Alert

    with served.bench.store.read() as s:
        return [
            "/",
            *(f"/w/{i}" for i in s.scalars(select(Alert.id).where(Alert.level > 0).order_by(Alert.level.desc()).limit(3))),
        ]


def test_reading_and_answering_need_no_script(browser: Any, own: Served, change: Any) -> None:
    """Script off: value, deadline by the clock, chart and action are there; the plain form answers."""
    own.bench.put(orange := change("methane", "renmin", 3, time=own.bench.now))
    with Tab(browser, own, java_script_enabled=False) as page:
        row = page.locator(f"#w{orange.alert}")
        assert row.locator("time").inner_text() == "02:19:20" and "窨井甲烷" in row.inner_text()
        row.locator("summary").click()
        row.locator("input[name=reason]").fill("电话联系了值班员乙")
        row.get_by_role("button", name="发出").click()
        assert page.locator("[data-section=doing] .row").count() == 1 and "值班员甲" in page.locator(".row .who").inner_text()
        page.get_by_role("link", name="窨井甲烷").click()
        assert page.locator(".log li").count() >= 4 and page.locator("#news textarea, #close textarea").count() == 2


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_colours(browser: Any, served: Served, theme: str) -> None:
    """Every text ≥ 4.5, every level shape's edge or fill ≥ 3 against its ground; nothing is green."""
    for path in ids(served):
        with Tab(browser, served, theme=theme, reduced_motion="reduce") as page:
            page.goto(served.url + path)
            found = page.evaluate(COLOURS)
            assert found["texts"] > 40 and found["shapes"] >= 1, path
            assert found["bad"] == [], path


def test_five_shapes_each_with_a_word(browser: Any, served: Served) -> None:
    """Levels differ in path, not only in fill, and have a word beside them."""
    with Tab(browser, served) as page:
        paths = page.evaluate(
            "[...document.querySelectorAll('symbol')].map(s => s.firstElementChild.outerHTML.replace(/class=\"[^\"]*\"/, ''))"
        )
        assert len(set(paths)) == 5
        assert all(x.strip() for x in page.locator(".lvl").all_inner_texts())
        assert page.locator("time[data-until]").first.inner_text().count(":") == 1


def test_no_page_is_wider_than_its_window(browser: Any, served: Served) -> None:
    """From a phone to a wall: no horizontal scrolling; targets ≥ 24 px, a phone's buttons ≥ 44."""
    wide = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
    small = """[...document.querySelectorAll('button, .btn, select, input:not([type=hidden])')].filter(e => e.offsetParent)
               .map(e => e.getBoundingClientRect())
               .filter(r => r.height < 18).length"""
    cut = "[...document.querySelectorAll('.btn')].filter(e => e.offsetParent && e.scrollWidth > e.clientWidth + 1).length"
    with Tab(browser, served) as page:
        for path, lang in itertools.product(ids(served)[:2], ("zh", "en")):
            page.goto(f"{served.url}{path}?lang={lang}")
            for width in (360, 390, 768, 1024, 1366, 1920):
                page.set_viewport_size({"width": width, "height": 800})
                assert page.evaluate(wide) <= 0, (path, lang, width)
                assert page.evaluate(small) == 0, (path, lang, width)
                assert page.evaluate(cut) == 0, (path, lang, width)
                if width == 390 and path == "/":
                    assert (
                        page.evaluate(
                            "Math.min(...[...document.querySelectorAll('.acts .btn')].map(e => e.getBoundingClientRect().height))"
                        )
                        >= 44
                    )


def test_eight_rows_without_scrolling(browser: Any, own: Served, change: Any) -> None:
    """1366 × 768: the strip is one line, eight rows are whole."""
    for n, (indicator, site) in enumerate(
        [
            ("river_level", "lanxi"),
            ("river_level", "sanhe"),
            ("reservoir", "hengjin"),
            ("methane", "renmin"),
            ("water", "chouzhou"),
            ("rain", "houzhai"),
            ("rain", "fotang"),
            ("rain", "dapan"),
        ]
    ):
        own.bench.put(red := change(indicator, site, 4, time=own.bench.now + n))
        if n > 2:
            own.bench.do(red.alert, "answer_for", "leader", "电话联系了值班员")
    with Tab(browser, own, script=FAKE_AUDIO) as page:
        page.wait_for_timeout(200)
        assert (
            page.evaluate("[...document.querySelectorAll('.row')].filter(r => r.getBoundingClientRect().bottom <= 768).length")
            == 8
        )
        assert page.evaluate("document.querySelector('.strip').getBoundingClientRect().height") < 52


def test_a_new_event_comes_alive_and_two_keys_answer_it(browser: Any, own: Served, change: Any) -> None:
    """Row, title and sound without a reload; `a`, `Enter` answers; the steps after it are not called."""
    own.bench.put(change("river_level", "sanhe", 1))
    with Tab(browser, own, post="lanxi-water", script=FAKE_AUDIO) as page:
        page.wait_for_timeout(300)
        own.bench.put(red := change("river_level", "lanxi", 4))
        row = page.locator(f"[data-section=ask] #w{red.alert}")
        row.wait_for(timeout=5000)
        assert page.locator(".row").first.get_attribute("id") == f"w{red.alert}"
        until(page, "document.title.startsWith('(2) ') && window.beeps.length === 3 && window.beeps[0] === 880")
        assert page.locator("#shout").inner_text().startswith("红")
        page.keyboard.press("j")
        page.keyboard.press("a")
        page.keyboard.press("Enter")
        page.locator(f"[data-section=doing] #w{red.alert}").wait_for(timeout=5000)
    assert own.bench.alert(red.alert).answered_by == "lanxi-water"
    assert own.bench.steps(red.alert)[1][2] == "stopped"


def test_of_two_browsers_one_answers(browser: Any, own: Served, change: Any) -> None:
    """The other sees who was first: on the row, not on an error page."""
    own.bench.put(orange := change("methane", "renmin", 3))
    with Tab(browser, own) as one, Tab(browser, own, post="wucheng", allow="Failed to load resource") as two:
        two.route("**/events*", lambda r: r.abort())
        two.reload()
        one.keyboard.press("a")
        one.locator("input[name=reason]").fill("电话联系了值班员乙")
        two.keyboard.press("a")
        two.locator(".do[open]").wait_for()
        one.keyboard.press("Enter")
        one.locator("[data-section=doing] .row").wait_for(timeout=5000)
        two.keyboard.press("Enter")
        two.locator("[data-section=doing] .row").wait_for(timeout=5000)
        assert "值班员甲" in two.locator(".row .who").inner_text()
    assert own.bench.acts(orange.alert).count("answered") == 1


def test_nothing_moves_under_the_hand(browser: Any, own: Served, change: Any) -> None:
    """While a row is hovered, new events change no position; a bar says how many; `.` reorders. An old row never overwrites."""
    own.bench.put(change("river_level", "sanhe", 2), last := change("reservoir", "hengjin", 1))
    place = f"document.querySelector('#w{last.alert}').getBoundingClientRect().top"
    with Tab(browser, own, script=FAKE_AUDIO) as page:
        page.wait_for_timeout(300)
        page.locator(f"#w{last.alert} .val").hover()
        before = page.evaluate(place)
        for n in range(8):
            own.bench.put(
                change("river_level", "lanxi", 4 - n % 3, 0, n, onset=own.bench.now),
                change("water", "chouzhou", 3, 0, n, onset=1),
            )
        page.locator("#changes b").get_by_text("有 2 条变化").wait_for(timeout=5000)
        assert page.evaluate(place) == before and page.locator(".row").count() == 2
        page.keyboard.press(".")
        assert page.locator(".row").count() == 4 and page.locator(f".row:nth-child(4)#w{last.alert}").count() == 1
        page.mouse.move(5, 760)
        page.evaluate(
            "swap(document.querySelector('.row').outerHTML"
            ".replace(/data-rev=\"\\d+\"/, 'data-rev=\"0\"').replace('河道水位', '旧'))"
        )
        assert "旧" not in page.locator(".row").first.inner_text()


def test_a_page_without_sound_takes_a_new_red(browser: Any, own: Served, change: Any) -> None:
    """The city page hears of it and complains of nothing."""
    with Tab(browser, own, script=FAKE_AUDIO) as page:
        page.goto(f"{own.url}/city")
        page.evaluate("window.heard = 0; es.addEventListener('row', () => window.heard++)")
        own.bench.put(change("methane", "renmin", 4))
        until(page, "window.heard > 0")


def test_a_mute_ends_with_a_new_red(browser: Any, own: Served, change: Any) -> None:
    """Muted for ten minutes, an orange is silent, a red is heard."""
    with Tab(browser, own, script=FAKE_AUDIO) as page:
        page.wait_for_timeout(300)
        page.keyboard.press("m")
        page.locator("#sound").get_by_text("静音").wait_for(timeout=5000)
        own.bench.put(orange := change("water", "chouzhou", 3))
        page.locator(f"#w{orange.alert}").wait_for(timeout=5000)
        page.wait_for_timeout(100)
        assert page.evaluate("beeps.length") == 0
        own.bench.put(change("methane", "renmin", 4))
        until(page, "window.beeps.length === 3")


def test_refused_acts_keep_what_was_typed(browser: Any, own: Served, change: Any) -> None:
    """On the warning page a refusal stands beside the form, the text stays; then it works."""
    own.bench.put(blue := change("river_level", "lanxi", 1))
    own.bench.do(blue.alert, "answer", "duty")
    with Tab(browser, own, allow="404") as page:
        page.goto(f"{own.url}/w/{blue.alert}")
        page.locator("#news textarea").fill("堤防无渗漏，下次 02:45 报")
        page.evaluate("document.querySelector('#news').action = '/w/none/news'")
        page.locator("#news button").click()
        page.locator("#news .err").get_by_text("没有这张预警单").wait_for()
        assert page.locator("#news textarea").input_value() == "堤防无渗漏，下次 02:45 报"
        page.evaluate(f"document.querySelector('#news').action = '/w/{blue.alert}/news'")
        page.locator("#news button").click()
        page.locator(".log").get_by_text("堤防无渗漏").wait_for(timeout=5000)
        assert page.locator("#close button").is_disabled()
        assert page.locator("#close small").last.inner_text().startswith("读数仍超限")
