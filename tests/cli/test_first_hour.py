"""docs/first-hour.md: its commands run on the sandbox, as printed and in their order.

Blocks of `sh` are run: `phoenix` as typed, `aws` through botocore. In blocks of `console` are commands that the sandbox
does not answer; their operations and options are held against botocore's models.
"""

from __future__ import annotations

import re
import shlex
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import jmespath  # type: ignore[import-untyped]
import pytest
from botocore.exceptions import ClientError

from tests.cli.conftest import Terminal
from tests.remedies import parameters_of

PAGE = Path(__file__).parents[2] / "docs" / "first-hour.md"
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
ASSIGNED = re.compile(r"([A-Z_]+)=(.*)")
REFUSABLE = "# may be refused"


def commands(kind: str) -> list[str]:
    """One command each, in the order of the page."""
    blocks = [text for found, text in BLOCK.findall(PAGE.read_text(encoding="utf-8")) if found == kind]
    return [line for text in blocks for line in text.replace("\\\n", " ").splitlines() if line.strip()]


@dataclass
class Shell:
    """As much of a shell as the page uses: variables, `$(…)`, `>`, `file://` and comments."""

    phoenix: Terminal
    names: dict[str, str]
    given: frozenset[str] = field(init=False)
    answers: list[Any] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.given = frozenset(self.names)

    def run(self, line: str) -> None:
        assigned = ASSIGNED.fullmatch(line)
        if assigned is None:
            self._call(line)
        elif assigned[2].startswith("$("):
            self.names[assigned[1]] = self._call(assigned[2][2:-1])
        else:  # for the reader to fill in
            assert assigned[1] in self.given, line

    def _call(self, line: str) -> str:
        known = re.sub(r"\$([A-Z_]+)", lambda found: self.names[found[1]], line)
        words = shlex.split(known, comments=True)
        if words[0] == "phoenix":
            return self._phoenix(words[1:])
        return self._aws(words[1:], may_be_refused=line.endswith(REFUSABLE))

    def _phoenix(self, words: list[str]) -> str:
        file = self.phoenix.folder / words[-1] if ">" in words else None
        answer = self.phoenix.type([*(words[:-2] if file else words)])
        if file is not None:
            file.write_text(answer.out)
        self.answers.append(answer)
        return ""

    def _aws(self, words: list[str], *, may_be_refused: bool) -> str:
        service, operation, *rest = words
        query = rest[rest.index("--query") + 1] if "--query" in rest else None
        rest = rest[: rest.index("--query")] if query else rest
        session: Any = self.phoenix.sandbox.session
        client = session.client(service)
        try:
            given = parameters_of(client, operation, [self._read(word) for word in rest])
            answer = getattr(client, operation.replace("-", "_"))(**given)
        except ClientError:
            if not may_be_refused:
                raise
            return ""
        return str(jmespath.search(query, answer)) if query else ""

    def _read(self, word: str) -> str:
        name = word.removeprefix("file://")
        return (self.phoenix.folder / name).read_text() if name != word else word


@pytest.fixture
def shell(phoenix: Terminal) -> Shell:
    """A person with an account in which there are the fleet `web` and the role that phoenix has."""
    session: Any = phoenix.sandbox.session
    ec2 = session.client("ec2")
    version = ec2.describe_launch_template_versions(LaunchTemplateName="web", Versions=["1"])["LaunchTemplateVersions"]
    subnets = ec2.describe_subnets()["Subnets"]
    zones = {subnet["AvailabilityZone"]: subnet["SubnetId"] for subnet in subnets}
    first, second, *_ = zones.values()
    session.client("iam").create_role(RoleName="phoenix-rotate", AssumeRolePolicyDocument="{}")
    names = {
        "IMAGE": version[0]["LaunchTemplateData"]["ImageId"],
        "SUBNETS": f"{first},{second}",
        "SUBNET_A": first,
        "SUBNET_B": second,
        "VPC": subnets[0]["VpcId"],
        "ROLE": "phoenix-rotate",
    }
    return Shell(phoenix, names)


def test_the_page_runs_from_its_first_command_to_its_last_and_leaves_nothing(shell: Shell) -> None:
    for line in commands("sh"):
        shell.run(line)
        shell.phoenix.clock.advance(600)

    ended = [(answer.status, answer.out + answer.err) for answer in shell.answers]
    assert len(ended) >= 6
    assert [told for status, told in ended if status not in (0, 1) or "checks failed" in told] == []
    session: Any = shell.phoenix.sandbox.session
    groups = session.client("autoscaling").describe_auto_scaling_groups()["AutoScalingGroups"]
    templates = session.client("ec2").describe_launch_templates()["LaunchTemplates"]
    assert "web-probe" not in {group["AutoScalingGroupName"] for group in groups}
    assert "web-probe" not in {template["LaunchTemplateName"] for template in templates}
    assert session.client("iam").list_role_policies(RoleName="phoenix-rotate")["PolicyNames"] == []


@pytest.mark.parametrize("line", commands("console"))
def test_what_the_sandbox_does_not_answer_is_spelt_as_aws_spells_it(phoenix: Terminal, line: str) -> None:
    program, service, operation, *rest = shlex.split(line)
    session: Any = phoenix.sandbox.session

    assert program == "aws"
    assert parameters_of(session.client(service), operation, rest)


def test_everything_that_the_page_promises_of_the_probe_is_what_the_probe_says() -> None:
    page = " ".join(PAGE.read_text(encoding="utf-8").split())
    sources = [
        (PAGE.parents[1] / "phoenix" / name).read_text() for name in ("views/probe.py", "fleets/probe_target.py")
    ]
    said = " ".join(re.sub(r'"\s+f?"', "", " ".join(sources)).split())

    for words in (
        "may stay",
        "would stop each rotation half-way",
        "would hold a rotation for",
        "was not accepted within",
    ):
        assert words.removeprefix("was ") in page
        assert words in said
