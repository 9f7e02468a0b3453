"""`phoenix --version`: which phoenix this is, and below it what a report of a defect has to say.

Must import none of the libraries it names: their versions are read from what is installed.
"""

from __future__ import annotations

import click

from phoenix import __version__

_DISTRIBUTION = "phoenix-rotate"
_NOT_KNOWN = "not known"
_LIBRARIES = ("boto3", "botocore", "pydantic", "click")


def show(ctx: click.Context, _param: click.Parameter, asked: bool) -> None:
    """Print the versions and end, if they were asked for. The first line is phoenix's own, for scripts."""
    if not asked or ctx.resilient_parsing:
        return
    import platform
    import sys

    libraries = "  ".join(f"{name} {_installed(name)}" for name in _LIBRARIES)
    click.echo(f"phoenix {__version__}")
    click.echo(f"  python    {platform.python_version()} ({sys.executable})")
    click.echo(f"  libraries {libraries}")
    for label, names in zip(("extras", "without"), _extras(), strict=True):
        if names:
            click.echo(f"  {label:<9} {', '.join(names)}")
    click.echo(f"  platform  {platform.platform()}")
    ctx.exit()


def _extras() -> tuple[list[str], list[str]]:
    """Return the optional parts that are installed, and those that are not. One counts if all that it names is here;
    `dev` is about those who work on phoenix."""
    import re
    from importlib.metadata import PackageNotFoundError, requires

    named: dict[str, list[str]] = {}
    try:
        lines = requires(_DISTRIBUTION) or ()
    except PackageNotFoundError:
        lines = ()
    for line in lines:
        found = re.match(r"([A-Za-z0-9._-]+).*\bextra == ['\"]([a-z]+)['\"]", line)
        if found is not None and found.group(2) != "dev":
            named.setdefault(found.group(2), []).append(found.group(1))
    here = [extra for extra, names in named.items() if _NOT_KNOWN not in map(_installed, names)]
    return here, [extra for extra in named if extra not in here]


def _installed(name: str) -> str:
    from importlib.metadata import PackageNotFoundError, version

    try:
        return version(name)
    except PackageNotFoundError:  # a bundle without its metadata
        return _NOT_KNOWN
