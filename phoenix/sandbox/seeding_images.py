"""The images below the example images, and the tags that `infra/packer` writes to an image.

Must never be older or newer than the stories need: a base of 41 days with a newer one beside it, a runtime of 12 days.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from phoenix.sandbox.answers.images import ImageSpec, add_image
from phoenix.sandbox.world import ACCOUNT, REGION, World

DAY: Final = timedelta(days=1)
_BASE: Final = "base-2026.10.08"
_NEWER_BASE: Final = "base-2026.11.12"
_RUNTIME: Final = "runtime-2026.11.06"


@dataclass(frozen=True, slots=True)
class Below:
    """The image that one is made from, with what its own tags say of the layers below it."""

    id: str
    name: str
    built_at: datetime
    ancestors: tuple[str, ...] = ()
    base: Below | None = None


def runtime(world: World) -> Below:
    """The image that the example images are made from; made with its base when it is first asked for."""
    images = {ami.name: ami for ami in world.ec2().amis.values()}
    now = world.timeline.now
    if _RUNTIME not in images:
        base = Below(_add(world, _BASE, now - 41 * DAY, None), _BASE, now - 41 * DAY)
        _add(world, _NEWER_BASE, now - 6 * DAY, None)
        _add(world, _RUNTIME, now - 12 * DAY, base)
        images = {ami.name: ami for ami in world.ec2().amis.values()}
    found, below = images[_RUNTIME], images[_BASE]
    built_at = datetime.fromisoformat(world.ec2().tags[found.id]["built_at"])
    lowest = Below(below.id, _BASE, datetime.fromisoformat(world.ec2().tags[below.id]["built_at"]))
    return Below(found.id, _RUNTIME, built_at, (lowest.id,), lowest)


def packed(name: str, built_at: datetime, parent: Below | None) -> Mapping[str, str]:
    """The tags as `infra/packer` writes them: the answers about the build, and the parent as Packer knows it."""
    service, commit = name.partition("-")[0], name.rpartition("-")[2]
    said = {
        "service": service,
        "channel": "stable",
        "version": name.partition("-")[2],
        "contents": f"{service} {name.partition('-')[2]}",
        "repository": f"https://git.example.com/{service}",
        "commit": commit,
        "built_in": f"{REGION}, pipeline images",
        "built_at": _written(built_at),
        "built_because": "new base" if service in ("base", "runtime") else f"merge of {commit}",
        "built_by": f"pipeline/{name}",
        "built_with": "packer 1.11.2",
        "project": "shop",
        "owner": f"team-{service}",
        "how_to_start": f"systemctl start {service}",
        "how_to_check": "curl --fail localhost:8080/healthz",
        "how_to_monitor": f"https://dashboards.example.com/{service}",
        "how_to_update": "bake a new image; never on an instance",
    }
    return said if parent is None else said | _of_parent(parent)


def _of_parent(parent: Below) -> dict[str, str]:
    base = parent.base or parent
    return {
        "parent": parent.id,
        "parent_name": parent.name,
        "parent_built_at": _written(parent.built_at),
        "parent_owner": ACCOUNT,
        "parent_filter": f"{parent.name.partition('-')[0]}-*",
        "ancestors": " ".join((parent.id, *parent.ancestors)),
        "base": base.id,
        "base_name": base.name,
        "base_built_at": _written(base.built_at),
    }


def _add(world: World, name: str, built_at: datetime, parent: Below | None) -> str:
    return add_image(world, ImageSpec(name, tags=packed(name, built_at, parent), created_at=built_at))


def _written(at: datetime) -> str:
    return f"{at:%Y-%m-%dT%H:%M:%SZ}"
