"""Image sources: they choose the next image.

How to add one: a module with `class Settings(Kind)` for its keys in the policy and a class that satisfies
`phoenix.ports.ImageSource`, is made from `(settings, scope)` and lists the rights it needs in `IAM_ACTIONS`; a line in
`KINDS` below; and its name in `tests/contract`, whose tests then hold for it too. Nothing else has to change.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from phoenix.images.launch_template import LaunchTemplateImages
from phoenix.images.search import SearchImages
from phoenix.images.ssm import SsmImages

KINDS: Final[Mapping[str, type[SearchImages | SsmImages | LaunchTemplateImages]]] = {
    "search": SearchImages,
    "ssm": SsmImages,
    "launch_template": LaunchTemplateImages,
}
