"""Everything that is changed inside moto while a sandbox is open, and put back when it closes.

Few and small on purpose: `tests/sandbox/test_fidelity.py` fails when moto's version or one of these places changes.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from contextlib import ExitStack
from datetime import datetime
from typing import Any

import moto.core.utils
from moto.core.errors import COMMON_ERROR_CODES
from moto.core.responses import BaseResponse
from moto.ec2.models.core import TaggedEC2Resource
from moto.ec2.utils import EC2_PREFIX_TO_RESOURCE, get_prefix

MOTO_SERIES = "5.2."
"""The releases that this was made for."""
UNLISTED = (
    "AccessDenied",
    "ServiceUnavailable",
    "Throttling",
    "ThrottlingException",
    "TooManyTargetGroups",
    "UnsupportedOperation",
)
"""Errors of real services that their models do not list; moto would warn about each."""
Dispatch = Callable[..., Any]
_utcnow = moto.core.utils.utcnow


def apply(dispatch: Dispatch, now: Callable[[], datetime]) -> ExitStack:
    """Mend moto; closing the result undoes it."""

    def dispatched(response: BaseResponse, *args: Any, **kwargs: Any) -> Any:
        return dispatch(response, *args, **kwargs)

    undo = ExitStack()
    replace(undo, BaseResponse, "_dispatch", dispatched)
    replace(undo, TaggedEC2Resource, "get_tags", _tags_of_one)
    COMMON_ERROR_CODES.extend(UNLISTED)
    undo.callback(lambda: [COMMON_ERROR_CODES.remove(code) for code in UNLISTED])
    _redirect_time(_utcnow, now)
    undo.callback(lambda: _redirect_time(now, _utcnow))
    return undo


def replace(undo: ExitStack, owner: Any, name: str, new: Callable[..., Any]) -> None:
    """Put something in the place of an attribute, until the stack is closed."""
    old = getattr(owner, name)
    setattr(owner, name, new)
    undo.callback(setattr, owner, name, old)


def _redirect_time(old: Callable[[], datetime], new: Callable[[], datetime]) -> None:
    """Every moto module has imported the function by name, and those loaded later take it from `moto.core.utils`."""
    for name, module in list(sys.modules.items()):
        if name.startswith("moto.") and getattr(module, "utcnow", None) is old:
            module.utcnow = new  # type: ignore[attr-defined]


def _tags_of_one(resource: Any) -> list[dict[str, str]]:
    """moto searches the tags of all resources for those of one: minutes for a big fleet."""
    kind = EC2_PREFIX_TO_RESOURCE.get(get_prefix(resource.id), "") if resource.id else ""
    return [
        {"resource_id": resource.id, "resource_type": kind, "key": key, "value": value}
        for key, value in resource.ec2_backend.tags.get(resource.id, {}).items()
    ]
