"""Compute once the values that botocore and moto compute anew for every client and every answer.

Must never change an answer: each of these gives what the original gives, and `tests/sandbox/test_reuse.py` holds it so.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from functools import cache
from typing import Any
from xml.sax.saxutils import escape, quoteattr

import botocore.useragent
from botocore.client import ClientCreator
from botocore.model import ServiceModel
from moto.core.serialize import (
    AttributePicker,
    AttributePickerContext,
    BaseXMLSerializer,
    ResponseSerializer,
    xmltodict,
)
from moto.core.utils import MISSING, get_value

from phoenix.sandbox.mends import replace

_creator: Any = ClientCreator
_picking: Any = ResponseSerializer.get_value
_xml_body: Any = BaseXMLSerializer._serialize_body
_load_model, _make_methods, _make_names = (
    _creator._load_service_model,
    _creator._create_methods,
    _creator._create_name_mapping,
)
_sanitized: Any = cache(botocore.useragent.sanitize_user_agent_string_component)

_models: dict[tuple[str, str | None], ServiceModel] = {}
_methods: dict[ServiceModel, Mapping[str, Any]] = {}
_names: dict[ServiceModel, Mapping[str, str]] = {}
_keys: dict[tuple[Any, ...], tuple[str, ...]] = {}


def apply() -> ExitStack:
    """Reuse from now on; closing the result ends it."""
    undo = ExitStack()
    replace(undo, ClientCreator, "_load_service_model", _service_model)
    replace(undo, ClientCreator, "_create_methods", _client_methods)
    replace(undo, ClientCreator, "_create_name_mapping", _method_names)
    replace(undo, ResponseSerializer, "get_value", _member_of)
    replace(undo, BaseXMLSerializer, "_serialize_body", _body)
    replace(undo, botocore.useragent, "sanitize_user_agent_string_component", _sanitized)
    return undo


# --- clients ----------------------------------------------------------------------------------------------------------


def _service_model(creator: Any, service: str, api_version: str | None = None) -> ServiceModel:
    if (service, api_version) not in _models:
        _models[service, api_version] = _load_model(creator, service, api_version)
    return _models[service, api_version]


def _client_methods(creator: Any, model: ServiceModel) -> dict[str, Any]:
    """A dictionary of its own for each client class: listeners add to it."""
    if model not in _methods:
        _methods[model] = _make_methods(creator, model)
    return dict(_methods[model])


def _method_names(creator: Any, model: ServiceModel) -> Mapping[str, str]:
    if model not in _names:
        _names[model] = _make_names(creator, model)
    return _names[model]


# --- what an answer's members are called in moto's models -------------------------------------------------------------


def _member_of(serializer: Any, value: Any, key: str, shape: Any) -> Any:
    picker = serializer._value_picker
    if not isinstance(picker, AttributePicker) or _may_transform(picker, key):
        return _picking(serializer, value, key, shape)
    for possible in _possible_keys(picker, value, key, shape):
        found = get_value(value, possible, MISSING)
        if found is not MISSING:
            return found
    return None


def _may_transform(picker: AttributePicker, key: str) -> bool:
    """Whether one of the picker's transformers is for a member of that name, wherever it stands."""
    return any(key.endswith(path.rpartition(".")[2]) for path in picker.response_transformers)


def _possible_keys(picker: Any, value: Any, key: str, shape: Any) -> tuple[str, ...]:
    """They follow from the class of the value, which names its aliases, and from the shape and that around it."""
    kind = type(picker), *picker.alias_providers, type(value), key, shape, getattr(shape, "parent", None)
    if kind not in _keys:
        context = AttributePickerContext(obj=value, key=key, shape=shape)
        _keys[kind] = tuple(picker.get_possible_keys(context))
    return _keys[kind]


# --- XML --------------------------------------------------------------------------------------------------------------


class _Unusual(Exception):
    """The body has something that is written here by xmltodict itself."""


def _body(serializer: Any, body: Mapping[str, Any]) -> Any:
    if serializer.pretty_print:
        return _xml_body(serializer, body)
    try:
        return "".join(part for key, value in body.items() for part in _elements(key, value))
    except _Unusual:
        return _xml_body(serializer, body)


def _elements(key: str, value: Any) -> Iterator[str]:
    _check_name(key)
    for each in value if isinstance(value, list) else (value,):
        match each:
            case None:
                yield f"<{key}/>"
            case str():
                yield f"<{key}>{escape(each)}</{key}>" if each else f"<{key}/>"
            case bool():
                yield f"<{key}>{str(each).lower()}</{key}>"
            case int() | float():
                yield f"<{key}>{each}</{key}>"
            case dict():
                yield from _structure(key, each)
            case _:
                raise _Unusual


def _structure(key: str, members: Mapping[str, Any]) -> Iterator[str]:
    attributes = ""
    children: list[str] = []
    for name, value in members.items():
        if name.startswith("@") and isinstance(value, str):
            _check_name(name[1:])
            attributes += f" {name[1:]}={quoteattr(value)}"
        elif not isinstance(value, list) or value:
            children += _elements(name, value)
    if not children:
        yield f"<{key}{attributes}/>"
        return
    yield f"<{key}{attributes}>"
    yield from children
    yield f"</{key}>"


@cache
def _check_name(name: str) -> None:
    """Names that begin so mean something to xmltodict."""
    if not isinstance(name, str) or name.startswith(("@", "#")):
        raise _Unusual
    _validate(name, "element")


_validate: Callable[[str, str], None] = xmltodict._validate_name
