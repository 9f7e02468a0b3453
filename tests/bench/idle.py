"""Many groups at rest: their policy files, the records that their last rotations have left, images and rules.

Every group is the public web tier of `policies/web.yaml` by another name: a canary with three gates, two listeners and
a rule, ten instances. Its record is that of a rotation that the engine has really made, so it is as long as those are.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Final

from phoenix.core.generation import Generation
from phoenix.core.record import GroupRecord
from phoenix.engine.request import RotateRequest
from phoenix.engine.rotate import rotate
from phoenix.stores.codec import decode_record, encode_record
from tests.bench.arena import ROOT, Case, arena

ACCOUNT: Final = "123456789012"
REGION: Final = "eu-west-1"
TABLE: Final = "phoenix"
IMAGES_KEPT: Final = 4
"""A month's images of each kind, the newest one live everywhere."""
INSTANCES: Final = 10
CANARY: Final = Case(bake=60, steps={5: 60, 50: 60}, hot_for=3600)
"""Shorter bakes than the example's: a record is as long, for it tells what happened and not how long that took."""
_ELB: Final = f"arn:aws:elasticloadbalancing:{REGION}:{ACCOUNT}"
_EXAMPLE: Final = ROOT / "policies" / "web.yaml"


@dataclass(frozen=True, slots=True)
class Idle:
    """The number of groups, and how many of them share each image source."""

    groups: int
    sharing: int = 1


@dataclass(frozen=True, slots=True)
class BakedImage:
    """An image as EC2 describes it."""

    id: str
    name: str
    created: str
    tags: Mapping[str, str]


def name_of(number: int) -> str:
    """`team-07-0123`, say."""
    return f"team-{number % 40:02}-{number:04}"


def write_policies(folder: Path, idle: Idle) -> None:
    """A file for each group."""
    text = _EXAMPLE.read_text()
    for number in range(idle.groups):
        name, source = name_of(number), _source(idle, number)
        own = text.replace("group: web", f"group: {name}").replace("web-blue", f"{name}-blue")
        own = own.replace("web-green", f"{name}-green").replace('"web-*"', f'"{source}-*"')
        own = own.replace("service: web", f"service: {source}").replace(
            "[web-5xx, web-p99]", f"[{name}-5xx, {name}-p99]"
        )
        (folder / f"{name}.yaml").write_text(own)


def image_names(idle: Idle) -> Mapping[str, list[BakedImage]]:
    """By the pattern that policies search for: what there is."""
    sources = dict.fromkeys(_source(idle, number) for number in range(idle.groups))
    return {f"{source}-*": list(_images(source)) for source in sources}


def rule_names(number: int) -> Mapping[str, tuple[str, str]]:
    """The rules of a group by ARN: two listeners' own and one besides; the target groups with all and no weight."""
    name = name_of(number)
    live, other = (f"{_ELB}:targetgroup/{name}-{slot}/{number:016x}" for slot in ("green", "blue"))
    listeners = [f"{_ELB}:listener-rule/app/{name}/{number:016x}/{port:016x}" for port in (80, 443)]
    rules = [f"{listener}/{number + 1:016x}" for listener in listeners]
    return dict.fromkeys([rules[0], rules[1], f"{rules[1][:-16]}{number + 7:016x}"], (live, other))


def item_of(idle: Idle, number: int, kept: GroupRecord) -> dict[str, str | int]:
    """The record of a group as the table has it: what was `kept` of a real rotation, by other names."""
    name, source = name_of(number), _source(idle, number)
    newest = list(_images(source))[-1]
    body = encode_record(kept).replace('"web-', f'"{name}-').replace(":targetgroup/web-", f":targetgroup/{name}-")
    own = decode_record(body, "the bench")
    groups = next(iter(rule_names(number).values()))
    live = replace(_live(own), image=newest.id, image_name=newest.name, since=datetime.now(UTC) - timedelta(days=2))
    record = replace(
        own,
        group=name,
        account=ACCOUNT,
        region=REGION,
        live=live,
        hot_until=None,
        target_groups={slot: (arn,) for slot, arn in zip((live.slot, live.slot.other), groups, strict=True)},
        routes=dict.fromkeys(rule_names(number), "HTTPS:443"),
    )
    place = f"dynamodb://{ACCOUNT}/{REGION}/{TABLE}"
    return {"group": name, "item": "record", "version": record.version, "body": encode_record(record), "place": place}


def _live(record: GroupRecord) -> Generation:
    assert record.live is not None
    return record.live


@cache
def rotated() -> GroupRecord:
    """The record of a group that has been rotated, as the store has it."""
    with arena(CANARY, INSTANCES) as place:
        group = place.group()
        rotate(group, RotateRequest())
        record = group.store.load("web")
    assert record is not None
    return record


def _source(idle: Idle, number: int) -> str:
    return f"app-{number // idle.sharing:04}"


def _images(source: str) -> Iterator[BakedImage]:
    day = datetime.now(UTC).replace(microsecond=0) - timedelta(days=30)
    for week in range(IMAGES_KEPT):
        created = day + timedelta(days=7 * week)
        commit = f"{week:02}9f2c1e"
        tags = {"service": source, "channel": "stable", "commit": commit, "parent": "base-2026.11.04"}
        yield BakedImage(
            id=f"ami-{int(source[-4:]):08x}{week:09x}",
            name=f"{source}-{created:%Y.%m.%d}-{commit}",
            created=f"{created:%Y-%m-%dT%H:%M:%S.000Z}",
            tags=tags,
        )
