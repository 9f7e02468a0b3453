"""Fit the owner's block device mappings to another image: some of their parts belong to the old one.

A template that was made in the console, or from an instance, repeats what its image brings: the snapshot of the root
device above all. EC2 launches no other image with that ("snapshotId cannot be modified on root device"). Must never
touch a snapshot that the owner has chosen: data to start with, on a device that the image knows nothing of.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from phoenix.aws.rights import FORWARD, reads
from phoenix.aws.session import Aws
from phoenix.aws.templates import TemplateVersion
from phoenix.core.blocker import Blocker

IAM_ACTIONS: Final = reads("ec2:DescribeImages", roles=FORWARD)
CHECKS: Final = ("root-device", "image-snapshot", "image-kernel")

_MAPPINGS: Final = "BlockDeviceMappings"
_OF_IMAGES: Final = ("KernelId", "RamDiskId")
_USUAL_ROOTS: Final = frozenset({"/dev/sda1", "/dev/xvda"})


@dataclass(frozen=True, slots=True)
class Disks:
    """An image's devices: the name of its root device, and the snapshot of each device that has one."""

    image: str
    root: str
    snapshots: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Fitting:
    """The owner's mappings, and the two images. `old` None: not to be found any more."""

    version: TemplateVersion
    new: Disks
    old: Disks | None

    @property
    def mappings(self) -> list[dict[str, Any]]:
        """As EC2 describes them; each with its device's name."""
        return list(self.version.content.get(_MAPPINGS) or ())


def needs_fitting(version: TemplateVersion) -> bool:
    """True if the images have to be read: most templates name no device at all."""
    return bool(version.content.get(_MAPPINGS))


def has_snapshots(version: TemplateVersion) -> bool:
    """True if EC2 would leave something out of the mappings when it makes a version out of this one."""
    return any(_disk(mapping).get("SnapshotId") for mapping in version.content.get(_MAPPINGS) or ())


def read_fitting(aws: Aws, version: TemplateVersion, image: str) -> Fitting:
    """One call. An image that cannot be found brings nothing that is known."""
    old = str(version.content.get("ImageId") or "")
    wanted = sorted({each for each in (old, image) if each.startswith("ami-")})
    found = aws.pages(
        "ec2",
        "describe_images",
        "Images",
        Filters=[{"Name": "image-id", "Values": wanted}],
        IncludeDeprecated=True,
        PaginationConfig={"PageSize": 1000},
    )
    disks = {each.image: each for each in map(_disks, found)}
    return Fitting(version, disks.get(image, Disks(image, "", {})), disks.get(old))


def fitted(fitting: Fitting) -> list[dict[str, Any]]:
    """The mappings for the new image, complete: without the snapshots that belong to the old one.

    `Encrypted: false` goes along with its snapshot: EC2 refuses both next to each other, and false is what no word
    means. `Encrypted: true` stays: the owner wants it.
    """
    theirs = set(_of_the_image(fitting))
    found = [_without_snapshot(each) if each.get("DeviceName") in theirs else dict(each) for each in fitting.mappings]
    # One that says nothing else any more says nothing at all: the image's own counts, and EC2 refuses an empty one.
    return [each for each in found if each.get("Ebs") != {}]


def find_disks(fitting: Fitting) -> Iterator[Blocker]:
    """Warnings about the disks for the owner, before a start."""
    yield from _root(fitting)
    dropped = sorted(_of_the_image(fitting))
    if dropped:
        yield Blocker(
            "image-snapshot",
            _where(fitting.version),
            f"it gives {', '.join(dropped)} a snapshot of the old image. The next generation's version leaves that out,"
            f" so that {fitting.new.image} brings its own; size, type and encryption stay.",
            _look(fitting.version),
            warning=True,
        )
    for device in sorted(_left_over(fitting)):
        yield Blocker(
            "image-snapshot",
            _where(fitting.version),
            f"{device} starts from a snapshot that the old image has brought, and {fitting.new.image} has no such"
            " device: the next generation gets the old content there.",
            _look(fitting.version),
            warning=True,
        )


def find_kernel(version: TemplateVersion) -> Iterator[Blocker]:
    """A kernel or RAM disk is made for one image; phoenix launches only images that bring their own."""
    named = [key for key in _OF_IMAGES if version.content.get(key)]
    if named:
        yield Blocker(
            "image-kernel",
            _where(version),
            f"it names {' and '.join(named)}, which belong to one image. Make a version of the template without:",
            _look(version),
            warning=True,
        )


def _root(fitting: Fitting) -> Iterator[Blocker]:
    """Size and type meant for the root device, on a device that is not the new image's root."""
    root, devices = fitting.new.root, {str(each.get("DeviceName")) for each in fitting.mappings}
    if not root or root in devices:
        return
    old_root = fitting.old.root if fitting.old is not None else ""
    moved = old_root in devices
    meant = [old_root] if moved else sorted(devices & _USUAL_ROOTS)
    if not meant:
        return
    yield Blocker(
        "root-device",
        _where(fitting.version),
        f"it sizes {meant[0]}, {'the root device of its own image' if moved else 'a usual name of a root device'}, but"
        f" the root device of {fitting.new.image} is {root}: that would have the size and type that the image brings,"
        f" and {meant[0]} would be a second, empty volume. Make a version of the template that names {root} instead:",
        _look(fitting.version),
        # Where the template has missed its own image's root all along, the next generation is as the live one is.
        warning=not moved,
    )


def _of_the_image(fitting: Fitting) -> Iterator[str]:
    """Devices whose snapshot the new image replaces by one of its own."""
    old = fitting.old.snapshots if fitting.old is not None else {}
    for mapping in fitting.mappings:
        device, snapshot = str(mapping.get("DeviceName")), _disk(mapping).get("SnapshotId")
        repeats = old.get(device) == snapshot and device in fitting.new.snapshots
        if snapshot and (device == fitting.new.root or repeats):
            yield device


def _left_over(fitting: Fitting) -> Iterator[str]:
    """Devices with a snapshot of the old image that the new one knows nothing of."""
    old = fitting.old.snapshots if fitting.old is not None else {}
    for mapping in fitting.mappings:
        device, snapshot = str(mapping.get("DeviceName")), _disk(mapping).get("SnapshotId")
        known = device == fitting.new.root or device in fitting.new.snapshots
        if snapshot and old.get(device) == snapshot and not known:
            yield device


def _without_snapshot(mapping: Mapping[str, Any]) -> dict[str, Any]:
    disk = {key: value for key, value in _disk(mapping).items() if key != "SnapshotId"}
    if disk.get("Encrypted") is False:
        del disk["Encrypted"]
    return {**mapping, "Ebs": disk}


def _disk(mapping: Mapping[str, Any]) -> Mapping[str, Any]:
    found: Mapping[str, Any] = mapping.get("Ebs") or {}
    return found


def _disks(image: Mapping[str, Any]) -> Disks:
    mappings: Iterable[Mapping[str, Any]] = image.get(_MAPPINGS) or ()
    snapshots = {str(each.get("DeviceName")): str(_disk(each).get("SnapshotId") or "") for each in mappings}
    return Disks(
        str(image["ImageId"]),
        str(image.get("RootDeviceName") or ""),
        {device: snapshot for device, snapshot in snapshots.items() if snapshot},
    )


def _where(version: TemplateVersion) -> str:
    return f"launch template {version.template} version {version.number}"


def _look(version: TemplateVersion) -> str:
    return (
        f"aws ec2 describe-launch-template-versions --launch-template-id {version.template} \\\n"
        f"    --versions {version.number} --query 'LaunchTemplateVersions[].LaunchTemplateData'"
    )
