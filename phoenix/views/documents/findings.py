"""The documents of commands that look closely: drift and marks of instances, a rotation's report, one image.

Must never leave a key out: an unknown value is null.
"""

from __future__ import annotations

from typing import TypedDict

from phoenix.views.documents.past import Origin, TimelineRotation
from phoenix.views.documents.reports import Time


class Mark(TypedDict):
    """Why an instance is tainted, by whom, since when; null: the tag does not say."""

    why: str
    by: str | None
    at: Time | None


class Deviation(TypedDict):
    """One way in which an instance, or the group, is not as it should be. `since` null: AWS does not tell."""

    what: str
    should_be: str
    since: Time | None


Is = TypedDict("Is", {"is": str})  # a key that Python's syntax for classes cannot spell


class DriftDifference(Deviation, Is):
    """The same with the present value."""


class DriftInstance(TypedDict):
    """One running instance. `outcome` is converged or diverged; `compared` false: its template version is gone, so
    only image and age were compared."""

    id: str
    outcome: str
    zone: str
    slot: str
    state: str
    generation: int | None
    launch_template_version: str | None
    image: str
    type: str
    launched_at: Time | None
    age_seconds: int
    compared: bool
    tainted: Mark | None
    differences: list[DriftDifference]


class DriftCounts(TypedDict):
    """How many instances run, and how many of them are not what they should be."""

    instances: int
    diverged: int
    tainted: int


class Drift(TypedDict):
    """A group compared with its generation, and with how its last rotation left it at `left_at`. `lookups` are
    commands that ask who has changed it; `deep` says whether user data and protection were compared."""

    group: str
    at: Time | None
    outcome: str
    deep: bool
    counts: DriftCounts
    instances: list[DriftInstance]
    differences: list[DriftDifference]
    left_at: Time | None
    lookups: list[str]


class Marked(TypedDict):
    """What `taint` and `untaint` did to one instance; `value` is the tag's."""

    instance: str
    group: str
    tainted: bool
    value: str | None


class SampleRow(TypedDict):
    """Instances in service of both generations, and the new one's weight in per cent, at one look."""

    at: Time | None
    old: int
    new: int
    weight: int
    phase: str


class DecisionRow(TypedDict):
    """A decision, and its actions in words."""

    at: Time | None
    why: str
    actions: list[str]


class JudgementRow(TypedDict):
    """A gate that changed its mind: PASS, WAIT or FAIL."""

    at: Time | None
    gate: str
    verdict: str
    reason: str


class WriteRow(TypedDict):
    """One call that changed AWS; `error` is AWS's code where it was refused."""

    at: Time | None
    call: str
    error: str | None


class FailedInstanceRow(TypedDict):
    """An instance that was not ready when the rotation failed."""

    id: str
    zone: str
    state: str
    why: str


class ConsoleText(TypedDict):
    """The last lines of an instance's console, without what looks like a secret."""

    instance: str
    text: str


class PointRow(TypedDict):
    """One measurement."""

    at: Time | None
    value: float


class SeriesRow(TypedDict):
    """The measurements of an alarm that rang."""

    alarm: str
    metric: str
    threshold: float | None
    comparison: str | None
    points: list[PointRow]


class EvidenceOfFailure(TypedDict):
    """What was asked once, right after traffic was back; `missing` says what could not be asked."""

    at: Time | None
    why: str
    gates: list[JudgementRow]
    instances: list[FailedInstanceRow]
    launches: list[str]
    console: ConsoleText | None
    series: list[SeriesRow]
    missing: list[str]


class Chronicle(TypedDict):
    """A rotation over time; `reads` counts the calls that changed nothing, by name."""

    samples: list[SampleRow]
    decisions: list[DecisionRow]
    judgements: list[JudgementRow]
    writes: list[WriteRow]
    reads: dict[str, int]
    evidence: EvidenceOfFailure | None


class RotationReport(TimelineRotation):
    """One rotation with its past."""

    chronicle: Chronicle


class NewerImage(TypedDict):
    """The image that a stale layer would be made from today."""

    image: str
    name: str
    built_at: Time | None


class LayerRow(TypedDict):
    """One layer. `found` false: AWS does not show the image; `stale` null: it could not be compared."""

    image: str
    name: str | None
    built_at: Time | None
    age_seconds: int | None
    found: bool
    stale: bool | None
    newer: NewerImage | None


class ImageShown(Origin):
    """One image and where it comes from. `group` null: no policy was asked; `rejected` is what it has against it;
    `chain_flaw` is why the layers end where they do."""

    image: str
    name: str
    created_at: Time | None
    age_seconds: int
    owner: str
    architecture: str
    state: str
    group: str | None
    live: bool | None
    rejected: str | None
    layers: list[LayerRow]
    chain_flaw: str | None
