"""What a sweep gets to know of many groups when an account does not answer, or answers only in part."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from phoenix.aws.session import Access, Aws
from phoenix.core.many.triage import UNKNOWN_SIGNS, Member, Signs
from phoenix.core.trigger import RotateWhen
from phoenix.errors import AccessDenied, Blocked, PhoenixError, Throttled, Unreachable
from phoenix.images import ssm
from phoenix.wiring.many import AwsOverview, _Place
from tests.builders import OLD_IMAGE, a_generation, a_record
from tests.engine.builders import VirtualClock

WHEN = RotateWhen(tainted=True)
RECORDS = {"web": a_record(group="web", live=a_generation(1))}


class Account(Aws):
    """Nothing is marked, tainted or moved here; `refuses` says what an operation, or all of them, raise."""

    def __init__(self, **refuses: PhoenixError) -> None:
        super().__init__(threads=1)
        self.refuses = refuses

    def call(self, service: str, method: str, **parameters: Any) -> dict[str, Any]:
        self._refuse(method)
        return {"Parameters": [{"Name": name, "Value": OLD_IMAGE} for name in parameters["Names"]]}

    def pages(self, service: str, method: str, *_: Any, **parameters: Any) -> Iterator[Any]:
        self._refuse(method)
        return iter(())

    def _refuse(self, method: str) -> None:
        if method in self.refuses or "all" in self.refuses:
            raise self.refuses.get(method) or self.refuses["all"]


def signs_of(**accounts: Account) -> dict[str, Signs]:
    image = ssm.Settings(kind="ssm", parameter="/images/web")
    places = {name: _Place(Access(region=name), account, image) for name, account in accounts.items()}
    overview = AwsOverview(VirtualClock(), places)
    return dict(overview.signs_of([Member(name, rotate_when=WHEN) for name in accounts], RECORDS))


@pytest.mark.parametrize("error", [Throttled("x"), Unreachable("x"), Blocked("wrong account")])
def test_an_account_that_does_not_answer_is_not_known_and_the_others_are(
    error: PhoenixError, caplog: pytest.LogCaptureFixture
) -> None:
    found = signs_of(api=Account(all=error), jobs=Account())

    assert found == {"api": UNKNOWN_SIGNS, "jobs": Signs(OLD_IMAGE)}
    assert [vars(each)["groups"] for each in caplog.records] == [["api"]]


@pytest.mark.parametrize(
    ("method", "sign"),
    [("describe_tags", "marked"), ("describe_instances", "tainted"), ("get_parameters", "image")],
)
def test_what_a_right_is_lacking_for_is_not_known_and_the_rest_is(method: str, sign: str) -> None:
    found = signs_of(api=Account(**{method: AccessDenied("x")}))["api"]

    known = {name: getattr(found, name) for name in ("image", "marked", "moved", "tainted")}
    assert known == {"image": OLD_IMAGE, "marked": False, "moved": False, "tainted": False} | {sign: None}
