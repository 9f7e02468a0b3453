"""Is a rotation due, to which image, and what is in its way? Reads everything a start needs; writes nothing."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace

from phoenix.core.generation import UNKNOWN_IMAGE, Generation
from phoenix.core.image import Candidate, Image
from phoenix.core.model import Observation, Slot, SlotState
from phoenix.core.ownership import foreign_rotation
from phoenix.core.progress import LEAST_LAST_BAKE
from phoenix.core.record import GroupRecord
from phoenix.core.terms import Terms
from phoenix.core.trigger import LiveInstance, find_reasons, find_template_reason
from phoenix.engine.drift import with_drift
from phoenix.engine.group import Desk, Group, Ports
from phoenix.engine.look import sight_of
from phoenix.engine.observe import Sight
from phoenix.engine.request import RotateRequest
from phoenix.errors import Blocked, ForeignStore, LostRecord, NotFound, UnknownNames

NO_LIVE = Generation(0, Slot.BLUE, "unknown")
"""Stands for the live generation of a group in which neither or both of the slots are live."""


@dataclass(frozen=True, slots=True)
class Survey:
    """The facts found before a start. `live` is `NO_LIVE` if no slot can be told to be live.

    `reasons` empty: nothing is due. `next` None: no image fits. `terms` are the policy's, with a last bake that is
    long enough for scaling policies where there are any.
    """

    record: GroupRecord
    seen: Observation
    live: Generation
    terms: Terms
    candidates: tuple[Candidate, ...] = ()
    instances: tuple[LiveInstance, ...] = ()
    reasons: tuple[str, ...] = ()
    image: Image | None = None

    @property
    def live_state(self) -> SlotState:
        """The slot that is live."""
        return self.seen.slots[self.live.slot]

    @property
    def next(self) -> Generation | None:
        """The generation that would follow: the next number, in the slot that is not live."""
        if self.image is None:
            return None
        number = max(self.record.highest_number, self.live.number) + 1
        return Generation(number, self.live.slot.other, self.image.id, image_name=self.image.name)


def survey(group: Group, request: RotateRequest) -> Survey:
    """Look, choose an image, find reasons.

    Raises:
        ForeignStore: a rotation of this group is in flight in another store.
        LostRecord: the tags tell of a rotation in flight that the store has lost.
        Blocked: AWS knows no such group, or the image asked for does not exist, may not be launched, or is older than
            the live one.
    """
    try:
        sight = sight_of(group)
    except UnknownNames as unknown:
        raise Blocked(unknown.placed(group.about.place_of), hint=unknown.hint) from unknown
    except NotFound as unknown:
        raise Blocked(unknown.message, hint=unknown.hint) from unknown
    found = survey_of(group, request, sight)
    has_terms = found.reasons and found.live is not NO_LIVE and found.record.in_flight is None
    return replace(found, terms=_terms_for(group, found.live_state, found.seen)) if has_terms else found


def survey_of(group: Group, request: RotateRequest, sight: Sight) -> Survey:
    """Is a rotation due by what was seen, and to which image? `terms` are the policy's, as they stand.

    Raises:
        ForeignStore, LostRecord, Blocked: as `survey`.
    """
    record, seen = sight.record, sight.seen
    refuse_foreign_store(group, seen)
    flying = record.in_flight
    if flying is not None and record.version == 0:
        raise LostRecord(group.name, flying.id)
    if flying is not None:
        return Survey(record, seen, flying.old, flying.terms, reasons=(f"rotation {flying.id} is in flight",))
    if record.live is None:
        return Survey(record, seen, NO_LIVE, group.terms, reasons=("not known: no slot is live",))
    candidates = _candidates(group, request, seen)
    names = {c.image.id: c.image.name for c in candidates}
    instances = tuple(group.fleet.live_instances(record.live.slot))
    known = _what_runs(record.live, instances)
    instances = with_drift(group, replace(record, live=known), seen, instances)
    live = replace(
        known,
        image_name=known.image_name or names.get(known.image),
        since=known.since or min((i.launched_at for i in instances), default=None),
    )
    if instances:
        group.tracer.oldest_instance(group.name, seen.at - min(i.launched_at for i in instances))
    found = Survey(record, seen, live, group.terms, candidates=candidates, instances=instances)
    return _with_reasons(group, request, found)


def _what_runs(live: Generation, instances: Sequence[LiveInstance]) -> Generation:
    """The live generation, by the image that its instances really run: its group may have been made anew at rest."""
    own = {live.image, *live.images}
    if not instances or UNKNOWN_IMAGE in own or any(each.image in own for each in instances):
        return live
    ((image, _),) = Counter(each.image for each in instances).most_common(1)
    return replace(live, image=image, image_name=None, template_version=None, template=None, since=None)


def refuse_foreign_store(group: Desk, seen: Observation) -> None:
    """Two stores for one group would each think they own its rotation.

    Raises:
        ForeignStore: a rotation is in flight, by the tags, and it is not this store's.
    """
    other = foreign_rotation(seen, group.store.location)
    if other is not None:
        raise ForeignStore(group.name, other, group.store.location)


def _candidates(group: Group, request: RotateRequest, seen: Observation) -> tuple[Candidate, ...]:
    if group.images is None:
        return ()
    try:
        if request.image is None:
            return tuple(group.images.candidates(seen.at))
        named = group.images.named(request.image, seen.at)
    except NotFound as unknown:
        raise Blocked(unknown.message, hint=f"phoenix images --group {group.name}") from unknown
    if named.rejected is not None:
        raise Blocked(f"{request.image} cannot be launched for {group.name}: {named.rejected}")
    return (named,)


def _with_reasons(group: Group, request: RotateRequest, found: Survey) -> Survey:
    """Add the reasons for a rotation, and its image: the live one, launched afresh, if no newer one is wanted."""
    chosen = next((c.image for c in found.candidates if c.rejected is None), None)
    if chosen is None and group.images is not None and group.rotate_when.new_image:
        # Rotations would stop for ever without a word why: a name that matches nothing is a mistake.
        return replace(found, reasons=("no image fits the policy",))
    if chosen is not None and not request.force and _goes_back_in_time(group, chosen, found):
        if request.image is not None:
            hint = f"phoenix rotate --group {group.name} --image {chosen.id} --force"
            raise Blocked(f"{chosen.id} is older than the live image {found.live.image}", hint=hint)
        chosen = None
    if chosen is not None and _is_out_of_bounds(group, request, found, chosen):
        chosen = None
    when = replace(group.rotate_when, new_image=True) if request.image is not None else group.rotate_when
    reasons = find_reasons(when, found.live, chosen, found.instances, found.seen.at)
    reasons += find_template_reason(when, _changed_in_template(group, found))
    if request.force:
        reasons = (*reasons, "requested with --force")
    afresh = _image_of(group, found) if reasons and chosen is None else None
    return replace(found, reasons=reasons, image=chosen or afresh)


def _is_out_of_bounds(group: Group, request: RotateRequest, found: Survey, chosen: Image) -> bool:
    """A quarantined image does not keep old instances alive: where age, drift or a taint asks for a rotation, the live
    image is launched afresh. Where nothing but the image itself does, its quarantine is the answer."""
    named = request.image is not None or request.force or "quarantine" in request.ignore
    if named or all(entry.image != chosen.id for entry in found.record.quarantine):
        return False
    return bool(find_reasons(group.rotate_when, found.live, None, found.instances, found.seen.at))


def _changed_in_template(group: Group, found: Survey) -> tuple[str, ...]:
    """Asked only where it can be a reason; otherwise preflight shows it, once a rotation is due."""
    if not group.rotate_when.template:
        return ()
    try:
        return group.fleet.template_changes(found.live.slot)
    except NotFound as unknown:
        raise Blocked(unknown.message, hint=unknown.hint) from unknown


def _goes_back_in_time(group: Group, chosen: Image, found: Survey) -> bool:
    """An image that is gone cannot be compared; then the policy's choice stands."""
    if chosen.id == found.live.image:
        return False
    listed = live_image(group, found)
    return listed is not None and listed.created_at > chosen.created_at


def _image_of(group: Group, found: Survey) -> Image | None:
    """The live image; None when it is gone or may no longer be launched."""
    running = _running(group, found)
    return running.image if running is not None and running.rejected is None else None


def live_image(group: Ports, found: Survey) -> Image | None:
    """The live image, whatever is against it; read only if it is not among the candidates. None when it is gone."""
    listed = next((c.image for c in found.candidates if c.image.id == found.live.image), None)
    if listed is not None:
        return listed
    running = _running(group, found)
    return running.image if running is not None else None


def _running(group: Ports, found: Survey) -> Candidate | None:
    """The live image as its source judges it; None when it has been deregistered, which is no reason to stand still."""
    if group.images is None or found.live.image == UNKNOWN_IMAGE:
        return None
    try:
        return group.images.named(found.live.image, found.seen.at)
    except NotFound:
        return None


def _terms_for(group: Group, live: SlotState, seen: Observation) -> Terms:
    """The policy's terms; where scaling policies exist, the last bake is long enough for them to see their load, and
    where each zone serves its own share, each needs an instance."""
    terms = group.terms
    if group.router.serves_by_zone({slot: state.target_groups for slot, state in seen.slots.items()}):
        terms = replace(terms, zones=len({i.zone for i in live.instances if i.in_service}))
    last = terms.steps[-1]
    if last.bake is None or last.bake >= LEAST_LAST_BAKE or not group.fleet.has_scaling_policies(live.slot):
        return terms
    return replace(terms, steps=(*terms.steps[:-1], replace(last, bake=LEAST_LAST_BAKE)))
