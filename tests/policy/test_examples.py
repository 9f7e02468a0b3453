"""The policies that are shipped, the schema that editors use, and what `show` writes."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import jsonschema  # type: ignore[import-untyped, unused-ignore]
import pytest
import yaml

from phoenix.policy.loader import load_directory
from phoenix.policy.model import Policy
from phoenix.policy.schema import editor_hint, policy_schema, schema_text
from phoenix.policy.show import show
from phoenix.policy.terms import terms_of
from tests.policy.builders import a_canary, a_policy, the_policy

ROOT = Path(__file__).parents[2]
EXAMPLES = sorted((ROOT / "policies").glob("*.yaml"))


def schema_errors(text: str) -> list[str]:
    """What an editor would underline."""
    validator = jsonschema.Draft202012Validator(policy_schema())
    return [error.message for error in validator.iter_errors(_as_an_editor_reads(text))]


def _as_an_editor_reads(text: str) -> Any:
    """YAML without dates: JSON Schema knows none."""

    class Loader(yaml.SafeLoader):
        pass

    Loader.yaml_implicit_resolvers = {
        first: [(tag, pattern) for tag, pattern in resolvers if not tag.endswith("timestamp")]
        for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
    }
    return yaml.load(text, Loader=Loader)


def test_every_example_is_valid_and_every_strategy_has_one() -> None:
    library = load_directory(ROOT / "policies")

    assert not library.all_problems
    assert {loaded.policy.strategy.kind for loaded in library.policies.values()} == {"blue_green", "canary", "rolling"}
    pairs, plain = {"web", "internal", "workers", "elastic", "single", "edge"}, {"api", "tcp", "legacy", "batch"}
    assert set(library.groups) == pairs | plain


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.name)
def test_an_example_tells_editors_its_schema_and_satisfies_it(path: Path) -> None:
    text = path.read_text(encoding="utf-8")

    assert text.startswith(editor_hint("../docs/policy.schema.json"))
    assert not schema_errors(text)


def test_the_schema_in_docs_is_current() -> None:
    written = (ROOT / "docs" / "policy.schema.json").read_text(encoding="utf-8")

    assert written == schema_text(), "phoenix policy schema > docs/policy.schema.json"


def test_the_schema_is_one() -> None:
    jsonschema.Draft202012Validator.check_schema(policy_schema())


SHORT = {
    "none": a_policy(traffic="none"),
    "word": a_policy(strategy="rolling", gates="[target_health]", notify="[log]"),
    "default kind": a_policy(strategy="{bake: until_promoted}"),
    "one status": a_policy(gates="[{kind: http, path: /, expect: 204}]"),
    "freeze": a_policy(freezes="[{from: 2026-12-20, until: 2027-01-03}]"),
    "canary": a_canary("[{weight: 5, bake: 10m}]"),
}


@pytest.mark.parametrize("text", SHORT.values(), ids=SHORT)
def test_the_schema_accepts_what_the_loader_accepts(tmp_path: Path, text: str) -> None:
    assert the_policy(tmp_path, text).group == "web"
    assert not schema_errors(text)


@pytest.mark.parametrize("key", ["group", "fleet", "traffic", "image"])
def test_the_schema_requires_what_the_loader_requires(key: str) -> None:
    assert schema_errors(a_policy(**{key: None})) == [f"'{key}' is a required property"]


@pytest.mark.parametrize("keys", [{"strategy": "{bake: 10}"}, {"account": "123456789012"}, {"grop": "x"}])
def test_the_schema_knows_the_usual_traps(keys: dict[str, str]) -> None:
    assert schema_errors(a_policy(**keys))


def test_everything_in_the_schema_is_described() -> None:
    schema = policy_schema()
    owners = [("policy", schema), *schema["$defs"].items()]

    silent = [
        f"{name}.{key}"
        for name, owner in owners
        for key, value in owner.get("properties", {}).items()
        if key != "kind" and not {"description", "$ref"} & set(value)
    ]

    assert not silent


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.name)
def test_what_is_shown_loads_back_to_the_same_policy(tmp_path: Path, path: Path) -> None:
    policy = the_policy(tmp_path, path.read_text(encoding="utf-8").replace(f"group: {path.stem}", "group: web"))

    again = the_policy(tmp_path, show(policy))

    assert again == policy
    assert terms_of(again) == terms_of(policy)


AWKWARD = {
    "waits": a_canary("[{weight: 5, bake: until_promoted}]", bake="until_promoted"),
    "freeze": a_policy(freezes="[{from: 2026-12-20, until: 2027-01-03, reason: 'yes'}]"),
    "account": a_policy(account='"012345678901"'),
    "tags": a_policy(image='{kind: search, owners: ["123456789012"], tags: {release: "1.10", note: "a: b"}}'),
    "statuses": a_policy(gates="[{kind: http, path: /, expect: [200, 204]}]"),
}


@pytest.mark.parametrize("text", AWKWARD.values(), ids=AWKWARD)
def test_awkward_values_survive_being_shown(tmp_path: Path, text: str) -> None:
    policy = the_policy(tmp_path, text)

    assert the_policy(tmp_path, show(policy)) == policy


def test_show_leaves_out_only_keys_without_a_default(tmp_path: Path) -> None:
    shown = yaml.safe_load(show(the_policy(tmp_path, a_policy())))

    without = {"description", "account", "region", "role_arn", "external_id", "owner", "runbook", "drill"}
    assert set(Policy.model_fields) - set(shown) == without


def test_policies_are_read_without_loading_the_sdk_of_aws() -> None:
    code = "import sys, phoenix.policy.loader, phoenix.policy.schema; print({'boto3', 'botocore'} & set(sys.modules))"

    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT)

    assert found.stdout.strip() == "set()"


def test_the_reference_names_every_key() -> None:
    page = (ROOT / "docs" / "policy.md").read_text(encoding="utf-8")
    schema = policy_schema()

    keys = {key for owner in (schema, *schema["$defs"].values()) for key in owner.get("properties", {})}

    assert not [
        key for key in sorted(keys) if f"{key}`" not in page and f"`{key}" not in page and f"{key}:" not in page
    ]


@pytest.mark.parametrize("number", range(2))
def test_the_policies_in_the_reference_load(tmp_path: Path, number: int) -> None:
    page = (ROOT / "docs" / "policy.md").read_text(encoding="utf-8")
    blocks = re.findall(r"```yaml\n(.*?)```", page, re.DOTALL)
    keys = [blocks[1], a_policy() + blocks[2]]

    assert the_policy(tmp_path, keys[number]).group == "web"
