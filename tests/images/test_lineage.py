"""The layers below an image, as EC2 tells them."""

from __future__ import annotations

from phoenix.core.layers import Chain
from phoenix.images import describe, lineage
from tests.account import Account


def bake(account: Account, name: str, parent: str = "", **tags: str) -> str:
    account.clock.advance(60)
    return account.sandbox.bake_image(name, tags={**({"parent": parent} if parent else {}), **tags})


def layers_of(account: Account, image: str) -> Chain:
    first = describe.read_image(account.aws, image)
    account.aws.actions.clear()
    account.allowed |= {"ec2:DescribeImages", "sts:GetCallerIdentity"}
    return lineage.read_layers(account.aws, first)


def test_one_call_reads_the_chain_where_the_image_names_its_ancestors(account: Account) -> None:
    base = bake(account, "os-1")
    runtime = bake(account, "jvm-1", base)
    app = bake(account, "shop-1", runtime, ancestors=f"{runtime} {base}")

    chain = layers_of(account, app)

    assert [layer.name for layer in chain.layers] == ["shop-1", "jvm-1", "os-1"]
    assert len(account.aws.actions) == 1


def test_without_that_tag_each_layer_costs_a_call(account: Account) -> None:
    base = bake(account, "os-1")
    app = bake(account, "shop-1", bake(account, "jvm-1", base))

    assert [layer.name for layer in layers_of(account, app).layers] == ["shop-1", "jvm-1", "os-1"]
    assert len(account.aws.actions) == 2


def test_a_parent_that_is_gone_does_not_hide_what_is_above_it(account: Account) -> None:
    app = bake(account, "shop-1", "ami-0123456789abcdef0")

    chain = layers_of(account, app)

    assert [layer.image is not None for layer in chain.layers] == [True, False]
    assert "is gone" in str(chain.flaw)


def test_what_packer_searched_by_tells_whether_a_newer_base_exists(account: Account) -> None:
    base = bake(account, "os-1")
    app = bake(account, "shop-1", base, parent_owner="self", parent_filter="os-*")
    newer = bake(account, "os-2")

    (_, below) = layers_of(account, app).layers

    assert (below.newer.id if below.newer else None, below.is_comparable) == (newer, True)


def test_a_filter_with_a_strange_owner_is_not_asked_with(account: Account) -> None:
    base = bake(account, "os-1")
    app = bake(account, "shop-1", base, parent_owner="anybody", parent_filter="*")

    assert not layers_of(account, app).layers[1].is_comparable
