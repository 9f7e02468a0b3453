"""Images that have to prove themselves, chosen on a sandbox."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from phoenix.core.image import Candidate
from phoenix.images import search, statements
from phoenix.images.keys import SignedBy
from phoenix.images.proof import MOST_LOOKED_AT
from tests.account import Account
from tests.images.signing import Statement, a_key, a_manifest, pem

KEY = a_key()
WEB: dict[str, Any] = {"owners": ("self",), "name": "web-*", "tags": {"service": "web", "channel": "stable"}}
BUCKET = "images"


def baked(account: Account, name: str) -> str:
    account.clock.advance(60)
    return account.sandbox.bake_image(name)


def write(folder: Path, image: str, key: Any = KEY, manifest: bytes | None = None) -> None:
    """Lay manifest and statement of an image into the folder."""
    content = manifest or a_manifest(image)
    (folder / f"{image}.manifest.json").write_bytes(content)
    (folder / f"{image}.intoto.json").write_text(json.dumps(Statement(content).signed(key)))


def source(account: Account, place: str | Path) -> search.SearchImages:
    signed = SignedBy(key=pem(KEY), statements=str(place))
    return account.make(search.SearchImages, search.Settings(**WEB, signed_by=signed))


def judged(account: Account, place: str | Path) -> dict[str, Candidate]:
    account.clock.advance(60)
    return {each.image.id: each for each in source(account, place).candidates(account.clock.now())}


def test_the_newest_with_a_statement_is_chosen_and_the_others_say_why_not(account: Account, tmp_path: Path) -> None:
    proven, other, bare = (baked(account, f"web-{n}") for n in ("1-proven", "2-other-key", "3-bare"))
    write(tmp_path, proven)
    write(tmp_path, other, key=a_key())

    found = judged(account, tmp_path)

    assert found[proven].rejected is None
    assert found[bare].rejected == f"not proven: there is no {tmp_path}/{bare}.manifest.json"
    assert "signed by none of the keys" in str(found[other].rejected)


def test_naming_an_image_does_not_help_it_past_the_proof(account: Account, tmp_path: Path) -> None:
    bare = baked(account, "web-1-bare")

    assert "not proven" in str(source(account, tmp_path).named(bare, account.clock.now()).rejected)


def test_another_images_statement_beside_it_does_not_help(account: Account, tmp_path: Path) -> None:
    thief = baked(account, "web-1-thief")
    write(tmp_path, thief, manifest=a_manifest("ami-99999999"))

    assert f"does not name {thief}" in str(judged(account, tmp_path)[thief].rejected)


def test_a_statement_that_is_too_large_is_not_read_to_its_end(account: Account, tmp_path: Path) -> None:
    image = baked(account, "web-1")
    write(tmp_path, image)
    (tmp_path / f"{image}.intoto.json").write_bytes(b" " * (statements.MOST_BYTES + 1))

    assert "is larger than 1024 KiB" in str(judged(account, tmp_path)[image].rejected)


def test_no_more_than_ten_statements_are_read_for_a_choice(account: Account, tmp_path: Path) -> None:
    oldest = baked(account, "web-0")
    write(tmp_path, oldest)
    for number in range(MOST_LOOKED_AT):
        baked(account, f"web-{number + 1}")

    found = judged(account, tmp_path)

    assert all(candidate.rejected for candidate in found.values())
    assert "not looked at" in str(found[oldest].rejected)


def test_statements_may_lie_in_s3(account: Account, tmp_path: Path) -> None:
    image, bare = baked(account, "web-1"), baked(account, "web-2")
    write(tmp_path, image)
    s3 = account.client("s3")
    s3.create_bucket(Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
    for file in tmp_path.iterdir():
        s3.put_object(Bucket=BUCKET, Key=f"signed/{file.name}", Body=file.read_bytes())

    found = judged(account, f"s3://{BUCKET}/signed/")

    assert found[image].rejected is None
    assert found[bare].rejected == f"not proven: there is no s3://{BUCKET}/signed/{bare}.manifest.json"


def test_an_object_that_may_not_be_read_refuses_the_image_and_says_so(account: Account) -> None:
    image = baked(account, "web-1")
    account.aws.refusals["s3:GetObject"] = "AccessDenied"

    assert "or it may not be read" in str(judged(account, f"s3://{BUCKET}/signed")[image].rejected)


@pytest.mark.parametrize(
    ("place", "arns"),
    [
        ("s3://images/signed/web/", ("arn:${partition}:s3:::images/signed/web/*",)),
        ("s3://images", ("arn:${partition}:s3:::images/*",)),
        ("provenance", ()),
        (None, ()),
    ],
)
def test_the_right_to_read_reaches_no_further_than_the_place(place: str | None, arns: tuple[str, ...]) -> None:
    assert statements.iam_names(place) == {"statements_arn": arns}
