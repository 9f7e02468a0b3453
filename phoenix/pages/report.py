"""The report of a rotation: one HTML file that asks no host for anything, and runs nothing."""

from __future__ import annotations

from datetime import datetime

from phoenix import __version__
from phoenix.core.rotation import Rotation
from phoenix.pages.frame import fill, static
from phoenix.pages.story import story_of


def report_page(rotation: Rotation, now: datetime) -> str:
    """Return the whole file; `now` ends the picture of a rotation that is still in flight."""
    styles = static("picture.css") + static("page.css")
    return fill("report.html", story=story_of(rotation, now), now=now, styles=styles, version=__version__)
