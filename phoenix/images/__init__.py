"""Image sources: they choose the next image.

How to add one: a module with `class Settings(Kind)` for its keys in the policy and a class that satisfies
`phoenix.ports.ImageSource`, is made from `(settings, scope)`, lists the rights it needs in `IAM_ACTIONS`, and fills the
fields of their ARNs from its keys in `iam_names`; an import and a line in `KINDS` below. Then: `phoenix policy schema >
docs/policy.schema.json` and `make iam`; the keys that it requires, and its image, in
`tests/contract/test_images_contract.py`, whose tests then hold for it too; a policy with it in `tests/iam/runs.py`,
since every right that is granted has to be used there; its own tests in `tests/images`; its row in `docs/policy.md`; a
line in CHANGELOG.md. A sweep asks many sources in one call where `together.py` knows how; it looks at every group of
another kind by itself.
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
