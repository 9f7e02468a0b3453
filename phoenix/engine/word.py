"""Leave word for a store that could not be told: a tag on the groups, for the next tick that has that store."""

from __future__ import annotations

import logging

from phoenix.core import tags
from phoenix.core.action import WriteTags
from phoenix.engine.group import Group
from phoenix.engine.lease import kept, permit_under
from phoenix.engine.once import Ticked
from phoenix.errors import PhoenixError
from phoenix.permit import permitted
from phoenix.ports import Lease

log = logging.getLogger(__name__)


def leave_word(group: Group, lease: Lease, first: Ticked) -> None:
    """After the first tick of a way back: nothing where the rotation is this store's own."""
    rotation = first.record.in_flight
    stores = {state.tags[tags.STORE] for state in first.seen.slots.values() if tags.STORE in state.tags}
    if rotation is not None and stores - {group.store.location}:
        word = {tags.HOLD: tags.write_hold(rotation)}
        try:
            with permitted(permit_under(group, kept(group, lease))):
                group.fleet.apply(WriteTags({rotation.old.slot: word, rotation.new.slot: word}))
        except PhoenixError as error:
            # Traffic is back already; that the other store finds out later must not stop the clean-up.
            log.warning("word.not_left", extra={"group": group.name, "reason": error.message})
