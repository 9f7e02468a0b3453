"""Durations on the command line, spelled as in a policy: `90s`, `1h30m`.

Must never guess a unit: a bare number is an error, as in a policy.
"""

from __future__ import annotations

from datetime import timedelta

import click


class _Duration(click.ParamType[timedelta]):
    name = "duration"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> timedelta:
        """Read a duration as policies do; a wrong one is a usage error."""
        from phoenix.keys import parse_duration

        try:
            return parse_duration(value)
        except ValueError as error:
            self.fail(str(error), param, ctx)


DURATION = _Duration()
