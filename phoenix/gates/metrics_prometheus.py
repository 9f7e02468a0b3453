"""Reads metrics from Prometheus, or whatever else answers its range queries.

Must never put the token anywhere but into its header, nor follow a redirect with it.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from string import Template
from typing import Annotated, Any, Final
from urllib.parse import urlencode

from pydantic import Field

from phoenix.aside import each
from phoenix.errors import Unreachable
from phoenix.gates.acceptance import in_one_line
from phoenix.gates.http_post import AbsolutePath, Post, Request, VariableName, post
from phoenix.gates.metrics_source import MINUTE, Metric, Query, Series
from phoenix.keys import Keys, Matching

LONGEST: Final = 15.0
_TIMEOUT: Final = 7.0
_LONGEST_BODY: Final = 4 * 1024 * 1024
_AT_A_TIME: Final = 8
PLACES: Final = ("auto_scaling_group", "target_group", "generation", "instances")


class Prometheus(Keys):
    """Where Prometheus answers."""

    url: Annotated[str, Matching(r"https?://[!-~]+[^/]", "an http:// or https:// address, without / at its end")] = (
        Field(description="Address in front of /api/v1; without secrets.", examples=["https://prometheus.example.com"])
    )
    bearer_env: VariableName | None = Field(
        default=None, description="Name of the environment variable with the bearer token."
    )
    ca_file: AbsolutePath | None = Field(
        default=None, description="File with the certificates to trust; default: the machine's."
    )


@dataclass
class PrometheusSource:
    """One server. `environ` holds the token."""

    settings: Prometheus
    post: Post = post
    environ: Mapping[str, str] = field(default_factory=lambda: os.environ)

    @property
    def token_is_missing(self) -> bool:
        """True where the policy names a variable for the token that is not set here."""
        name = self.settings.bearer_env
        return name is not None and not self.environ.get(name)

    def read(self, queries: tuple[Query, ...], since: datetime, until: datetime) -> tuple[Series, ...]:
        """The series in the order of the queries. Prometheus stamps a minute with its end."""
        faults: dict[int, str] = {}

        def ask(number: int) -> Series:
            try:
                return self._ask(queries[number], since, until)
            except Unreachable as error:
                faults[number] = error.message
                return {}

        found = each(ask, list(range(len(queries))), at_a_time=_AT_A_TIME, seconds=LONGEST)
        if faults or len(found) < len(queries):
            raise Unreachable(next(iter(faults.values()), f"{self.settings.url}: no answer in time"))
        return tuple(found[number] for number in range(len(queries)))

    def price(self, metrics: tuple[Metric, ...], looks: int, instances: int) -> str:
        """Prometheus charges nothing."""
        return f"up to {looks} looks of {sum(metric.queries * 2 for metric in metrics)} queries each"

    def _ask(self, query: Query, since: datetime, until: datetime) -> Series:
        asked = {"query": filled(query), "start": _stamp(since + MINUTE), "end": _stamp(until), "step": "60"}
        headers = {"Content-Type": "application/x-www-form-urlencoded", "User-Agent": "phoenix"}
        if self.settings.bearer_env is not None:
            headers["Authorization"] = f"Bearer {self.environ.get(self.settings.bearer_env, '')}"
        url = f"{self.settings.url}/api/v1/query_range"
        body = urlencode(asked).encode()
        response = self.post(Request(url, body, headers, self.settings.ca_file, _TIMEOUT, _LONGEST_BODY))
        return _read(response.status, response.body, query.metric.name)


def filled(query: Query) -> str:
    """The query with the generation's own words in place of `$auto_scaling_group`, `$target_group` (its name),
    `$generation` and `$instances` (ids, as a regular expression); any other `$` stays."""
    side = query.side
    groups = side.state.target_groups
    words = {
        "auto_scaling_group": side.state.auto_scaling_group,
        "target_group": groups[0].split("/")[1] if groups and "/" in groups[0] else "",
        "generation": str(side.generation),
        "instances": "|".join(sorted(side.instances)),
    }
    return Template(query.word).safe_substitute(words)


def _stamp(at: datetime) -> str:
    return str(int(at.timestamp()))


def _read(status: int, body: bytes, name: str) -> Series:
    if status != 200 or len(body) > _LONGEST_BODY:
        raise Unreachable(f"Prometheus answers {status} for {name}: {in_one_line(body[:400].decode(errors='replace'))}")
    try:
        found: Any = json.loads(body)["data"]
        series = found["result"]
        is_matrix = found["resultType"] == "matrix"
        points = [(float(at), float(value)) for at, value in series[0]["values"]] if series else []
    except (ValueError, KeyError, TypeError, IndexError) as error:
        raise Unreachable(f"the answer of Prometheus for {name} is not one to a range query") from error
    if not is_matrix or len(series) > 1:
        raise Unreachable(
            f"Prometheus has {len(series)} series for {name}, and one is wanted: sum() or avg() over them"
        )
    return {_minute(at): value for at, value in points}


def _minute(stamp: float) -> datetime:
    return datetime.fromtimestamp(stamp, UTC) - timedelta(minutes=1)
