"""The manifest and the signed statement beside an image, from a directory or from S3. Reads only.

Must never read a place that a tag names, nor more than a statement may have.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from phoenix.aws.errors import translated
from phoenix.aws.rights import FORWARD, Names, Right, Rights
from phoenix.aws.session import Aws
from phoenix.errors import AccessDenied, NotFound, PermanentError

IAM_ACTIONS: Final[Rights] = frozenset({Right("s3:GetObject", "ReadStatements", FORWARD, ("${statements_arn}",))})

MOST_BYTES: Final = 1024 * 1024
"""The size of a manifest, and of a statement: some thousand times what Packer and cosign write."""
MANIFEST: Final = ".manifest.json"
STATEMENT: Final = ".intoto.json"


class StatementFlaw(PermanentError):
    """A file beside an image cannot be read, or lacks what it must say: that image is refused, no other."""


def iam_names(place: str | None) -> Names:
    """The objects below the place; none where it is a directory, or where nothing has to be signed."""
    if place is None or not place.startswith("s3://"):
        return {"statements_arn": ()}
    parts = urlsplit(place)
    return {"statements_arn": (f"arn:${{partition}}:s3:::{parts.netloc}/{_prefix(parts.path)}*",)}


def read_beside(aws: Aws, place: str, image: str) -> tuple[bytes, bytes]:
    """Return the manifest and the statement of an image.

    Raises:
        StatementFlaw: one is missing, too large, or may not be read.
    """
    read = _from_s3 if place.startswith("s3://") else _from_directory
    return read(aws, place, f"{image}{MANIFEST}"), read(aws, place, f"{image}{STATEMENT}")


def _from_directory(_aws: Aws, place: str, name: str) -> bytes:
    path = Path(place).expanduser() / name
    try:
        with path.open("rb") as file:
            content = file.read(MOST_BYTES + 1)
    except FileNotFoundError:
        raise StatementFlaw(f"there is no {path}") from None
    except OSError as error:
        raise StatementFlaw(f"{path} cannot be read: {error.strerror}") from None
    return _bounded(content, str(path))


def _from_s3(aws: Aws, place: str, name: str) -> bytes:
    parts = urlsplit(place)
    key = f"{_prefix(parts.path)}{name}"
    where = f"s3://{parts.netloc}/{key}"
    try:
        answer = aws.call("s3", "get_object", Bucket=parts.netloc, Key=key)
    except NotFound:
        raise StatementFlaw(f"there is no {where}") from None
    except AccessDenied as denied:
        # S3 answers so for an object that is not there, too, to a caller that may not list the bucket:
        # https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetObject.html
        raise StatementFlaw(f"there is no {where}, or it may not be read: {denied.message}") from None
    with translated("s3:GetObject"):
        content: bytes = answer["Body"].read(MOST_BYTES + 1)
    return _bounded(content, where)


def _bounded(content: bytes, where: str) -> bytes:
    if len(content) > MOST_BYTES:
        raise StatementFlaw(f"{where} is larger than {MOST_BYTES // 1024} KiB")
    return content


def _prefix(path: str) -> str:
    found = path.strip("/")
    return f"{found}/" if found else ""
