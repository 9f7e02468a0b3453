"""The instances of both slots, a line each: `status -v` adds them.

Must never call an instance healthy that no health source lists.
"""

from __future__ import annotations

from phoenix.core.model import Instance, Slot
from phoenix.engine.report import Report
from phoenix.views import text


def table(report: Report) -> list[str]:
    """Return the instances by slot, zone and id, each unhealthy one with its reason; empty if there was no
    observation."""
    if report.seen is None:
        return []
    cells = [
        [str(slot), *_cells(instance)]
        for slot in Slot
        for instance in sorted(report.seen.slots[slot].instances, key=lambda each: (each.zone, each.id))
    ]
    return text.table(["slot", "instance", "zone", "version>", "state", "target", "because"], cells) if cells else []


def _cells(instance: Instance) -> list[str]:
    return [
        instance.id,
        instance.zone,
        instance.template_version or "-",
        instance.lifecycle_words if instance.healthy else f"{instance.lifecycle_words}, Unhealthy",
        str(instance.target) if instance.target is not None else "-",
        instance.target_words,
    ]
