"""Find members of AWS's answers that the installed model of its API does not know.

botocore drops every member that is newer than its model. If phoenix reads a resource in order to write it back, such a
member would be lost, and no comparison could tell: the same model parses both sides. Must never judge: the code that
writes back decides about a member that it cannot carry.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any
from xml.etree import ElementTree

from phoenix.aws.session import Aws

_LISTENERS: ContextVar[tuple[set[str], ...]] = ContextVar("unknown members", default=())
_ENTRIES = ("item", "member")
_OF_ANSWERS = ("requestId", "RequestId", "ResponseMetadata")


@contextmanager
def unknown_members(aws: Aws, service: str, method: str) -> Iterator[set[str]]:
    """Collect the members that AWS answers to `method` in the block and that the model does not know.

    Spelled as `Rules.Actions.JwtValidationConfig.NewMember`, without the numbers of list entries; complete once the
    call has returned, over all its pages. Also empty if the answers are not XML, which this module cannot read.

        with unknown_members(aws, "elbv2", "describe_rules") as unknown:
            answer = aws.call("elbv2", "describe_rules", RuleArns=arns)
    """
    client = aws.client(service)
    operation = client.meta.method_to_api_mapping[method]
    event = f"before-parse.{client.meta.service_model.service_id.hyphenize()}.{operation}"
    client.meta.events.register(event, _listen, unique_id=f"phoenix members {operation}")
    found: set[str] = set()
    token = _LISTENERS.set((*_LISTENERS.get(), found))
    try:
        yield found
    finally:
        _LISTENERS.reset(token)


def below(unknown: set[str], *places: str) -> tuple[str, ...]:
    """Return the unknown members below one of these members, in order: `below(unknown, "Rules.Actions")`."""
    return tuple(sorted(path for path in unknown if path.startswith(tuple(f"{place}." for place in places))))


def _listen(operation_model: Any, response_dict: dict[str, Any], **_: object) -> None:
    """Read an answer that botocore has not parsed yet. An error has no members."""
    listeners = _LISTENERS.get()
    if not listeners or response_dict.get("status_code", 200) >= 300:
        return
    for path in _unknown(operation_model, response_dict.get("body", b"")):
        for found in listeners:
            found.add(path)


def _unknown(operation: Any, body: Any) -> Iterator[str]:
    try:
        root = ElementTree.fromstring(body)  # noqa: S314 - AWS's own answer, which botocore parses the same way
    except ElementTree.ParseError:
        return
    wrapper = operation.output_shape.serialization.get("resultWrapper") if operation.output_shape else None
    top = next((child for child in root if _name(child) == wrapper), None) if wrapper else root
    if top is not None and operation.output_shape is not None:
        yield from _walk(operation.output_shape, top, ())


def _walk(shape: Any, element: ElementTree.Element, path: tuple[str, ...]) -> Iterator[str]:
    match shape.type_name:
        case "structure":
            yield from _walk_structure(shape, element, path)
        case "list":
            entries = [child for child in element if _name(child) in (*_ENTRIES, _xml_name(shape.member, ""))]
            for entry in entries:
                yield from _walk(shape.member, entry, path)
        case _:
            return


def _walk_structure(shape: Any, element: ElementTree.Element, path: tuple[str, ...]) -> Iterator[str]:
    known = {_xml_name(member, name): (name, member) for name, member in shape.members.items()}
    for child in element:
        tag = _name(child)
        if tag in known:
            name, member = known[tag]
            yield from _walk(member, child, (*path, name))
        elif tag not in _OF_ANSWERS:
            yield ".".join((*path, tag[:1].upper() + tag[1:]))


def _xml_name(shape: Any, name: str) -> str:
    """Return a member's spelling on the wire."""
    return str(shape.serialization.get("name", name))


def _name(element: ElementTree.Element) -> str:
    return element.tag.rpartition("}")[2]
