"""The kind of load balancer of a group without policy: by the routes in its record, else by its target groups."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from phoenix.routers.alb import AlbRouter
from phoenix.routers.nlb import NlbRouter
from tests.stores.builders import a_record
from tests.test_wiring import SLOTS, TaggedAws, wire

RULE = "arn:aws:elasticloadbalancing:eu-west-1:123456789012:listener-rule/app/web/50dc/f2f7/9683"
LISTENER = "arn:aws:elasticloadbalancing:eu-west-1:123456789012:listener/net/edge/50dc/f2f7"


@pytest.fixture(autouse=True)
def _a_place_of_its_own(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in [name for name in os.environ if name.startswith(("PHOENIX_", "AWS_"))]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.chdir(tmp_path)


class Balanced(TaggedAws):
    """Its target groups have a protocol."""

    protocol = "HTTP"

    def pages(self, service: str, method: str, items: str, **parameters: Any) -> Iterator[dict[str, Any]]:
        found = super().pages(service, method, items, **parameters)
        arns = parameters.get("TargetGroupArns", ())
        return iter([{"TargetGroupArn": arn, "Protocol": self.protocol} for arn in arns]) if arns else found


@pytest.mark.parametrize(("route", "router"), [(RULE, AlbRouter), (LISTENER, NlbRouter)])
def test_a_record_tells_it_by_its_routes(route: str, router: type[object]) -> None:
    wire().store().save(a_record(slots=SLOTS, routes={route: ":443"}, region="eu-west-1"))

    assert type(wire().group_for_rollback("web").router) is router


@pytest.mark.parametrize(
    ("protocol", "router"), [("HTTPS", AlbRouter), ("TCP", NlbRouter), ("TLS", NlbRouter), ("TCP_UDP", NlbRouter)]
)
def test_tags_alone_tell_it_by_the_protocol_of_the_target_groups(protocol: str, router: type[object]) -> None:
    Path("bad.db").write_text("no database" * 100)
    aws = Balanced("a-green", "b-blue", target_groups=("arn:tg",))
    aws.protocol = protocol

    group = wire(aws=aws, store="sqlite:///bad.db").group_for_rollback("web")

    assert type(group.router) is router
