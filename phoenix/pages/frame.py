"""Fill a template in. The only place that knows jinja2.

Must never mark a value as safe, other than a picture that was made here by a template: names of images, reasons and
consoles come from outside.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from phoenix.core.explain import ago
from phoenix.views.text import clean

if TYPE_CHECKING:
    from jinja2 import Environment
    from markupsafe import Markup

FOLDER: Final = Path(__file__).parent
STATIC: Final = FOLDER / "static"


def fill(template: str, **values: Any) -> str:
    """Return the template with these values, all of them escaped."""
    return _environment().get_template(template).render(values)


def picture(template: str, **values: Any) -> Markup:
    """The same as a part of another page: it is escaped once, here."""
    from markupsafe import Markup

    return Markup(fill(template, **values))  # noqa: S704 - the templates have escaped every value in it


@cache
def static(name: str) -> Markup:
    """Return the text of a file that pages share: our own, and the same for every reader."""
    from markupsafe import Markup

    return Markup((STATIC / name).read_text(encoding="utf-8"))  # noqa: S704


@cache
def _environment() -> Environment:
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    made = Environment(
        loader=FileSystemLoader(FOLDER / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=lambda value: "" if value is None else value,
    )
    made.filters |= {"clock": _clock, "moment": _moment, "iso": _iso, "span": ago, "clean": clean, "words": _words}
    return made


def _clock(at: datetime) -> str:
    return f"{at.astimezone(UTC):%H:%M:%S}"


def _moment(at: datetime) -> str:
    return f"{at.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC"


def _iso(at: datetime) -> str:
    return f"{at.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"


def _words(value: object) -> str:
    """`rolled_back` as people write it."""
    return str(value).replace("_", " ")


def offset(at: datetime, start: datetime) -> str:
    """`+12m30s`: how long after the start."""
    return f"+{ago(max(at - start, timedelta(0)))}"
