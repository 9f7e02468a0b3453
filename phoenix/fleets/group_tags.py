"""Writing tags on Auto Scaling groups, in as few calls as AWS allows. Never propagated to instances."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from phoenix.aws.session import Aws

_TAGS_PER_CALL: Final = 25


def change_tags(aws: Aws, method: str, tags: Iterable[tuple[str, str, str | None]]) -> None:
    """Set or delete tags by that method, each given with the name of its group, its key and its value."""
    entries = [
        {
            "ResourceId": name,
            "ResourceType": "auto-scaling-group",
            "Key": key,
            **({} if value is None else {"Value": value}),
            "PropagateAtLaunch": False,
        }
        for name, key, value in tags
    ]
    for start in range(0, len(entries), _TAGS_PER_CALL):
        aws.call("autoscaling", method, Tags=entries[start : start + _TAGS_PER_CALL])
