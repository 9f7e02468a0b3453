"""`phoenix --version`: which phoenix this is, and below it what a report of a defect has to say.

Must import none of the libraries it names: their versions are read from what is installed.
"""

from __future__ import annotations

import click

from phoenix import __version__

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
    click.echo(f"  platform  {platform.platform()}")
    ctx.exit()


def _installed(name: str) -> str:
    from importlib.metadata import PackageNotFoundError, version

    try:
        return version(name)
    except PackageNotFoundError:  # a bundle without its metadata
        return "not known"
