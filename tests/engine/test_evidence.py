"""What explains a failed rotation is asked for once, after traffic is back, and never in the way of that."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from phoenix.core.chronicle import MOST_CONSOLE, MOST_POINTS, Console, Evidence, Point, Series
from phoenix.core.model import Judgement, Outcome, Slot
from phoenix.core.rotation import Rotation
from phoenix.engine.request import RollbackRequest, RotateRequest
from phoenix.engine.rollback import rollback
from phoenix.engine.rotate import rotate
from phoenix.errors import AccessDenied
from tests.engine.builders import CANARY, Bench, a_bench

MINUTE = timedelta(minutes=1)


def failed(bench: Bench) -> Rotation:
    """A canary whose instances never become healthy."""
    bench.router.all_sick_in = Slot.GREEN
    report = bench.rotated()
    assert report.outcome is Outcome.ROLLED_BACK
    rotation = report.record.rotation
    assert rotation is not None
    return rotation


def evidence_of(rotation: Rotation) -> Evidence:
    evidence = rotation.chronicle.evidence
    assert evidence is not None
    return evidence


def a_sick_bench() -> Bench:
    return a_bench(terms={"steps": CANARY, "launch_timeout": MINUTE})


def test_the_sick_instances_and_a_console_are_kept() -> None:
    evidence = evidence_of(failed(a_sick_bench()))

    assert len(evidence.instances) == 4
    assert {instance.why for instance in evidence.instances} == {"unhealthy"}
    assert evidence.console is not None
    assert evidence.console.text == f"boot: {evidence.instances[0].id}"
    assert evidence.missing == ()


def test_a_console_that_is_refused_is_told_and_stops_nothing() -> None:
    bench = a_sick_bench()

    def refuse(instance: str) -> str:
        raise AccessDenied("no ec2:GetConsoleOutput for us")

    bench.fleet.console_of = refuse  # type: ignore[method-assign]

    evidence = evidence_of(failed(bench))

    assert evidence.console is None
    assert "no ec2:GetConsoleOutput for us" in evidence.missing[0]


def test_a_long_console_keeps_its_end() -> None:
    bench = a_sick_bench()

    def console_of(instance: str) -> str:
        return "x" * MOST_CONSOLE + "the end"

    bench.fleet.console_of = console_of  # type: ignore[method-assign]

    console = evidence_of(failed(bench)).console

    assert console is not None
    assert (len(console.text), console.text[-7:]) == (MOST_CONSOLE, "the end")


def test_a_rotation_that_succeeds_needs_no_evidence() -> None:
    bench = a_bench()
    report = bench.rotated()

    assert report.record.rotation is not None
    assert report.record.rotation.chronicle.evidence is None


def test_a_person_who_goes_back_from_instances_that_look_well_keeps_a_console_of_one() -> None:
    bench = a_bench(terms={"steps": CANARY})
    bench.baking(minutes=6)
    new = bench.fleet.state[Slot.GREEN].instances[0].id

    rollback(bench.group, RollbackRequest(reason="checkout is slow"))

    evidence = evidence_of(bench.rotation)
    assert (evidence.instances, evidence.missing) == ((), ())
    assert evidence.console == Console(new, f"boot: {new}")


def test_a_person_who_goes_back_before_there_is_an_instance_leaves_nothing_to_ask() -> None:
    bench = a_bench(terms={"steps": CANARY})
    rotate(bench.group, RotateRequest(wait=False))

    rollback(bench.group, RollbackRequest())

    evidence = bench.rotation.chronicle.evidence
    assert evidence is None or (evidence.instances, evidence.console, evidence.missing) == ((), None, ())


def test_a_gate_that_measures_shows_its_measurements_where_it_has_failed() -> None:
    bench = a_bench(terms={"steps": CANARY})
    asked: list[tuple[datetime, datetime]] = []

    def measure(since: datetime, until: datetime) -> Sequence[Series]:
        asked.append((since, until))
        points = tuple(Point(since + n * MINUTE, float(n)) for n in range(MOST_POINTS + 5))
        return [Series("web-5xx", "Sum 5XX", points, 25.0, "GreaterThanThreshold")]

    bench.gate.measure = measure  # type: ignore[attr-defined]
    bench.gate.judgement = Judgement.FAIL

    report = bench.rotated()

    assert report.record.rotation is not None
    (series,) = evidence_of(report.record.rotation).series
    assert (len(series.points), series.points[-1].value) == (MOST_POINTS, float(MOST_POINTS + 4))
    assert len(asked) == 1
