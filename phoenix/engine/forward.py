"""Go to a generation by its number: forward again after a rollback, or back by more than one.

The instances are gone, the template version is not: this is a rotation like any other, to a version that exists.
"""

from __future__ import annotations

from dataclasses import replace

from phoenix.core.generation import Generation
from phoenix.core.model import Outcome
from phoenix.core.record import GroupRecord
from phoenix.core.terms import Step
from phoenix.engine.drive import drive
from phoenix.engine.group import Group, Ports
from phoenix.engine.lease import claim, give_back
from phoenix.engine.observe import observe
from phoenix.engine.once import tick_once, told_on_groups
from phoenix.engine.plan import plan_for
from phoenix.engine.report import NotStarted, Report, Watch, report_on
from phoenix.engine.request import IGNORABLE, RollbackRequest, RotateRequest
from phoenix.engine.rotate import begin, rotate
from phoenix.engine.survey import Survey, survey
from phoenix.errors import Blocked


def go_to(group: Group, request: RollbackRequest, kept: GroupRecord, watch: Watch) -> Report:
    """Launch generation `request.to` again and give it all traffic, in one step behind all gates.

    Raises:
        Blocked: a rotation is in flight, or no generation of that number is known.
        NotStarted: something else stands in the way; windows, freezes and quarantine do not.
    """
    number = request.to
    if kept.in_flight is not None and kept.in_flight.new.number == number and kept.in_flight.back is None:
        return rotate(group, RotateRequest(wait=request.wait), watch)
    if kept.in_flight is None and kept.live is not None and kept.live.number == number:
        sentence = f"Nothing to do: {group.name} is on {number}."
        return report_on(group, kept, observe(group, kept).seen, sentence=sentence, outcome=Outcome.NONE)
    wanted = next((g for g in kept.known if g.number == number and g.template_version is not None), None)
    if wanted is None:
        known = ", ".join(str(g.number) for g in kept.known) or "none"
        raise Blocked(f"generation {number} of {group.name} is not known; known: {known}")
    if kept.in_flight is not None:
        raise Blocked(
            f"{group.name} is being rotated ({kept.in_flight.id}); generation {number} has to wait for its end",
            hint=f"phoenix rollback --group {group.name}",
        )
    found = _survey(
        group, wanted, f"generation {number} asked for by {group.by}: {request.reason or 'no reason given'}"
    )
    lease = claim(group, force=True)
    try:
        again = _identified(group, wanted, found)
        record = begin(group, found, again, RotateRequest())
        if request.wait:
            return drive(group, lease, watch)
        first = told_on_groups(group, lease, tick_once(group, lease, record))
        return report_on(group, first.record, first.seen)
    finally:
        give_back(group, lease)


def _identified(group: Ports, wanted: Generation, found: Survey) -> Generation:
    """The generation in the free slot; without a version where that slot's template has none with its image: then one
    is made, as for any other rotation."""
    free = found.live.slot.other
    return group.fleet.identify(replace(wanted, slot=free))


def _survey(group: Group, wanted: Generation, why: str) -> Survey:
    """Only what concerns the groups themselves may stand in the way of an operator who names a generation."""
    if group.images is None:
        raise Blocked(f"without a policy file {group.name} can only go back to the generation before")
    request = RotateRequest(image=wanted.image, force=True, ignore=IGNORABLE)
    found = survey(group, request)
    one_step = replace(found.terms, steps=(Step(100, 100, 100, found.terms.steps[-1].bake),))
    found = replace(found, terms=one_step, reasons=(why,))
    plan = plan_for(group, request, found)
    if any(blocker.name != "paused" for blocker in plan.in_the_way):
        raise NotStarted(plan)
    released = tuple(q for q in found.record.quarantine if q.image != wanted.image)
    return replace(found, record=replace(found.record, quarantine=released))
