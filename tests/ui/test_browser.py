"""The pages in a real browser: live, by keyboard alone, on a narrow screen, in the dark, and by the rules of axe-core.

One browser and one sandbox for all tests here; each begins with a group at rest and an image of its own. What they see
is left in build/screens.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

from phoenix.pages.report import report_page
from phoenix.sandbox import Behaviour, ManualClock, Sandbox
from phoenix.ui.board import Board, Pace
from phoenix.ui.guard import Doors
from phoenix.ui.server import listen, server_of
from tests.rotation.stage import BRISK, STEADY, Stage, UnhurriedAws, a_policy, write_policy
from tests.ui.conftest import CANARY

ROOT = Path(__file__).parents[2]
CHROMIUM = Path("/usr/bin/chromium")
AXE = ROOT / "build" / "axe" / "node_modules" / "axe-core" / "axe.min.js"
SCREENS = ROOT / "build" / "screens"
BRISK_PACE = Pace(turn=0.5, between=0.1, shown=0.5)

pytestmark = pytest.mark.skipif(not CHROMIUM.exists(), reason=f"there is no Chromium at {CHROMIUM}")


@dataclass
class Show:
    """The server, the group behind it, and a browser. `strange` is what no page may do: errors, and other hosts."""

    stage: Stage
    url: str
    browser: Browser
    images: int = 0
    strange: list[str] = field(default_factory=list)

    def open(self, path: str = "/", **surroundings: Any) -> Page:
        page = self.browser.new_context(**surroundings).new_page()
        page.on("console", lambda said: self.strange.append(said.text) if said.type == "error" else None)
        page.on("request", lambda asked: None if asked.url.startswith(self.url) else self.strange.append(asked.url))
        page.goto(self.url + path)
        return page

    def bake(self) -> None:
        """A driver brings a new image to its first bake."""
        self.images += 1
        self.stage.box.bake_image(f"web-2026.12.{self.images:02d}-browser")
        self.stage.tick_until(lambda report: "baking" in report.sentence)

    def end(self) -> None:
        """The rotation in flight goes on to its end."""
        self.stage.tick_until(lambda _: self.stage.record.in_flight is None)
        self.stage.clock.advance(120)


@pytest.fixture(scope="module")
def show(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Show]:
    folder, clock = tmp_path_factory.mktemp("browser"), ManualClock()
    SCREENS.mkdir(parents=True, exist_ok=True)
    with Sandbox(clock=clock, physics=STEADY) as box, sync_playwright() as playwright:
        write_policy(folder, a_policy(strategy=CANARY, gates=[BRISK]))
        stage = Stage(box, clock, "web", folder, UnhurriedAws(session=box.session, threads=1))
        made, board = listen("127.0.0.1", 0), Board(stage.wiring("pages/1"), BRISK_PACE)
        server = server_of(board, Doors())
        thread = threading.Thread(target=server.run, kwargs={"sockets": [made]}, daemon=True)
        board.open()
        thread.start()
        browser = playwright.chromium.launch(executable_path=str(CHROMIUM), args=["--no-sandbox"])
        try:
            yield Show(stage, f"http://127.0.0.1:{made.getsockname()[1]}", browser)
        finally:
            browser.close()
            board.close()
            server.should_exit = True
            thread.join(10)
            made.close()


@pytest.fixture
def watched(show: Show) -> Iterator[Show]:
    """The same, at rest before and after. A page that asks another host, or breaks its own rules, fails the test."""
    show.strange.clear()
    yield show
    for context in show.browser.contexts:
        context.close()
    if show.stage.group.store.load("web") is not None and show.stage.record.in_flight is not None:
        show.end()
    assert show.strange == []


def test_a_rotation_is_watched_from_start_to_end(watched: Show) -> None:
    page = watched.open()
    expect(page.locator("#link")).to_have_text("live")

    watched.bake()
    expect(page.locator("#rows")).to_contain_text("baking at 10 %")
    page.get_by_role("link", name="web", exact=True).click()
    expect(page.get_by_role("img", name="web: generation")).to_be_visible()
    page.screenshot(path=SCREENS / "group.png", full_page=True)
    watched.end()

    expect(page.locator("h1 .badge")).to_have_text("at rest")
    expect(page.locator("#history-section")).to_contain_text("succeeded")


def test_a_rollback_in_a_terminal_appears_within_two_seconds(watched: Show) -> None:
    watched.bake()
    page = watched.open("/groups/web")
    expect(page.locator("h1 .badge")).to_have_text("rotating")
    page.locator("#terminal summary").click()
    began = time.monotonic()

    watched.stage.rollback(reason="INC-4711 old prices")
    typed = time.monotonic()

    expect(page.locator("h1 .badge")).to_have_text("rolled back", timeout=2_000)
    assert time.monotonic() - typed < 2
    assert time.monotonic() - began < 10
    expect(page.locator("#history-section")).to_contain_text("INC-4711 old prices")
    assert page.locator("#terminal").get_attribute("open") is not None, "what was opened stays open"
    page.goto(f"{watched.url}/groups/web/rotations/{watched.stage.rotation.id}")
    page.screenshot(path=SCREENS / "rollback.png", full_page=True)


def test_everything_is_reached_by_keyboard(watched: Show) -> None:
    page = watched.open()

    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="To the page")).to_be_focused()
    for name in ("phoenix", "Groups", "History", "Images"):
        page.keyboard.press("Tab")
        expect(page.get_by_role("link", name=name, exact=True)).to_be_focused()
    page.keyboard.press("Tab")  # the table, which scrolls
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_contain_text("web")
    page.locator("#terminal summary").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("region", name="The screen of phoenix status")).to_be_visible()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_narrow_screen_shows_all_pages_without_scrolling_sideways(watched: Show, scheme: Any) -> None:
    watched.bake()
    page = watched.open(viewport={"width": 360, "height": 740}, color_scheme=scheme)

    for name, path in (("groups", "/"), ("group", "/groups/web"), ("history", "/history"), ("images", "/images")):
        page.goto(watched.url + path)
        expect(page.locator("#link")).to_have_text("live")
        assert page.evaluate("document.documentElement.scrollWidth") <= 360
        page.screenshot(path=SCREENS / f"{name}-narrow-{scheme}.png", full_page=True)


@pytest.mark.skipif(not AXE.exists(), reason="axe-core is not installed: `make test` does that where there is an npm")
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_no_page_breaks_a_rule_of_accessibility(watched: Show, scheme: Any) -> None:
    watched.bake()
    page = watched.open(color_scheme=scheme, bypass_csp=True)
    shown = {"/": "groups", "/groups/web": "", "/history": "", "/images": "", "/groups/web/images": "", "/nowhere": ""}

    for path in (*shown, f"/groups/web/rotations/{watched.stage.rotation.id}"):
        page.goto(watched.url + path)
        assert _violations(page) == [], path
        page.screenshot(path=SCREENS / f"page{path.replace('/', '-')}-{scheme}.png", full_page=True)
    watched.strange = [told for told in watched.strange if "404" not in told]


@pytest.mark.skipif(not AXE.exists(), reason="axe-core is not installed: `make test` does that where there is an npm")
def test_a_report_of_a_bad_image_is_readable_on_screen_and_on_paper(watched: Show, tmp_path: Path) -> None:
    watched.images += 1
    watched.stage.box.bake_image(f"web-2026.12.{watched.images:02d}-bad", behaviour=Behaviour.BAD)
    watched.stage.tick_until(lambda _: watched.stage.rotation.outcome.is_bad)
    file = tmp_path / "report.html"
    file.write_text(report_page(watched.stage.rotation, watched.stage.clock.now()))

    page = watched.browser.new_context(bypass_csp=True).new_page()
    page.goto(file.as_uri())
    for scheme in ("dark", "light"):
        page.emulate_media(color_scheme=scheme)
        assert _violations(page) == [], scheme
        page.screenshot(path=SCREENS / f"report-{scheme}.png", full_page=True)
    page.emulate_media(media="print")
    page.screenshot(path=SCREENS / "report-print.png", full_page=True)
    expect(page.get_by_text("No module named 'orjson'")).to_be_visible()


def _violations(page: Page) -> list[str]:
    page.add_script_tag(path=AXE)
    found = page.evaluate("axe.run({resultTypes: ['violations']})")["violations"]
    return [f"{each['id']}: {each['help']}: {[node['html'][:160] for node in each['nodes'][:3]]}" for each in found]
