"""Durations on the command line, spelled as in a policy: `90s`, `1h30m`.

Must never guess a unit: a bare number is an error here as it is there.
"""

from __future__ import annotations

from datetime import timedelta

import click


class _Duration(click.ParamType[timedelta]):
    name = "duration"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> timedelta:
        """Read it the way policies do; what they would call wrong is a usage error."""
        from phoenix.keys import parse_duration

        try:
            return parse_duration(value)
        except ValueError as error:
            self.fail(str(error), param, ctx)


DURATION = _Duration()
