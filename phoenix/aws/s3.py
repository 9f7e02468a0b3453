"""Policies kept in S3, read like files in a directory. Must never write."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final
from urllib.parse import urlsplit

from phoenix.aws.errors import translated
from phoenix.aws.session import Aws
from phoenix.errors import NotFound, UsageError

IAM_ACTIONS: Final = frozenset({"s3:GetObject", "s3:ListBucket"})

_SUFFIXES = (".yaml", ".yml")
_MOST_BYTES = 4 * 1024 * 1024  # more than any policy may have; whoever reads it says so


class S3Source:
    """The policies right below `s3://bucket/prefix`; what lies deeper is none."""

    def __init__(self, url: str, aws: Aws) -> None:
        parts = urlsplit(url)
        self.location = url
        self._bucket, self._aws = parts.netloc, aws
        prefix = parts.path.strip("/")
        self._prefix = f"{prefix}/" if prefix else ""

    def names(self) -> Sequence[str]:
        """Names of all objects that could be policies, sorted, without the prefix.

        Raises:
            UsageError: there is no such bucket.
        """
        found = self._aws.pages(
            "s3", "list_objects_v2", "Contents", Bucket=self._bucket, Prefix=self._prefix, Delimiter="/"
        )
        try:
            names = [str(item["Key"]).removeprefix(self._prefix) for item in found]
        except NotFound as error:
            raise UsageError(f"there is no bucket {self._bucket}: {error.message}") from error
        return sorted(name for name in names if name.endswith(_SUFFIXES) and not name.startswith("."))

    def read(self, name: str) -> bytes:
        """The content of one object.

        Raises:
            NotFound: there is no such object.
        """
        answer = self._aws.call("s3", "get_object", Bucket=self._bucket, Key=self._prefix + name)
        with translated("s3:GetObject"):
            content: bytes = answer["Body"].read(_MOST_BYTES)
        return content
