"""What the sandbox works out once must say the same as what botocore and moto work out each time."""

from __future__ import annotations

from typing import Any

import botocore.client
import pytest
from hypothesis import given
from hypothesis import strategies as st
from moto.core.serialize import BaseXMLSerializer, ResponseSerializer, xmltodict

from phoenix.sandbox import ManualClock, Sandbox, reuse
from phoenix.sandbox.box import new_session

QUESTIONS = (
    ("autoscaling", "describe_auto_scaling_groups"),
    ("autoscaling", "describe_policies"),
    ("autoscaling", "describe_scheduled_actions"),
    ("cloudwatch", "describe_alarms"),
    ("ec2", "describe_images"),
    ("ec2", "describe_instances"),
    ("ec2", "describe_launch_templates"),
    ("ec2", "describe_subnets"),
    ("elbv2", "describe_load_balancers"),
    ("elbv2", "describe_target_groups"),
    ("sts", "get_caller_identity"),
)

_names = st.from_regex(r"\A[A-Za-z][A-Za-z0-9:.]{0,5}\Z")
_texts = st.text(st.characters(codec="utf-8"), max_size=8)
_leaves = st.none() | st.booleans() | st.integers() | st.floats() | _texts | st.binary(max_size=4)
_attributes = st.dictionaries(_names.map("@{}".format), _texts, max_size=2)


def _structures(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    members = st.dictionaries(_names, inner | st.lists(inner, max_size=3), max_size=4)
    return st.tuples(_attributes, members).map(lambda both: both[0] | both[1])


_bodies = st.dictionaries(_names, st.recursive(_leaves, _structures, max_leaves=12), min_size=1, max_size=1)


def written(body: Any, *, again: bool = False) -> str:
    """The body as moto's serializer writes it; `again` as with what is worked out once."""
    serializer: Any = BaseXMLSerializer.__new__(BaseXMLSerializer)
    serializer.pretty_print = False
    if not again:
        return str(serializer._serialize_body(body))
    with reuse.apply():
        return str(serializer._serialize_body(body))


@given(_bodies)
def test_a_body_is_written_as_xmltodict_writes_it(body: Any) -> None:
    assert written(body, again=True) == written(body)


@pytest.mark.parametrize(
    "body",
    [
        {"A": {"#text": "said", "@by": "ann"}},
        {"A": {"@xmlns": {"": "http://a", "b": "http://b"}, "C": "d"}},
        {"A": {"#comment": "said", "B": "c"}},
        {"A": ("b", "c")},
        {"A": {"@by": "<\"&'>", "B": "<&>\"'\r\n"}},
        {"A": {"@by": None}},
        {"A": [[], {}, None, ""]},
    ],
    ids=str,
)
def test_what_is_unusual_in_a_body_is_written_alike_too(body: Any) -> None:
    assert (
        written(body, again=True)
        == written(body)
        == xmltodict.unparse(body, full_document=False, short_empty_elements=True)
    )


@pytest.mark.parametrize("name", ["a b", "a/b", "a<b", "a=b"])
def test_a_name_that_would_break_the_body_is_refused_alike(name: str) -> None:
    for again in (False, True):
        with pytest.raises(ValueError, match="Invalid element name"):
            written({"A": {name: "c"}}, again=again)


@pytest.mark.parametrize("group", ["web", "internal", "workers", "elastic", "single"])
def test_every_question_is_answered_as_without_reuse(group: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with Sandbox(clock=ManualClock(), seed_group=False) as box:
        box.seed(group)
        with_reuse = [asked(box, *question) for question in QUESTIONS]
        monkeypatch.setattr(ResponseSerializer, "get_value", reuse._picking)
        monkeypatch.setattr(BaseXMLSerializer, "_serialize_body", reuse._xml_body)
        assert [asked(box, *question) for question in QUESTIONS] == with_reuse


def asked(box: Sandbox, service: str, method: str) -> Any:
    session: Any = box.session
    answer = getattr(session.client(service), method)()
    del answer["ResponseMetadata"]
    return answer


def test_clients_share_their_methods_but_not_what_listeners_add_to_them() -> None:
    def add(class_attributes: dict[str, Any], **_: Any) -> None:
        class_attributes["added"] = True

    with reuse.apply():
        first: Any = new_session()
        first.events.register("creating-client-class.sts", add)
        one: Any = first.client("sts")
        other: Any = new_session().client("sts")
    assert one.added
    assert not hasattr(other, "added")
    assert type(one).get_caller_identity is type(other).get_caller_identity
    assert one.meta.service_model is other.meta.service_model


def test_nothing_is_changed_once_the_sandbox_is_closed() -> None:
    creator: Any = botocore.client.ClientCreator
    before = creator._create_methods, creator._load_service_model, ResponseSerializer.get_value
    with Sandbox(clock=ManualClock(), seed_group=False):
        assert creator._create_methods is not before[0]
    assert (creator._create_methods, creator._load_service_model, ResponseSerializer.get_value) == before
