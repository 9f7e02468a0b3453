from __future__ import annotations

import pytest

from phoenix.inventory.hcl import Block, Expression, written


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (True, "true"),
        (60.0, "60"),
        (0.5, "0.5"),
        ("a \"b\"", '"a \\"b\\""'),
        ("${path} %{if}", '"$${path} %%{if}"'),
        (["a", 1], '["a", 1]'),
        ({"a:b": "c"}, '{ "a:b" = "c" }'),
        (Expression("aws_lb.this.arn"), "aws_lb.this.arn"),
    ],
)  # fmt: skip
def test_a_value_is_never_taken_for_an_expression(value: object, text: str) -> None:
    assert written(value) == text


def test_attributes_are_aligned_and_those_without_a_value_left_out() -> None:
    inner = Block("tag", attributes={"key": "a"})

    lines = Block("resource", ("kind", "name"), {"id": 1, "longer": "x", "absent": None}, [inner]).lines()

    assert "\n".join(lines) == (
        'resource "kind" "name" {\n  id     = 1\n  longer = "x"\n\n  tag {\n    key = "a"\n  }\n}'
    )
