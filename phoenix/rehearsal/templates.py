"""Launch template versions: AWS's own, and those that the rehearsal has made on top of them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from typing import Any

from phoenix.aws.session import Aws
from phoenix.ports import Clock

_METHOD, _ITEMS = "describe_launch_template_versions", "LaunchTemplateVersions"

Item = Mapping[str, Any]


class Templates:
    """Reads go to AWS unless they are about a version that was made here."""

    def __init__(self, aws: Aws, clock: Clock) -> None:
        self._aws = aws
        self._clock = clock
        self._made: dict[str, list[Item]] = defaultdict(list)

    def describe(self, parameters: Mapping[str, Any]) -> dict[str, Any]:
        """The versions asked for: by number or alias, in a range, or all."""
        made = self._made[parameters["LaunchTemplateId"]]
        wanted = [str(each) for each in parameters.get("Versions", ())]
        if made and wanted == ["$Latest"]:
            return {_ITEMS: made[-1:]}
        ours = [item for item in made if _is_in(item, parameters, wanted)]
        asks_ours_alone = wanted and len(ours) == len(wanted)
        theirs = [] if asks_ours_alone else list(self._aws.pages("ec2", _METHOD, _ITEMS, **parameters))
        return {_ITEMS: [*theirs, *ours]}

    def create(self, parameters: Mapping[str, Any]) -> dict[str, Any]:
        """One more version: the source's content with the sent parts. The same token makes no second one."""
        template, token = parameters["LaunchTemplateId"], parameters.get("ClientToken")
        known = next((item for item in self._made[template] if token and item["ClientToken"] == token), None)
        made = known or self._new(template, parameters)
        return {"LaunchTemplateVersion": made}

    def image_of(self, template: str, version: str) -> str:
        """The image that a version launches."""
        asked = {"LaunchTemplateId": template, "Versions": [version]}
        found = self.describe(asked)[_ITEMS]
        return str(found[0]["LaunchTemplateData"].get("ImageId", "")) if found else ""

    def _new(self, template: str, parameters: Mapping[str, Any]) -> Item:
        source = self._one(template, str(parameters["SourceVersion"]))
        item = {
            "LaunchTemplateId": template,
            "VersionNumber": int(self._one(template, "$Latest")["VersionNumber"]) + 1,
            "VersionDescription": parameters.get("VersionDescription", ""),
            "CreateTime": self._clock.now(),
            "LaunchTemplateData": dict(source["LaunchTemplateData"]) | dict(parameters["LaunchTemplateData"]),
            "ClientToken": parameters.get("ClientToken"),
        }
        self._made[template].append(item)
        return item

    def _one(self, template: str, version: str) -> Item:
        found: Iterator[Item] = iter(self.describe({"LaunchTemplateId": template, "Versions": [version]})[_ITEMS])
        return next(found)


def _is_in(item: Item, parameters: Mapping[str, Any], wanted: list[str]) -> bool:
    number = int(item["VersionNumber"])
    if wanted:
        return str(number) in wanted
    return int(parameters.get("MinVersion", 0)) <= number <= int(parameters.get("MaxVersion", number))
