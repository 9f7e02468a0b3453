"""Images as EC2 describes them, and their owners. Reads only.

Must never take a name or an id for proof: the owner of every image is compared with those of the policy.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from phoenix.aws.rights import FORWARD, Names, reads
from phoenix.aws.session import Aws
from phoenix.core.image import Image
from phoenix.errors import NotFound

IAM_ACTIONS: Final = reads("ec2:DescribeImages", "sts:GetCallerIdentity", roles=FORWARD)

SELF: Final = "self"
ALIASES: Final = ("amazon", "aws-marketplace")
"""EC2's aliases for owners whose account ids are not widely known."""


def search(aws: Aws, owners: Sequence[str], name: str | None) -> list[Image]:
    """Return all images of these owners that match the name; deprecated ones too, so that they can be explained."""
    return search_by(aws, owners, [{"Name": "name", "Values": [name]}] if name else [])


def search_by(aws: Aws, owners: Sequence[str], filters: Sequence[Mapping[str, Any]]) -> list[Image]:
    """Return all images of these owners that pass EC2's own filters."""
    found = aws.pages(
        "ec2",
        "describe_images",
        "Images",
        Owners=list(owners),
        Filters=list(filters),
        IncludeDeprecated=True,
        PaginationConfig={"PageSize": 1000},
    )
    return [_image(item) for item in found]


def search_newest(aws: Aws, owner: str, filters: Sequence[Mapping[str, Any]]) -> Iterator[Image]:
    """Yield the images of one owner that may still be used; deprecated ones are left out."""
    pages = {"PageSize": 1000}
    found = aws.pages("ec2", "describe_images", "Images", Owners=[owner], Filters=list(filters), PaginationConfig=pages)
    return map(_image, found)


def read_images(aws: Aws, ids: Sequence[str]) -> list[Image]:
    """Return those of these images that exist and that this account may see; at most 200 ids."""
    found = aws.pages(
        "ec2",
        "describe_images",
        "Images",
        Filters=[{"Name": "image-id", "Values": list(ids)}],
        IncludeDeprecated=True,
        PaginationConfig={"PageSize": 1000},
    )
    return [_image(item) for item in found]


def read_image(aws: Aws, image: str) -> Image:
    """Return one image by id, with any owner: the caller judges.

    Raises:
        NotFound: there is none, or none that this account may see.
    """
    answer = aws.call("ec2", "describe_images", ImageIds=[image], IncludeDeprecated=True)
    if not answer["Images"]:
        raise NotFound(f"there is no image {image} that this account may see in {aws.region}")
    return _image(answer["Images"][0])


def account_ids(aws: Aws, owners: Iterable[str], found: Sequence[Image] = ()) -> frozenset[str]:
    """Replace `self` among the owners. The images of a search for `self` alone tell its account; else STS is asked."""
    named = frozenset(owners)
    if SELF not in named:
        return named
    if named == {SELF} and found:
        return frozenset(image.owner for image in found)
    return named - {SELF} | {aws.account_id()}


def owner_names(owners: Iterable[str]) -> Names:
    """Return the owners of launchable images, as the condition `ec2:Owner` spells them.

    For an image that has an owner alias the value is the alias and not the account: `"ec2:Owner": "amazon"` stands in
    all of EC2's example policies, for Amazon's images and for those of verified providers. Only AWS knows the accounts
    with an alias, so a foreign owner adds the aliases to the condition; the code compares the account itself.
    """
    named = ["${account}" if owner == SELF else owner for owner in owners]
    return {"image_owner": (*named, *(ALIASES if any(owner != SELF for owner in owners) else ()))}


def _image(item: Mapping[str, Any]) -> Image:
    deprecated = item.get("DeprecationTime")
    return Image(
        id=str(item["ImageId"]),
        name=str(item.get("Name", "")),
        created_at=_time(item["CreationDate"]),
        owner=str(item["OwnerId"]),
        # Some substitutes for EC2 leave these three out. The guess launches nothing: the dry run asks again.
        architecture=str(item.get("Architecture", "x86_64")),
        virtualization=str(item.get("VirtualizationType", "hvm")),
        ena=bool(item.get("EnaSupport", True)),
        state=str(item.get("State", "")),
        deprecated_at=_time(deprecated) if deprecated else None,
        allowed=bool(item.get("ImageAllowed", True)),
        tags={str(tag["Key"]): str(tag["Value"]) for tag in item.get("Tags", ())},
        source=str(item["SourceImageId"]) if item.get("SourceImageId") else None,
    )


def _time(written: str) -> datetime:
    """Read one of the two times that EC2 writes as text."""
    return datetime.fromisoformat(written)
