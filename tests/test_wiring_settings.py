"""Settings in a program: which store is believed where a file that may name one is doubtful, and who says so."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from phoenix.errors import InvalidPolicy, UsageError
from phoenix.settings import read_settings
from phoenix.wiring import Overrides, Wiring
from tests.account import Account, account, open_account
from tests.test_wiring import TaggedAws, a_pinned_record, a_policy, wire

__all__ = ["account", "open_account"]


@pytest.fixture(autouse=True)
def _a_place_of_its_own(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in [name for name in os.environ if name.startswith(("PHOENIX_", "AWS_", "OTEL_"))]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.chdir(tmp_path)


def test_a_rollback_is_wired_from_the_record_in_the_store_that_the_common_file_names() -> None:
    files = {"web.yaml": a_policy(), "phoenix.yaml": "store: sqlite:///common.db\nmax_age: 7d\n"}
    saved = a_pinned_record(files)

    wiring = wire()
    group = wiring.group_from_record("web")

    assert group is not None
    assert group.store.load("web") == saved
    assert wiring._library is None


@pytest.mark.parametrize(
    "broken", ["store: [\n", "sotre: sqlite:///common.db\n", "store: sqlite:///common.db\nstore: sqlite:///b.db\n"]
)
def test_a_rollback_goes_by_no_record_where_the_common_file_may_name_another_store(broken: str) -> None:
    a_pinned_record({"web.yaml": a_policy()})

    wiring = wire({"phoenix.yaml": broken}, TaggedAws("x", "y"))

    assert wiring.group_from_record("web") is None
    assert wiring.group_for_rollback("web").store.location == "none"


def test_a_mistake_in_the_common_file_that_is_not_about_the_store_leaves_a_rollback_its_record() -> None:
    files = {"web.yaml": a_policy(), "phoenix.yaml": "store: sqlite:///common.db\n"}
    a_pinned_record(files)

    group = wire({"phoenix.yaml": "store: sqlite:///common.db\nfreezes: tomorrow\n"}).group_from_record("web")

    assert group is not None
    assert group.store.location.endswith("common.db")


def test_where_the_env_file_cannot_be_understood_only_a_rollback_goes_on_and_believes_no_store() -> None:
    a_pinned_record({"web.yaml": a_policy()})
    Path(".env").write_text("PHOENIX_STORE dynamodb://phoenix\n")

    wiring = wire(aws=TaggedAws("x", "y"))

    with pytest.raises(UsageError, match=r"^\.env:1: .*; it may name the store$"):
        wiring.group("web")
    assert wiring.group_from_record("web") is None
    assert wiring.group_for_rollback("web").store.location == "none"
    assert wire(store="sqlite:///given.db").group("web").store.location.endswith("given.db")


def test_what_is_no_store_is_said_with_the_place_that_names_it(monkeypatch: pytest.MonkeyPatch) -> None:
    Path(".env").write_text("# ours\nPHOENIX_STORE=nonsense\n")

    with pytest.raises(UsageError, match=r"^\.env:2: PHOENIX_STORE: 'nonsense' is not the URL of a store"):
        wire().store()
    monkeypatch.setenv("PHOENIX_STORE", "wrong")
    with pytest.raises(UsageError, match="^PHOENIX_STORE: 'wrong' is not the URL of a store"):
        wire().store()
    with pytest.raises(UsageError, match="^--store: 'worse' is not the URL of a store"):
        wire(store="worse").store()


def test_a_misspelt_setting_is_pointed_out_by_every_command_without_its_value() -> None:
    Path(".env").write_text("PHOENIX_STOER=sqlite:///hunter2.db\n")

    said = subprocess.run(
        [sys.executable, "-m", "phoenix", "status"],
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parent.parent), "PHOENIX_LEASE": "30"},
        capture_output=True,
        text=True,
        check=False,
    )

    assert 'WARNING setting.misspelt where=".env:1: PHOENIX_STOER"' in said.stderr
    assert "did you mean PHOENIX_STORE?" in said.stderr
    assert "did you mean PHOENIX_LEASE_SECONDS?" in said.stderr
    assert "hunter2" not in said.stderr + said.stdout


GIVEN = {"lease_seconds": "45"}


def in_s3(account: Account, common: str) -> Wiring:
    s3 = account.client("s3")
    s3.create_bucket(Bucket="policies", CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
    for name, text in {"web.yaml": a_policy(), "phoenix.yaml": common}.items():
        s3.put_object(Bucket="policies", Key=f"live/{name}", Body=text.encode())
    settings = read_settings(policies="s3://policies/live", **GIVEN)
    return Wiring(settings, Overrides(aws=account.aws))


def test_a_common_file_in_s3_is_a_source_like_any_other(account: Account) -> None:
    wiring = in_s3(account, "store: sqlite:///common.db\npoll_seconds: 2\nlease_seconds: 30\n")

    group = wiring.group("web")

    assert group.store.location.endswith("common.db")
    assert (group.poll_seconds, group.lease_seconds) == (2.0, 45)


def test_a_rollback_knows_nothing_of_a_common_file_in_s3_before_it_has_read_it(account: Account) -> None:
    wiring = in_s3(account, "store: sqlite:///common.db\n")

    assert wiring.group_from_record("web") is None
    assert wiring.group_for_rollback("web").store.location.endswith("common.db")


def test_a_broken_common_file_in_s3_leaves_the_store_unknown(
    account: Account, caplog: pytest.LogCaptureFixture
) -> None:
    wiring = in_s3(account, "store: [\n")

    with pytest.raises(InvalidPolicy):
        wiring.group_for_rollback("web")
    (left_out,) = (each for each in caplog.records if each.message == "store.left_out")
    assert "s3://policies/live/phoenix.yaml:2:1: not YAML" in str(vars(left_out))
