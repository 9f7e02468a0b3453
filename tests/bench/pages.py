"""How long the page of 1,000 groups takes once their records are there: to be made, and to be seen in a browser. And
how large the report of a long canary is."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from time import perf_counter

from phoenix.core.generation import Generation
from phoenix.core.model import Slot
from phoenix.core.record import GroupRecord
from phoenix.pages.entry import Entry
from phoenix.pages.frame import STATIC
from phoenix.pages.live import Around, groups
from phoenix.pages.report import report_page
from phoenix.stores.codec import encode_rotation
from tests.bench.figures import Figure, middle
from tests.builders import NOON, after
from tests.pages.builders import a_long_canary, a_told_rotation

TOPIC = "12. Pages"
RUNS = 9
CHROMIUM = Path("/usr/bin/chromium")
PAINTED = "performance.getEntriesByName('first-contentful-paint')[0]?.startTime"
STYLES = ("picture.css", "page.css", "live.css")


def measure() -> Iterator[Figure]:
    """Topic 10."""
    long = a_long_canary()
    report, record = len(report_page(long, after(120)).encode()), len(encode_rotation(long).encode())
    yield Figure(TOPIC, "report of a two-hour canary of 30 instances, every list full", report / 1024, "KiB", 1024)
    yield Figure(TOPIC, "its record", record / 1024, "KiB", 400, "what an item of DynamoDB takes")
    entries, around = [_entry(number) for number in range(1000)], Around("/", after(60), 1)
    groups(entries, around)
    made = [_timed(entries, around) for _ in range(RUNS)]
    note = f"{len(groups(entries, around).encode()) // 1024} KB"
    yield Figure(TOPIC, "page of 1,000 groups: to be made", middle(made), "ms", 1000, note)
    painted = _painted(groups(entries, around)) if CHROMIUM.exists() else None
    note = "" if painted is not None else f"there is no Chromium at {CHROMIUM}"
    yield Figure(TOPIC, "and its first picture in Chromium", painted, "ms", 1000, note)


def _timed(entries: list[Entry], around: Around) -> float:
    began = perf_counter()
    groups(entries, around)
    return (perf_counter() - began) * 1000


def _entry(number: int) -> Entry:
    name = f"service-{number:04d}"
    live = Generation(number, Slot.BLUE, "ami-0d3c5e71a9f4b2086", f"{name}-2026.11.18", since=NOON - timedelta(days=9))
    rotation = replace(a_told_rotation(), group=name)
    return Entry(name, GroupRecord(name, version=3, live=live, rotation=rotation))


def _painted(page: str) -> float | None:
    """Milliseconds from the start of the navigation to the first picture, the style sheet included."""
    from playwright.sync_api import sync_playwright

    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        style = "".join((STATIC / name).read_text() for name in STYLES)
        file = Path(folder) / "page.html"
        file.write_text(page.replace('<link rel="stylesheet" href="/static/style.css">', f"<style>{style}</style>"))
        browser = playwright.chromium.launch(executable_path=str(CHROMIUM), args=["--no-sandbox"])
        shown = browser.new_page()
        found: list[float] = []
        for _ in range(RUNS):
            shown.goto(file.as_uri())
            shown.wait_for_function(PAINTED)
            found.append(float(shown.evaluate(PAINTED)))
        browser.close()
    return middle(found)
