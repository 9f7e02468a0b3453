"""Does each new instance answer a request, before it gets traffic, or while it bakes?

Must never call an instance that was not asked a good one.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Annotated, ClassVar, Final, Literal

from pydantic import AfterValidator, BeforeValidator, Field, ValidationInfo

from phoenix.aside import each
from phoenix.aws.instances import read_instances
from phoenix.aws.rights import FORWARD, Rights, reads
from phoenix.aws.scope import Scope
from phoenix.core.blocker import Blocker
from phoenix.core.explain import name_of
from phoenix.core.lifecycle import Lifecycle
from phoenix.core.model import Judgement, Observation, Slot, SlotState, Verdict
from phoenix.core.rotation import Rotation
from phoenix.core.serving import Serving
from phoenix.errors import Unreachable
from phoenix.gates.acceptance import first_of, in_one_line
from phoenix.gates.http_fetch import Fetch, Reply, Request, fetch
from phoenix.gates.http_post import AbsolutePath
from phoenix.gates.keys import GateKeys, Need
from phoenix.keys import Duration, Matching, Whole, render_duration, wrong
from phoenix.ports import GATE_BUDGET

LONGEST: Final = timedelta(seconds=20)
"""The time for all instances together; the rest of the budget is for reading their addresses."""
_AT_A_TIME = 32
_MOST_AT_A_TIME = 256
_ENOUGH_TO_PROVE = 10
_SINCE: Final = "since"
_MOST_SHOWN = 3
_USUAL_PORTS: Final = {"http": 80, "https": 443}

_Status = Annotated[int, Whole(100, 599)]


def _as_list(value: object) -> object:
    return value if isinstance(value, list | tuple) else (value,)


def _within_budget(timeout: timedelta, info: ValidationInfo) -> timedelta:
    """Check the time-out, except in a record (JSON): a rotation in flight may be from a version that allowed longer
    ones."""
    if info.mode == "json":
        return min(max(timeout, timedelta(seconds=1)), LONGEST)
    if not timeout:
        raise wrong("must be longer than 0s", instead="1s")
    if timeout > LONGEST:
        most, budget = render_duration(LONGEST), render_duration(GATE_BUDGET)
        reason = f"must be at most {most}: a gate has {budget} to answer, or what it judged is too old to act upon"
        raise wrong(reason, instead=most)
    return timeout


class Settings(GateKeys):
    """The keys of `{kind: http}`."""

    kind: Literal["http"] = "http"
    path: Annotated[str, Matching(r"/[!-~]*", "a path that starts with /, without spaces")] = Field(
        description="Path to ask for on every new instance."
    )
    expect: Annotated[
        tuple[_Status, ...],
        Field(min_length=1),
        BeforeValidator(_as_list, json_schema_input_type=_Status | tuple[_Status, ...]),
    ] = Field(default=(200,), description="The status, or list of statuses, that counts as a good answer.")
    port: Annotated[int, Whole(1, 65_535)] | None = Field(
        default=None, description="Port to ask; default: the one that the instance is registered with."
    )
    scheme: Literal["http", "https"] = Field(
        default="http", description="https does not check the certificate without ca_file: it names a host."
    )
    host: Annotated[str, Matching(r"[A-Za-z0-9][A-Za-z0-9.-]{0,252}(:[0-9]{1,5})?", "the name of a host")] | None = (
        Field(default=None, description="Host to ask for; with ca_file the certificate has to name it.")
    )
    ca_file: AbsolutePath | None = Field(
        default=None, description="File with the certificates that may have signed the instance's own."
    )
    contains: Annotated[str, Field(min_length=1, max_length=1000)] | None = Field(
        default=None, description="Text that a good answer's body has in its first 256 kB."
    )
    headers: Mapping[Annotated[str, Matching(r"[A-Za-z0-9-]+", "the name of a header")], str] = Field(
        default={}, description="Headers that a good answer has, with these values.", examples=["{X-Version: '42'}"]
    )
    instances: Annotated[int, Whole(1, 1000)] | None = Field(
        default=None, description="How many instances are asked, always the same ones; default: all."
    )
    when: Literal["before_traffic", "baking", "both"] = Field(
        default="before_traffic", description="At every look before the candidate has traffic, while it bakes, or both."
    )
    patience: Duration = Field(
        default=timedelta(minutes=1),
        description="How long, while it bakes, an instance may answer otherwise before the gate fails.",
    )
    timeout: Annotated[Duration, AfterValidator(_within_budget)] = Field(
        default=timedelta(seconds=5),
        description="How long one instance may take to answer; at most 20s, and less where many are asked.",
    )

    @property
    def precedes_traffic(self) -> bool:
        """Unless it is asked while it bakes only."""
        return self.when != "baking"

    def needs_traffic(self, serving: Serving) -> Need | None:
        """The port that instances are registered with is the load balancer's."""
        if serving.health or self.port is not None:
            return None
        return Need("port is missing: without a load balancer phoenix does not know the port to ask")


class HttpGate:
    """Asks every instance of the candidate at each tick, several at a time."""

    settings = Settings
    judges_alone = False
    begins_something = False
    IAM_ACTIONS: ClassVar[Rights] = reads(
        "ec2:DescribeInstances", "elasticloadbalancing:DescribeTargetGroups", roles=FORWARD
    )
    checks: ClassVar[tuple[str, ...]] = ("http-unreachable", "http-port-unknown")

    def __init__(self, settings: Settings, scope: Scope, fetch: Fetch = fetch) -> None:
        self.name = f"http {settings.path}"
        self.before_traffic_only = settings.when == "before_traffic"
        self._settings = settings
        self._aws = scope.aws
        self._fetch = fetch
        self._ports: dict[str, int] = {}
        self._addresses: dict[str, str] = {}

    def check(self, rotation: Rotation, seen: Observation) -> Verdict:
        """PASS if every instance in service, or held before traffic, answers as expected, else WAIT; while it bakes,
        FAIL for what lasts longer than `patience`."""
        is_before, candidate = rotation.weight == 0 or rotation.is_holding, seen.slots[rotation.new.slot]
        memo = rotation.memo_of(self.name)
        if is_before and self._settings.when == "baking":
            return Verdict(self.name, Judgement.PASS, "is asked while it bakes", memo=memo)
        running = [i for i in rotation.new.of(candidate) if i.in_service or i.lifecycle is Lifecycle.HELD]
        asked = [instance.id for instance in first_of(running, self._settings.instances)]
        if not asked:
            return Verdict(self.name, Judgement.WAIT, "no instance is in service yet")
        since = self._remember(memo)
        wrong = {instance: answer for instance, answer in self._ask(candidate, asked).items() if answer is not None}
        good = f"{len(asked) - len(wrong)} of {len(asked)} answered {self._expected()}"
        if not wrong:
            told = f"{good}, before traffic" if is_before else good
            return Verdict(self.name, Judgement.PASS, told, memo=self._memo(asked))
        since = since or seen.at
        too_long = not is_before and seen.at - since > self._settings.patience
        judgement = Judgement.FAIL if too_long else Judgement.WAIT
        return Verdict(self.name, judgement, f"{good}; {_listed(wrong)}", memo=self._memo(asked, since))

    def find_blockers(self, slots: Mapping[Slot, SlotState], live: Slot) -> Sequence[Blocker]:
        """Return a blocker if no live instance answers: then the path is wrong, or phoenix runs in the wrong
        network."""
        state = slots[live]
        if self._settings.port is None and state.other_sources and not state.target_groups:
            sources = " and ".join(map(name_of, state.other_sources))
            text = f"{sources} does not tell the port of an instance. Write it into the policy: `port: 8080`, say."
            return [Blocker("http-port-unknown", f"gate {self.name}", text)]
        asked = [instance.id for instance in slots[live].instances if instance.in_service][:_ENOUGH_TO_PROVE]
        answers = self._ask(slots[live], asked)
        if not asked or None in answers.values():
            return []
        return [
            Blocker(
                "http-unreachable",
                f"gate {self.name}",
                f"No live instance answers {self._expected()}: {_listed(answers)}. phoenix asks each by its private"
                " address, so it has to run inside the VPC (Lambda: with the subnets of the group), and the instances'"
                " security group has to let it in. Else take this gate out of the policy.",
                f"curl -si http://<private address>:{self._port_of(slots[live])}{self._settings.path}",
            )
        ]

    def _remember(self, memo: str) -> datetime | None:
        """Addresses do not change while an instance runs; the look that has read them was another invocation's. Return
        since when not all answer as expected; None: all did."""
        words = {name: value for name, _, value in (word.partition("=") for word in memo.split())}
        since = words.pop(_SINCE, None)
        self._addresses = words | self._addresses
        return datetime.fromisoformat(since) if since else None

    def _memo(self, asked: Sequence[str], since: datetime | None = None) -> str:
        kept = [f"{i}={self._addresses[i]}" for i in sorted(asked) if i in self._addresses]
        return " ".join([*kept, *([f"{_SINCE}={since.isoformat()}"] if since else [])])

    def _ask(self, slot: SlotState, ids: Sequence[str]) -> dict[str, str | None]:
        """Return by instance None for an expected answer, else the fault."""
        unknown = [instance for instance in ids if instance not in self._addresses]
        found = read_instances(self._aws, unknown)
        self._addresses |= {i.id: i.private_address for i in found if i.private_address is not None}
        port = self._port_of(slot)
        at_a_time, timeout = spread(len(ids), self._settings.timeout)
        answers = each(
            lambda instance: self._wrong_with(instance, port, timeout),
            ids,
            at_a_time=at_a_time,
            seconds=LONGEST.total_seconds(),
        )
        return {instance: answers.get(instance, "no answer in time") for instance in ids}

    def _wrong_with(self, instance: str, port: int, timeout: timedelta) -> str | None:
        address = self._addresses.get(instance)
        if address is None:
            return "no address"
        host = f"[{address}]" if ":" in address else address
        wanted = self._settings
        url = f"{wanted.scheme}://{host}:{port}{wanted.path}"
        request = Request(url, timeout.total_seconds(), wanted.host, wanted.ca_file, wanted.contains is not None)
        try:
            return self._fault_of(self._fetch(request))
        except Unreachable:
            return "no answer"

    def _fault_of(self, reply: Reply) -> str | None:
        """The fault of the answer, in few words; its body may be long, and is not shown."""
        if reply.status not in self._settings.expect:
            return str(reply.status)
        for name, value in self._settings.headers.items():
            found = reply.headers.get(name.lower())
            if found != value:
                return f"{name}: {in_one_line(found, 40)}" if found is not None else f"no header {name}"
        text = self._settings.contains
        return None if text is None or text.encode() in reply.body else f"without {in_one_line(text, 40)!r}"

    def _port_of(self, slot: SlotState) -> int:
        if self._settings.port is not None:
            return self._settings.port
        if not slot.target_groups:
            return _USUAL_PORTS[self._settings.scheme]
        arn = slot.target_groups[0]
        if arn not in self._ports:
            answer = self._aws.call("elbv2", "describe_target_groups", TargetGroupArns=[arn])
            self._ports[arn] = int(answer["TargetGroups"][0]["Port"])
        return self._ports[arn]

    def _expected(self) -> str:
        return " or ".join(str(status) for status in self._settings.expect)


def spread(instances: int, timeout: timedelta) -> tuple[int, timedelta]:
    """Return how many to ask at a time, and how long each may take, so that all fit in even if none answers."""
    rounds = max(int(LONGEST / timeout), 1)
    at_a_time = min(max(_AT_A_TIME, -(-instances // rounds)), _MOST_AT_A_TIME)
    turns = max(-(-instances // at_a_time), 1)
    return min(at_a_time, max(instances, 1)), min(timeout, LONGEST / turns)


def _listed(wrong: Mapping[str, str | None]) -> str:
    shown = [f"{instance}: {answer}" for instance, answer in sorted(wrong.items())[:_MOST_SHOWN]]
    more = [f"and {len(wrong) - _MOST_SHOWN} more"] if len(wrong) > _MOST_SHOWN else []
    return ", ".join(shown + more)
