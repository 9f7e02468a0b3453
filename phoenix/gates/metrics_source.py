"""The words between the gate and a source of metrics: the query, the two generations that it is about, and the answer.

Must never fill a gap: a minute that the source does not have is left out.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Annotated, Final, Literal, Protocol

from pydantic import Field, model_validator

from phoenix.core.model import SlotState
from phoenix.keys import Flag, Keys, Matching, Percent, Text, wrong

MINUTE: Final = timedelta(minutes=1)
STATISTIC: Final = r"Average|Sum|Minimum|Maximum|SampleCount|(p|tm|wm)[0-9]{1,2}(\.[0-9]{1,10})?"

Series = Mapping[datetime, float]
"""Values by the beginning of their minute."""


class Metric(Keys):
    """One metric that both generations have."""

    name: Annotated[str, Matching(r"[A-Za-z0-9][A-Za-z0-9 ._-]{0,39}", "up to 40 letters, digits, spaces, . _ -")] = (
        Field(description="Name on screens.")
    )
    metric: Text = Field(
        description="CloudWatch: the metric's name. Prometheus: a query with one result, for a minute that ends.",
        examples=["HTTPCode_Target_5XX_Count"],
    )
    per: Text | None = Field(
        default=None,
        description="What the metric is a count of, asked in the same way: then rates are compared, as counts.",
        examples=["RequestCount"],
    )
    stat: Annotated[str, Matching(STATISTIC, "a statistic such as Average or p99")] | None = Field(
        default=None, description="CloudWatch's statistic of a minute; default: Sum with per, else Average."
    )
    namespace: Text = Field(default="AWS/ApplicationELB", description="CloudWatch's namespace.")
    dimensions: Mapping[Text, Text] = Field(
        default={}, description="Dimensions besides the generation's own.", examples=["{Service: web}"]
    )
    worse: Literal["higher", "lower"] = Field(default="higher", description="Which direction is worse.")
    tolerate: Percent = Field(
        default=10, description="Per cent of the live generation's value by which it may be worse."
    )
    critical: Flag = Field(
        default=True, description="false: it is told of only, and neither fails the gate nor keeps it waiting."
    )
    absent: Literal["missing", "zero"] = Field(
        default="missing",
        description="What a minute without a value is; with per it is zero where there were requests.",
    )

    @model_validator(mode="after")
    def _counts(self) -> Metric:
        if self.per is not None and self.stat not in (None, "Sum", "SampleCount"):
            raise wrong("with per the metric is a count: its stat is Sum", instead="Sum", at=("stat",))
        return self

    @property
    def queries(self) -> int:
        """How many values it takes from a source, for each side."""
        return 2 if self.per is not None else 1


@dataclass(frozen=True, slots=True)
class Side:
    """One generation where the source looks for it: its slot, its number and its instances in service."""

    state: SlotState
    generation: int
    instances: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Query:
    """One value by minute: of `side`, from `since` until before `until`. `of`: what the metric is a count of."""

    metric: Metric
    side: Side
    of: bool = False

    @property
    def word(self) -> str:
        """The metric's name or query."""
        return self.metric.per or "" if self.of else self.metric.metric


class Source(Protocol):
    """Where metrics are kept."""

    def read(self, queries: tuple[Query, ...], since: datetime, until: datetime) -> tuple[Series, ...]:
        """The series, in the order of the queries, from `since` until before `until`; both are whole minutes.

        Raises:
            Unreachable: there is no answer, or not one that can be read.
        """

    def price(self, metrics: tuple[Metric, ...], looks: int, instances: int) -> str:
        """What a rotation costs there, in words; empty: nothing that the source charges for."""
