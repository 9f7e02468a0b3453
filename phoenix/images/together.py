"""Choose the images of many sources in few calls: sources that share owners are searched together.

Must never choose an image that the source alone would not choose: the judgement is the same, only the call is shared.
Sources that cannot be asked together are left out: a launch template's image is in the template, a signed statement
beside the image.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from functools import partial
from itertools import islice
from typing import Any, Final

from phoenix.aws.rights import Rights
from phoenix.aws.session import Aws
from phoenix.core.image import Image, Wanted, choose
from phoenix.images import describe, search, ssm
from phoenix.keys import Kind

IAM_ACTIONS: Final[Rights] = describe.IAM_ACTIONS | ssm.SsmImages.IAM_ACTIONS

_FILTER_VALUES: Final = 200  # the most values that one filter takes
_PARAMETERS: Final = 10
_LITERAL = re.compile(r"[^*?\\]*")


def chosen_images(aws: Aws, sources: Mapping[str, Kind], at: datetime) -> Mapping[str, str]:
    """Return the id of the image that each source chooses now, by the caller's name for the source. A source that
    chooses none, or that cannot be asked this way, is left out. Equal sources are asked once."""
    same: defaultdict[str, list[str]] = defaultdict(list)
    for name, settings in sources.items():
        same[settings.model_dump_json()].append(name)
    first = {question: sources[names[0]] for question, names in same.items()}
    found = {**_searched(aws, first, at), **_held_by_parameters(aws, first)}
    return {name: found[question] for question, names in same.items() if question in found for name in names}


def _searched(aws: Aws, sources: Mapping[str, Kind], at: datetime) -> dict[str, str]:
    by_owners: defaultdict[tuple[str, ...], dict[str, search.Settings]] = defaultdict(dict)
    for question, settings in sources.items():
        if isinstance(settings, search.Settings) and settings.signed_by is None:
            by_owners[tuple(sorted(settings.owners))][question] = settings
    found: dict[str, str] = {}
    for owners, wanted in by_owners.items():
        images = _Shelf(_images_of(aws, owners, wanted.values()))
        ids = describe.account_ids(aws, owners, images.all)
        for question, settings in wanted.items():
            facts = Wanted(
                ids, settings.architecture, settings.name, settings.tags, settings.min_age, settings.require_provenance
            )
            best = next(iter(choose(images.named(settings.name), facts, at)), None)
            if best is not None and best.rejected is None:
                found[question] = best.image.id
    return found


def _images_of(aws: Aws, owners: Sequence[str], wanted: Iterable[search.Settings]) -> list[Image]:
    """Return all images of these owners that any source may want. A source without a name costs a call of its own."""
    names = sorted({settings.name for settings in wanted if settings.name is not None})
    tags = {tuple(sorted(settings.tags.items())) for settings in wanted if settings.name is None}
    filters: list[list[dict[str, Any]]] = [
        [{"Name": "name", "Values": some}] for some in _batches(names, _FILTER_VALUES)
    ]
    filters += [[{"Name": f"tag:{key}", "Values": [value]} for key, value in sorted(wanted)] for wanted in sorted(tags)]
    answers = aws.side_by_side([partial(describe.search_by, aws, owners, some) for some in filters])
    return list({image.id: image for answer in answers for image in answer}.values())


class _Shelf:
    """Images sorted by name, so that a pattern's first letters lead to the few that may match."""

    def __init__(self, images: Sequence[Image]) -> None:
        self.all = sorted(images, key=lambda image: image.name)
        self._names = [image.name for image in self.all]

    def named(self, pattern: str | None) -> list[Image]:
        """Return the images whose name EC2 would match; all of them without a pattern."""
        if pattern is None:
            return self.all
        found = _LITERAL.match(pattern)
        prefix = found.group() if found else ""
        matches, start = _pattern(pattern), bisect_left(self._names, prefix)
        near: list[Image] = []
        for image in islice(self.all, start, None):
            if not image.name.startswith(prefix):
                break
            if matches.fullmatch(image.name):
                near.append(image)
        return near


def _pattern(pattern: str) -> re.Pattern[str]:
    """EC2's wildcards: `*` is anything, `?` one letter or none, a backslash takes the next one as it is."""
    parts = re.findall(r"\\.|[*?]|[^*?\\]+|\\$", pattern, re.DOTALL)
    special = {"*": ".*", "?": ".?"}
    return re.compile("".join(special.get(p) or re.escape(p.removeprefix("\\") or p) for p in parts), re.DOTALL)


def _held_by_parameters(aws: Aws, sources: Mapping[str, Kind]) -> dict[str, str]:
    wanted = {q: settings.parameter for q, settings in sources.items() if isinstance(settings, ssm.Settings)}
    batches = list(_batches(sorted(set(wanted.values())), _PARAMETERS))
    answers = aws.side_by_side([partial(aws.call, "ssm", "get_parameters", Names=names) for names in batches])
    values: dict[str, str] = {}
    for item in (item for answer in answers for item in answer["Parameters"]):
        for name in (item["Name"], item.get("ARN", item["Name"])):
            values[f"{name}{item.get('Selector', '')}"] = str(item["Value"]).strip()
    return {question: values[name] for question, name in wanted.items() if name in values}


def _batches(names: Sequence[str], size: int) -> Iterator[list[str]]:
    for start in range(0, len(names), size):
        yield list(names[start : start + size])
