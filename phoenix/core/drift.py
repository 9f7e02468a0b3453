"""Compare a running instance with what its generation's launch template and group make of a fresh one.

Pure. Must never cry wolf: what AWS or phoenix changes by itself, and what neither template nor group
says, is no difference. A value of None in `Fresh` means that any value is fine.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from fnmatch import fnmatchcase
from typing import Final

from phoenix.core.explain import ago
from phoenix.core.generation import UNKNOWN_IMAGE, Generation

SETTLING: Final = timedelta(minutes=10)
"""A server may attach volumes to itself while it boots; one attached later than this after its launch is a change."""
KINDS: Final = (
    "age",
    "bounds",
    "image",
    "leftovers",
    "metadata",
    "processes",
    "profile",
    "protection",
    "security-groups",
    "tag:*",
    "tags",
    "tainted",
    "template",
    "type",
    "user-data",
    "version",
    "volumes",
    "weights",
)
"""The words for what may differ, as a policy ignores them; `tag:KEY` is a tag of an instance, `tags` are phoenix's on
the group."""
_DRIVERS: Final = ("ebs.csi.aws.com/", "kubernetes.io/created-for/", "CSIVolumeName")
"""Tags on volumes that a cluster attaches and detaches as its pods move:
https://github.com/kubernetes-sigs/aws-ebs-csi-driver/blob/master/docs/tagging.md"""


@dataclass(frozen=True, slots=True)
class Difference:
    """`what` is one of `KINDS`; `is_now` and `should_be` are words for people. `since` None: not known."""

    what: str
    is_now: str
    should_be: str
    since: datetime | None = None

    @property
    def text(self) -> str:
        """`security-groups: sg-0b added, template has sg-0a`."""
        return f"{self.what}: {self.is_now}, {self.should_be}" if self.should_be else f"{self.what}: {self.is_now}"


@dataclass(frozen=True, slots=True)
class Volume:
    """A disk of an instance, or of a template; None where it says nothing. `size` in GiB."""

    size: int | None = None
    kind: str | None = None
    encrypted: bool | None = None
    id: str = ""
    attached_at: datetime | None = None
    tags: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Found:
    """An instance as AWS describes it. `user_data` (a digest) and `protected` (from termination by the API) are None
    unless they were asked for: both cost a call an instance. `volumes` are by device. `lookups` are the commands that
    ask AWS who has changed it, and who its group."""

    id: str
    image: str
    launched_at: datetime
    type: str
    version: str | None = None
    template: str = ""
    zone: str = ""
    security_groups: frozenset[str] = frozenset()
    profile: str = ""
    metadata: Mapping[str, str] = field(default_factory=dict)
    tags: Mapping[str, str] = field(default_factory=dict)
    volumes: Mapping[str, Volume] = field(default_factory=dict)
    user_data: str | None = None
    protected: bool | None = None
    lookups: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Fresh:
    """What a fresh instance of the same template version and group would be. `devices` are all that template and image
    bring; None where the image is gone."""

    types: frozenset[str] | None = None
    security_groups: frozenset[str] | None = None
    profile: str | None = None
    metadata: Mapping[str, str] = field(default_factory=dict)
    tags: Mapping[str, str] = field(default_factory=dict)
    volumes: Mapping[str, Volume] = field(default_factory=dict)
    devices: frozenset[str] | None = None
    user_data: str | None = None
    protected: bool | None = None


@dataclass(frozen=True, slots=True)
class Compared:
    """An instance, and what it should be; `fresh` None: its template version is gone, so nothing can be said."""

    found: Found
    fresh: Fresh | None


def ignored(what: str, patterns: Sequence[str]) -> bool:
    """True for a kind of difference that the owner does not want to hear of."""
    return any(fnmatchcase(what, pattern) for pattern in patterns)


def differences(each: Compared, at: datetime, most: timedelta | None = None) -> tuple[Difference, ...]:
    """All differences of one instance but for its image and version, which are its generation's to judge.

    `most` is the age that the policy allows.
    """
    found, fresh = each.found, each.fresh
    age = at - found.launched_at
    told = [Difference("age", ago(age), f"limit {ago(most)}", found.launched_at + most)] if most and age > most else []
    if fresh is None:
        return tuple(told)
    return (*told, *_plain(found, fresh), *_metadata(found, fresh), *_tags(found, fresh), *_volumes(found, fresh))


def of_generation(found: Found, own: Generation | None, others: Sequence[Generation]) -> tuple[Difference, ...]:
    """Another image than its generation's, or a template version that no generation here has.

    The image is the instance's own, not its version's: a root volume may have been replaced in place.
    """
    if own is None:
        return ()
    told = []
    images = {own.image, *own.images}
    if UNKNOWN_IMAGE not in images and found.image not in images:
        told.append(Difference("image", found.image, f"generation {own.number} has {own.image}"))
    known = [each for each in (own, *others) if each.template_version is not None]
    if known and own.template_version is not None and not any(_is_of(found, each) for each in known):
        now = found.version or "no version"
        told.append(Difference("version", now, f"generation {own.number} has {own.template_version}"))
    return tuple(told)


def _is_of(found: Found, generation: Generation) -> bool:
    same = found.version == generation.template_version
    return same and (not generation.template or not found.template or found.template == generation.template)


def _plain(found: Found, fresh: Fresh) -> Iterator[Difference]:
    if fresh.types is not None and found.type not in fresh.types:
        yield Difference("type", found.type, f"template and group launch {', '.join(sorted(fresh.types))}")
    if fresh.security_groups is not None and found.security_groups != fresh.security_groups:
        added, gone = found.security_groups - fresh.security_groups, fresh.security_groups - found.security_groups
        words = [f"{each} added" for each in sorted(added)] + [f"{each} taken away" for each in sorted(gone)]
        yield Difference(
            "security-groups", ", ".join(words), f"template has {', '.join(sorted(fresh.security_groups))}"
        )
    if fresh.profile is not None and found.profile != fresh.profile:
        yield Difference("profile", found.profile or "none", f"template has {fresh.profile or 'none'}")
    if None not in (found.user_data, fresh.user_data) and found.user_data != fresh.user_data:
        yield Difference("user-data", f"sha256 {found.user_data}", f"template has {fresh.user_data}")
    if None not in (found.protected, fresh.protected) and found.protected != fresh.protected:
        yield Difference("protection", _switch(found.protected), f"template says {_switch(fresh.protected)}")


def _metadata(found: Found, fresh: Fresh) -> Iterator[Difference]:
    """Options that the template says nothing of follow the image or the account, and may change there."""
    changed = [key for key, value in sorted(fresh.metadata.items()) if found.metadata.get(key, value) != value]
    if changed:
        yield Difference(
            "metadata",
            ", ".join(f"{key}={found.metadata[key]}" for key in changed),
            f"template has {', '.join(f'{key}={fresh.metadata[key]}' for key in changed)}",
        )


def _tags(found: Found, fresh: Fresh) -> Iterator[Difference]:
    """Tags that a fresh instance would have; further ones are anybody's, and `aws:` ones are AWS's own."""
    for key, value in sorted(fresh.tags.items()):
        if key.startswith("aws:") or found.tags.get(key) == value:
            continue
        yield Difference(f"tag:{key}", found.tags.get(key, "missing"), f"a new instance gets {value or 'an empty one'}")


def _volumes(found: Found, fresh: Fresh) -> Iterator[Difference]:
    for device, disk in sorted(fresh.volumes.items()):
        there = found.volumes.get(device)
        if there is None:
            yield Difference("volumes", f"{device} is not attached", "template has it")
        elif changed := list(_changed(there, disk)):
            now, then = (", ".join(words) for words in zip(*changed, strict=True))
            yield Difference("volumes", f"{device} {there.id} {now}", f"template has {then}")
    for device, disk in sorted(found.volumes.items()):
        if device not in fresh.volumes and _is_extra(device, disk, found, fresh):
            yield Difference(
                "volumes", f"{device} {disk.id} is attached", "template and image have none there", disk.attached_at
            )


def _changed(there: Volume, disk: Volume) -> Iterator[tuple[str, str]]:
    """What differs, now and then. An account may encrypt all volumes by itself, so only a missing encryption counts."""
    if disk.size is not None and there.size not in (None, disk.size):
        yield f"{there.size} GiB", f"{disk.size} GiB"
    if disk.kind is not None and there.kind not in (None, disk.kind):
        yield str(there.kind), disk.kind
    if disk.encrypted and there.encrypted is False:
        yield "not encrypted", "encrypted"


def _is_extra(device: str, disk: Volume, found: Found, fresh: Fresh) -> bool:
    """A volume that neither template nor image brings, and that came after the boot: until then it is the server's own
    doing. A cluster's volumes come and go with its pods."""
    if any(key.startswith(_DRIVERS) for key in disk.tags):
        return False
    if fresh.devices is None or device in fresh.devices or disk.attached_at is None:
        return False
    return disk.attached_at - found.launched_at > SETTLING


def _switch(value: bool | None) -> str:
    return "on" if value else "off"
