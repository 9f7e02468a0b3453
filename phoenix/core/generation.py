"""A generation: instances that share one image and one launch template version. Pure.

Must never take a version number for an identity: the template may have been replaced by one whose numbers begin again.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from phoenix.core.model import Instance, Slot, SlotState

UNKNOWN_IMAGE = "unknown"


@dataclass(frozen=True, slots=True)
class Generation:
    """Instances that share one image and one launch template version. `template_version` None: not made yet.

    No instance of it is older than `since`, the start of its rotation or its oldest instance; None: not known.

    A version number says nothing by itself: the template may have been replaced by one whose numbers begin again.
    `template` is the id of the template whose version of that number is known to launch the image; None: not known, so
    it has to be read before it launches anything. `images` are those that its instances ran when its rotation began.
    """

    number: int
    slot: Slot
    image: str
    image_name: str | None = None
    template_version: str | None = None
    since: datetime | None = None
    template: str | None = None
    images: tuple[str, ...] = ()

    def is_launched_by(self, state: SlotState) -> bool:
        """True when the slot's template has a version that launches this generation, as far as is known."""
        return self.template_version is not None and self.template in (None, state.template)

    def is_set_in(self, state: SlotState) -> bool:
        """True when the slot would launch this generation as it stands."""
        return self.is_launched_by(state) and state.template_version == self.template_version

    def has_launched(self, instance: Instance) -> bool:
        """True for an instance of this generation's template version; the ids count where both are known."""
        same = instance.template_version == self.template_version
        return same and (not self.template or not instance.template or instance.template == self.template)

    def of(self, state: SlotState) -> tuple[Instance, ...]:
        """The slot's instances of this generation; all of them while it has no template version."""
        return tuple(i for i in state.instances if self.template_version is None or self.has_launched(i))

    def is_foreign(self, instance: Instance) -> bool:
        """True for an instance that is known to run an image which this generation never had."""
        own = {self.image, *self.images}
        return instance.image is not None and UNKNOWN_IMAGE not in own and instance.image not in own
