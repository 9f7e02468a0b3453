"""Policies kept in S3, read like files in a directory. Must never write."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from functools import partial
from typing import Final
from urllib.parse import urlsplit

from phoenix.aws.errors import translated
from phoenix.aws.rights import ALL, Condition, Names, Right, Rights, with_key
from phoenix.aws.session import Aws
from phoenix.errors import NotFound, PermanentError, UsageError

_RIGHT_THERE: Final = Condition("StringEquals", "s3:prefix", ("${prefix}",))
IAM_ACTIONS: Final[Rights] = frozenset(
    {
        Right("s3:GetObject", "ReadPolicies", ALL, ("${bucket_arn}/${prefix}*",)),
        Right("s3:ListBucket", "ListPolicies", ALL, ("${bucket_arn}",), (_RIGHT_THERE,)),
        *with_key("s3", "Decrypt"),
    }
)

_SUFFIXES = (".yaml", ".yml")
_MOST_BYTES = 4 * 1024 * 1024  # more than a policy may have; its reader reports that


class S3Source:
    """The policies directly below `s3://bucket/prefix`; deeper objects are ignored."""

    def __init__(self, url: str, aws: Aws) -> None:
        parts = urlsplit(url)
        self.location = url
        self._bucket, self._aws = parts.netloc, aws
        prefix = parts.path.strip("/")
        self._prefix = f"{prefix}/" if prefix else ""
        self._stamps: dict[str, str] = {}
        self._fetched: dict[str, bytes] = {}

    def iam_names(self) -> Names:
        """The address of the policies."""
        return {"bucket_arn": (f"arn:${{partition}}:s3:::{self._bucket}",), "prefix": (self._prefix,)}

    def names(self) -> Sequence[str]:
        """Return the sorted names of all objects that could be policies, without the prefix.

        Raises:
            UsageError: there is no such bucket.
        """
        found = self._aws.pages(
            "s3", "list_objects_v2", "Contents", Bucket=self._bucket, Prefix=self._prefix, Delimiter="/"
        )
        try:
            tags = {str(item["Key"]).removeprefix(self._prefix): str(item.get("ETag", "")) for item in found}
        except NotFound as error:
            raise UsageError(f"there is no bucket {self._bucket}: {error.message}") from error
        self._stamps = {name: tags[name] for name in tags if name.endswith(_SUFFIXES) and not name.startswith(".")}
        return sorted(self._stamps)

    def stamp(self, name: str) -> str:
        """Return the object's ETag from the listing."""
        return self._stamps.get(name, "")

    def fetch(self, names: Sequence[str]) -> None:
        """Get these objects side by side. `read` reports those that cannot be read."""

        def get(name: str) -> None:
            with suppress(PermanentError):
                self._fetched[name] = self._get(name)

        self._aws.side_by_side([partial(get, name) for name in names])

    def read(self, name: str) -> bytes:
        """Return the content of one object.

        Raises:
            NotFound: there is no such object.
        """
        fetched = self._fetched.pop(name, None)
        return fetched if fetched is not None else self._get(name)

    def _get(self, name: str) -> bytes:
        answer = self._aws.call("s3", "get_object", Bucket=self._bucket, Key=self._prefix + name)
        with translated("s3:GetObject"):
            content: bytes = answer["Body"].read(_MOST_BYTES)
        return content
