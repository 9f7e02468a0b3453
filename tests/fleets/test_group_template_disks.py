"""Block devices of the owner's template, for an image other than the one that they were made for."""

from __future__ import annotations

from typing import Any

import pytest

from phoenix.aws.templates import TemplateVersion
from phoenix.fleets.group_template_disks import Disks, Fitting, find_disks, find_kernel, fitted
from tests.builders import NOON

OLD, NEW = "ami-0aaaaaaaaaaaaaaaa", "ami-0bbbbbbbbbbbbbbbb"
DATA = {"DeviceName": "/dev/sdf", "Ebs": {"SnapshotId": "snap-data", "VolumeSize": 500}}


def a_fitting(*mappings: dict[str, Any], old: Disks | None = None, root: str = "/dev/xvda", **more: str) -> Fitting:
    """Mappings of a template, for a new image with that root device; `more` are snapshots of further devices of it."""
    version = TemplateVersion("lt-1", 7, "", NOON, {"ImageId": OLD, "BlockDeviceMappings": list(mappings)})
    snapshots = {root: "snap-new", **{f"/dev/{device}": snapshot for device, snapshot in more.items()}}
    return Fitting(version, Disks(NEW, root, snapshots), old)


def the_old(root: str = "/dev/xvda", **more: str) -> Disks:
    """What the image of the owner's template has brought."""
    return Disks(OLD, root, {root: "snap-old", **{f"/dev/{device}": snapshot for device, snapshot in more.items()}})


def root_disk(device: str = "/dev/xvda", **disk: Any) -> dict[str, Any]:
    return {"DeviceName": device, "Ebs": {"VolumeSize": 80, "VolumeType": "gp3", **disk}}


@pytest.mark.parametrize("old", [the_old(), None], ids=["image there", "image gone"])
def test_the_root_device_loses_the_old_images_snapshot_and_keeps_the_rest(old: Disks | None) -> None:
    fitting = a_fitting(root_disk(SnapshotId="snap-old", Encrypted=False), DATA, old=old)

    assert fitted(fitting) == [root_disk(), DATA]
    (said,) = find_disks(fitting)
    assert (said.name, said.warning, "/dev/xvda" in said.text) == ("image-snapshot", True, True)


def test_encryption_that_the_owner_wants_stays() -> None:
    fitting = a_fitting(root_disk(SnapshotId="snap-old", Encrypted=True, KmsKeyId="key-1"), old=the_old())

    assert fitted(fitting) == [root_disk(Encrypted=True, KmsKeyId="key-1")]


def test_a_further_device_that_both_images_bring_comes_from_the_new_one() -> None:
    mapping = {"DeviceName": "/dev/sdb", "Ebs": {"SnapshotId": "snap-b", "VolumeSize": 9}}
    fitting = a_fitting(mapping, root_disk(), old=the_old(sdb="snap-b"), sdb="snap-c")

    assert fitted(fitting) == [{"DeviceName": "/dev/sdb", "Ebs": {"VolumeSize": 9}}, root_disk()]


def test_a_device_that_only_the_old_image_has_brought_is_said() -> None:
    mapping = {"DeviceName": "/dev/sdb", "Ebs": {"SnapshotId": "snap-b"}}
    fitting = a_fitting(mapping, root_disk(), old=the_old(sdb="snap-b"))

    (said,) = find_disks(fitting)

    assert fitted(fitting) == fitting.mappings
    assert (said.warning, "no such device" in said.text) == (True, True)


def test_data_of_the_owners_is_left_alone_and_needs_no_word() -> None:
    fitting = a_fitting(DATA, root_disk(), old=the_old())

    assert (fitted(fitting), list(find_disks(fitting))) == (fitting.mappings, [])


def test_a_size_that_was_meant_for_the_root_device_does_not_move_to_a_second_volume() -> None:
    fitting = a_fitting(root_disk("/dev/sda1"), old=the_old("/dev/sda1"))

    (said,) = find_disks(fitting)

    assert (said.name, said.warning) == ("root-device", False)
    assert "/dev/sda1 would be a second, empty volume" in said.text


@pytest.mark.parametrize("old", [the_old("/dev/xvda"), None], ids=["never hit", "image gone"])
def test_a_template_that_has_missed_the_root_device_all_along_is_only_said(old: Disks | None) -> None:
    (said,) = find_disks(a_fitting(root_disk("/dev/sda1"), old=old))

    assert (said.name, said.warning) == ("root-device", True)


def test_an_image_whose_root_device_is_not_known_says_nothing() -> None:
    assert list(find_disks(a_fitting(root_disk("/dev/sda1"), root=""))) == []


def test_a_kernel_belongs_to_one_image() -> None:
    version = TemplateVersion("lt-1", 7, "", NOON, {"KernelId": "aki-1", "RamDiskId": "ari-1"})

    (said,) = find_kernel(version)

    assert (said.name, "KernelId and RamDiskId" in said.text) == ("image-kernel", True)
