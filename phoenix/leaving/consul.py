"""Nodes of a Consul datacenter: in maintenance before they leave, so that no client finds their services any more.

Whether that is so is read from the catalog, as clients see it; it is asked of each node's own agent, since the agent
would put back a change of the catalog alone. Must never end the maintenance that a person has begun.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any, ClassVar, Final, Literal
from urllib.parse import quote, urlencode

from pydantic import Field

from phoenix.aside import each
from phoenix.aws.instances import read_instances
from phoenix.aws.rights import Rights, reads
from phoenix.aws.scope import Scope
from phoenix.core.blocker import Blocker
from phoenix.core.model import Slot, SlotState
from phoenix.core.work import Stage, Work
from phoenix.errors import AccessDenied, NotFound, PermanentError, PhoenixError, Throttled, TransientError, Unreachable
from phoenix.keys import Duration, Flag, Matching, Url, Whole
from phoenix.leaving.keys import LeavingKeys
from phoenix.leaving.rights import ENDS
from phoenix.orchestrator import Leavers

MAINTENANCE: Final = "_node_maintenance"
"""The check that a node's maintenance mode is (structs.NodeMaint in Consul's source)."""
_OURS: Final = re.compile(r"^phoenix\b(?: \S+ since (\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ)$)?")
"""The reason of a maintenance that is phoenix's to end: its own, or what an agent starts with (`phoenix: boots`)."""
_TIME: Final = "%Y-%m-%dT%H:%M:%SZ"
_AT_A_TIME: Final = 8
_LONGEST: Final = timedelta(seconds=8)
_PATIENCE: Final = 5.0
_THROTTLED, _FORBIDDEN, _MISSING, _SERVER, _FIRST_ERROR = 429, (401, 403), 404, 500, 400


class RegistryKeys(LeavingKeys):
    """The keys of `{kind: consul}` in `discovery`."""

    kind: Literal["consul"] = "consul"
    address: Url | None = Field(
        default=None, description="Consul's HTTP API; default: CONSUL_HTTP_ADDR, or http://127.0.0.1:8500."
    )
    agent_port: Annotated[int, Whole(1, 65_535)] = Field(
        default=8500, description="Port of the HTTP API of the agent on each instance, at its private address."
    )
    agent_tls: Flag = Field(default=False, description="That port speaks HTTPS.")
    token_env: Annotated[str, Matching(r"[A-Za-z_][A-Za-z0-9_]{0,63}", "the name of an environment variable")] = Field(
        default="CONSUL_HTTP_TOKEN", description="Environment variable that holds the token; empty: without a token."
    )
    settle: Duration = Field(
        default=timedelta(seconds=10), description="How long clients may go on using what they have looked up before."
    )

    @property
    def title(self) -> str:
        """With the host, where one is named."""
        return f"consul {self.address.partition('://')[2]}" if self.address else "consul"


class Settings(RegistryKeys):
    """The keys of `{kind: consul}` in `before_leaving`."""

    deregister: Flag = Field(
        default=False,
        description="The agent leaves the datacenter after that, with its services. It does not come back by itself.",
    )

    @property
    def cannot_return(self) -> str:
        """An agent that has left stays away."""
        return "deregister" if self.deregister else ""


@dataclass(frozen=True, slots=True)
class _Node:
    """A node of the catalog. `notes` are those of its maintenance; None: it is in none."""

    name: str
    address: str
    notes: str | None = None


class Consul:
    """One datacenter. Nodes are found by their private address, or by the meta key `instance_id`."""

    settings: ClassVar[type[RegistryKeys]] = Settings
    IAM_ACTIONS: ClassVar[Rights] = ENDS | reads("ec2:DescribeInstances")
    checks: ClassVar[tuple[str, ...]] = ("consul-unreachable", "not-in-consul")

    def __init__(self, settings: RegistryKeys, scope: Scope, agent_at: Callable[[str], str] | None = None) -> None:
        scheme = "https" if settings.agent_tls else "http"
        self._agent_at = agent_at or (lambda address: f"{scheme}://{address}:{settings.agent_port}")
        self.name = settings.title
        self._settings, self._aws, self._clock = settings, scope.aws, scope.clock
        self._deregisters = isinstance(settings, Settings) and settings.deregister
        self._addresses: dict[str, str] = {}  # never changes in an instance's life
        given = settings.address or os.environ.get("CONSUL_HTTP_ADDR") or "http://127.0.0.1:8500"
        self._server = given if "://" in given else f"http://{given}"

    # --- while a rotation lasts ---------------------------------------------------------------------------------------

    def observe(self, leavers: Leavers) -> Mapping[str, Work]:
        """By the node's maintenance in the catalog, and for how long it has been there."""
        return {instance: self._work(node) for instance, node in self._checked(leavers.instances).items()}

    def _work(self, node: _Node) -> Work:
        can_return = not self._deregisters
        if node.notes is None:
            return Work(Stage.ACTIVE, "is found by clients", can_return)
        ours = _OURS.match(node.notes)
        since = datetime.strptime(ours[1], _TIME).replace(tzinfo=UTC) if ours is not None and ours[1] else None
        if since is not None and self._clock.now() < since + self._settings.settle:
            return Work(Stage.LEAVING, "may still be known to clients", can_return)
        if self._deregisters:
            return Work(Stage.PARTLY, "has not left the datacenter", can_return)
        return Work(Stage.DRAINED)

    def drain(self, leavers: Leavers) -> None:
        """Maintenance where there is none; then the agent leaves, where it is to."""
        at = self._clock.now().astimezone(UTC).strftime(_TIME)
        for node in self._checked(leavers.instances).values():
            if node.notes is None:
                self._maintain(node, enable="true", reason=f"phoenix {leavers.rotation} since {at}")
            elif self._work(node).stage is Stage.PARTLY:
                self._put(f"{self._agent(node)}/v1/agent/leave")

    def undrain(self, leavers: Leavers) -> None:
        """No maintenance, where it is ours."""
        for node in self._checked(leavers.instances).values():
            if node.notes is not None and _OURS.match(node.notes):
                self._maintain(node, enable="false")

    def _maintain(self, node: _Node, **asked: str) -> None:
        self._put(f"{self._agent(node)}/v1/agent/maintenance?{urlencode(asked)}")

    def _agent(self, node: _Node) -> str:
        return self._agent_at(node.address)

    def _checked(self, instances: Sequence[str]) -> dict[str, _Node]:
        """By instance, each with its maintenance; what the catalog does not know is left out."""
        nodes = self._nodes(instances)
        notes = each(
            self._notes, [n.name for n in nodes.values()], at_a_time=_AT_A_TIME, seconds=_LONGEST.total_seconds()
        )
        late = [node.name for node in nodes.values() if node.name not in notes]
        if late:
            raise Unreachable(f"{self.name}: the checks of {late[0]} were not answered in time")
        return {instance: _Node(node.name, node.address, notes[node.name]) for instance, node in nodes.items()}

    def _nodes(self, instances: Sequence[str]) -> dict[str, _Node]:
        addresses = self._addresses_of(instances)
        by_address = {address: instance for instance, address in addresses.items()}
        found: dict[str, _Node] = {}
        for node in self._get("/v1/catalog/nodes"):
            named = (node.get("Meta") or {}).get("instance_id")
            instance = named if named in addresses else by_address.get(str(node["Address"]))
            if instance is not None:
                found[instance] = _Node(str(node["Node"]), addresses[instance])
        return {instance: found[instance] for instance in instances if instance in found}

    def _notes(self, node: str) -> str | None:
        checks = self._get(f"/v1/health/node/{quote(node, safe='')}")
        return next((str(check.get("Notes", "")) for check in checks if check["CheckID"] == MAINTENANCE), None)

    def _addresses_of(self, instances: Sequence[str]) -> dict[str, str]:
        unknown = [instance for instance in instances if instance not in self._addresses]
        read = read_instances(self._aws, unknown) if unknown else ()
        self._addresses |= {found.id: found.private_address for found in read if found.private_address}
        return {instance: self._addresses[instance] for instance in instances if instance in self._addresses}

    # --- before a start -----------------------------------------------------------------------------------------------

    def find_blockers(self, slots: Mapping[Slot, SlotState], live: Slot) -> Sequence[Blocker]:
        """A Consul that cannot be asked, and instances that it does not know."""
        serving = [i.id for i in slots[live].instances if i.in_service]
        try:
            known = self._nodes(serving)
        except PhoenixError as error:
            remedy = error.hint or "consul members"
            return [Blocker("consul-unreachable", self.name, f"{error.message}.", remedy, unchecked=self.checks)]
        missing = [instance for instance in serving if instance not in known]
        if not missing:
            return []
        shown = ", ".join(missing[:3]) + (f" and {len(missing) - 3} more" if len(missing) > 3 else "")
        text = (
            f"{shown} of {slots[live].auto_scaling_group}: no node of the catalog has that private address or the meta"
            " key instance_id, so nothing could be taken out there. Its nodes:"
        )
        return [Blocker("not-in-consul", self.name, text, "consul catalog nodes -detailed")]

    # --- HTTP ---------------------------------------------------------------------------------------------------------

    def _get(self, path: str) -> Any:
        return json.loads(self._ask("GET", f"{self._server}{path}") or b"null") or []

    def _put(self, url: str) -> None:
        self._ask("PUT", url)

    def _ask(self, method: str, url: str) -> bytes:
        """One request, with the token, and no redirect: a token is for no other host."""
        import urllib3

        token = os.environ.get(self._settings.token_env, "")
        headers = {"User-Agent": "phoenix", **({"X-Consul-Token": token} if token else {})}
        pool = urllib3.PoolManager(num_pools=1, retries=False, headers=headers)
        what = f"{self.name}: {method} {url.partition('?')[0]}"
        try:
            answer = pool.request(method, url, timeout=_PATIENCE, redirect=False)
        except urllib3.exceptions.HTTPError as error:
            raise Unreachable(f"{what}: no answer ({type(error).__name__})", hint="consul members") from error
        finally:
            pool.clear()
        if answer.status >= _FIRST_ERROR:
            words = " ".join(answer.data.decode(errors="replace").split())[:200]
            raise _error_of(answer.status, f"{what}: {answer.status} {words}", self._settings.token_env)
        return answer.data


class Registry(Consul):
    """The same datacenter as the place where clients look: found without maintenance, not found with it.

    Agents start in maintenance, with a reason that begins with `phoenix`; what they have is ended, and no other's.
    """

    settings = RegistryKeys

    def observe(self, leavers: Leavers) -> Mapping[str, Work]:
        """One that the catalog does not have yet is not found; of another's maintenance nothing is changed."""
        nodes = self._checked(leavers.instances)
        return {each: self._found(nodes.get(each)) for each in leavers.instances}

    def _found(self, node: _Node | None) -> Work:
        if node is None:
            return Work(Stage.DRAINED, "is not in the catalog")
        if node.notes is not None and not _OURS.match(node.notes):
            return Work(Stage.ABSENT, "is in another writer's maintenance")
        work = self._work(node)
        return Work(Stage.DRAINED, "is in maintenance") if work.stage is Stage.DRAINED else work


def _error_of(status: int, said: str, token_env: str) -> PhoenixError:
    if status == _THROTTLED:
        return Throttled(said)
    if status in _FORBIDDEN:
        return AccessDenied(said, hint=f"a token with node:write, agent:write and node:read in {token_env}")
    if status == _MISSING:
        return NotFound(said)
    return TransientError(said) if status >= _SERVER else PermanentError(said)
