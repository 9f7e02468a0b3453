"""Nodes of a Kubernetes cluster: cordoned and emptied before they leave, uncordoned where they stay.

Pods are evicted, never deleted, so that their disruption budgets count: a refusal is waited for, not overridden. Must
never evict what nothing would start elsewhere: a pod without a controller is waited for.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, ClassVar, Final, Literal, cast

from pydantic import Field, model_validator

from phoenix.aside import each
from phoenix.aws.rights import Rights
from phoenix.aws.scope import Scope
from phoenix.core.blocker import Blocker
from phoenix.core.explain import counted
from phoenix.core.model import Slot, SlotState
from phoenix.core.work import Stage, Work
from phoenix.errors import AccessDenied, NotFound, PermanentError, PhoenixError, Throttled, TransientError, Unreachable
from phoenix.keys import Flag, Text, wrong
from phoenix.leaving.keys import LeavingKeys
from phoenix.leaving.rights import ENDS
from phoenix.orchestrator import Leavers

INSTALL: Final = "pip install 'phoenix-rotate[kubernetes]'"
MIRROR: Final = "kubernetes.io/config.mirror"
"""The annotation of a pod that a node runs from a file: the API server only shows it."""
_A_PAGE: Final = 500
_AT_A_TIME: Final = 8
_LONGEST: Final = timedelta(seconds=8)
_PATIENCE: Final = (3, 8)
"""Seconds to connect, and to be answered."""
_NEEDED: Final = (("list", "nodes", ""), ("patch", "nodes", ""), ("list", "pods", ""), ("create", "pods", "eviction"))
_THROTTLED, _FORBIDDEN, _MISSING, _CONFLICT, _SERVER = 429, (401, 403), 404, 409, 500
_IS_GOING: Final = "NamespaceTerminating"
"""The cause by which kubectl's drain, too, knows a 403 that means nothing (kubectl/pkg/drain/drain.go)."""
_LONGEST_WORDS: Final = 200


class Settings(LeavingKeys):
    """The keys of `{kind: kubernetes}`."""

    kind: Literal["kubernetes"] = "kubernetes"
    context: Text | None = Field(default=None, description="Context of the kubeconfig; default: the current one.")
    kubeconfig: Text | None = Field(
        default=None, description="Path of the kubeconfig; default: KUBECONFIG, or ~/.kube/config."
    )
    in_cluster: Flag = Field(
        default=False, description="phoenix runs in that cluster, with a service account's rights."
    )

    @model_validator(mode="after")
    def _check_access(self) -> Settings:
        if self.in_cluster and (self.context or self.kubeconfig):
            raise wrong("in_cluster needs no kubeconfig: write one or the other", at=("in_cluster",))
        return self

    @property
    def title(self) -> str:
        """With the context, where one is named."""
        return f"kubernetes {self.context}" if self.context else "kubernetes"


@dataclass(frozen=True, slots=True)
class _Pod:
    """A pod that has to leave. `bound` is why it is not evicted; empty: it is."""

    namespace: str
    name: str
    leaves: bool
    bound: str = ""

    @property
    def to_evict(self) -> bool:
        return not self.leaves and not self.bound


class Kubernetes:
    """One cluster, through the official client. A node is found by its provider id, which ends with the instance's."""

    settings = Settings
    IAM_ACTIONS: ClassVar[Rights] = ENDS
    checks: ClassVar[tuple[str, ...]] = ("kubernetes-unreachable", "kubernetes-not-allowed", "not-a-node")

    def __init__(self, settings: Settings, scope: Scope) -> None:
        self.name = settings.title
        self._settings, self._clock = settings, scope.clock
        self._api: Any = None
        self._lock = threading.Lock()

    # --- while a rotation lasts ---------------------------------------------------------------------------------------

    def observe(self, leavers: Leavers) -> Mapping[str, Work]:
        """By the pods on each node, those of daemon sets and of the node itself left out."""
        nodes = self._nodes(leavers.instances)
        names = [node.metadata.name for node in nodes.values()]
        pods = each(self._pods, names, at_a_time=_AT_A_TIME, seconds=_LONGEST.total_seconds())
        return {instance: _work(node, pods.get(node.metadata.name)) for instance, node in nodes.items()}

    def drain(self, leavers: Leavers) -> None:
        """Cordon all nodes, or a pod would move from one that leaves to the next one; then ask for the eviction of the
        pods that are not leaving yet: as many as fit into one action, as the next look asks for the rest. One that is
        refused is told at the end: the others leave all the same.

        Raises:
            PhoenixError: a pod was refused for another reason than its disruption budget.
        """
        refused: list[PhoenixError] = []
        began, nodes = self._clock.elapsed(), self._nodes(leavers.instances)
        for node in nodes.values():
            if not node.spec.unschedulable:
                self._cordon(node.metadata.name, cordoned=True)
        for pod in (pod for node in nodes.values() for pod in self._pods(node.metadata.name)):
            if pod.to_evict:
                refused += self._evict(pod)
            if self._clock.elapsed() - began > _LONGEST.total_seconds():
                break
        if refused:
            raise refused[0]

    def undrain(self, leavers: Leavers) -> None:
        """Uncordon the nodes."""
        for node in self._nodes(leavers.instances).values():
            if node.spec.unschedulable:
                self._cordon(node.metadata.name, cordoned=False)

    def _cordon(self, name: str, *, cordoned: bool) -> None:
        with self._translated(f"patch node {name}"):
            self._core().patch_node(name, {"spec": {"unschedulable": cordoned}}, _request_timeout=_PATIENCE)

    def _evict(self, pod: _Pod) -> list[PhoenixError]:
        """The refusal, if there is one. A budget that allows no disruption now is none: the pod is asked for again at
        the next look. Nor is a namespace that is being deleted: its pods go with it.

        Raises:
            Unreachable: the other pods cannot be asked for either.
        """
        metadata = {"name": pod.name, "namespace": pod.namespace}
        body = {"apiVersion": "policy/v1", "kind": "Eviction", "metadata": metadata}
        try:
            with self._translated(f"evict pod {pod.namespace}/{pod.name}"):
                self._core().create_namespaced_pod_eviction(
                    pod.name, pod.namespace, body, _request_timeout=_PATIENCE, _preload_content=False
                )
        except (Throttled, NotFound):
            return []
        except Unreachable:
            raise
        except PhoenixError as error:
            return [] if _IS_GOING in str(getattr(error.__cause__, "body", "")) else [error]
        return []

    def _nodes(self, instances: Sequence[str]) -> dict[str, Any]:
        """By instance; those that the cluster does not know are left out."""
        wanted, found, more = set(instances), dict[str, Any](), None
        while True:
            with self._translated("list nodes"):
                page = self._core().list_node(limit=_A_PAGE, _continue=more, _request_timeout=_PATIENCE)
            for node in page.items:
                instance = str(node.spec.provider_id or "").rpartition("/")[2]
                if instance in wanted:
                    found[instance] = node
            more = page.metadata._continue
            if not more:
                return {instance: found[instance] for instance in instances if instance in found}

    def _pods(self, node: str) -> tuple[_Pod, ...]:
        with self._translated(f"list pods of node {node}"):
            found = self._core().list_pod_for_all_namespaces(
                field_selector=f"spec.nodeName={node}", _request_timeout=_PATIENCE
            )
        return tuple(pod for item in found.items if (pod := _pod(item)) is not None)

    # --- before a start -----------------------------------------------------------------------------------------------

    def find_blockers(self, slots: Mapping[Slot, SlotState], live: Slot) -> Sequence[Blocker]:
        """A cluster that cannot be reached, rights that are missing there, and instances that are no nodes of it."""
        try:
            denied = [needed for needed in _NEEDED if not self._may(*needed)]
            return [*map(self._not_allowed, denied)] if denied else [*self._find_strangers(slots[live])]
        except PhoenixError as error:
            remedy = error.hint or "kubectl cluster-info"
            return [Blocker("kubernetes-unreachable", self.name, f"{error.message}.", remedy, unchecked=self.checks)]

    def _may(self, verb: str, resource: str, sub: str) -> bool:
        about = {"verb": verb, "resource": resource, "subresource": sub}
        with self._translated("ask for our own rights"):
            from kubernetes import client

            reviews: Any = client.AuthorizationV1Api(self._client())
            answer = reviews.create_self_subject_access_review(
                {"spec": {"resourceAttributes": about}}, _request_timeout=_PATIENCE
            )
        return bool(answer.status.allowed)

    def _not_allowed(self, needed: tuple[str, str, str]) -> Blocker:
        verb, resource, sub = needed
        what = f"{resource}/{sub}" if sub else resource
        return Blocker(
            "kubernetes-not-allowed",
            self.name,
            f"phoenix may not {verb} {what} in this cluster, so no node could be drained. Bind it to a cluster role"
            " that allows this; docs/operations.md has one. Whether that worked is told by:",
            f"kubectl auth can-i {verb} {what} --all-namespaces",
            unchecked=("not-a-node",),
        )

    def _find_strangers(self, live: SlotState) -> Iterator[Blocker]:
        serving = [i.id for i in live.instances if i.in_service]
        known = self._nodes(serving)
        missing = [instance for instance in serving if instance not in known]
        if missing:
            shown = ", ".join(missing[:3]) + (f" and {len(missing) - 3} more" if len(missing) > 3 else "")
            yield Blocker(
                "not-a-node",
                self.name,
                f"{shown} of {live.auto_scaling_group}: no node of this cluster has that provider id, so nothing could"
                " be drained there. Its nodes:",
                "kubectl get nodes -o custom-columns=NAME:.metadata.name,ID:.spec.providerID",
            )

    # --- the client ---------------------------------------------------------------------------------------------------

    def _core(self) -> Any:
        from kubernetes import client

        return client.CoreV1Api(self._client())

    def _client(self) -> Any:
        """Made with the first call."""
        with self._lock:
            if self._api is None:
                self._api = self._open()
            return self._api

    def _open(self) -> Any:
        import kubernetes

        client, config = kubernetes.client, cast(Any, kubernetes.config)
        if not self._settings.in_cluster:
            return config.new_client_from_config(self._settings.kubeconfig, self._settings.context)
        inside = client.Configuration()
        config.load_incluster_config(client_configuration=inside)
        return client.ApiClient(inside)

    @contextmanager
    def _translated(self, what: str) -> Iterator[None]:
        """Raise the client's exceptions as ours."""
        try:
            from kubernetes.client.exceptions import ApiException
            from kubernetes.config import ConfigException
            from urllib3.exceptions import HTTPError
        except ImportError as error:
            raise PermanentError(f"{self.name} needs the library kubernetes", hint=INSTALL) from error
        try:
            yield
        except ApiException as error:
            raise _error_of(error, f"{self.name}: {what}") from error
        except ConfigException as error:
            raise PermanentError(f"{self.name}: {' '.join(str(error).split())}", hint="kubectl config view") from error
        except (HTTPError, OSError) as error:
            raise Unreachable(f"{self.name}: {what}: no answer ({type(error).__name__})") from error


def _error_of(error: Any, what: str) -> PhoenixError:
    """A conflict is another writer's doing, and gone with the next look."""
    said = f"{what}: {error.status} {_message(error) or error.reason}"
    if error.status == _THROTTLED:
        return Throttled(said)
    if error.status in _FORBIDDEN:
        return AccessDenied(said, operation=what, hint="kubectl auth can-i --list")
    if error.status == _MISSING:
        return NotFound(said)
    is_transient = not error.status or error.status == _CONFLICT or error.status >= _SERVER
    return TransientError(said) if is_transient else PermanentError(said)


def _message(error: Any) -> str:
    """The API server's own sentence, on one line; empty where the answer is none of its."""
    try:
        told = json.loads(error.body or "")
    except ValueError:
        return ""
    found = told.get("message") if isinstance(told, dict) else None
    return " ".join(str(found or "").split())[:_LONGEST_WORDS]


def _pod(item: Any) -> _Pod | None:
    """None for a pod that need not leave: it has ended, or belongs to its node."""
    owners = item.metadata.owner_references or ()
    is_of_node = MIRROR in (item.metadata.annotations or {}) or any(o.kind == "DaemonSet" for o in owners)
    if is_of_node or item.status.phase in ("Succeeded", "Failed"):
        return None
    bound = "" if any(owner.controller for owner in owners) else "has no controller"
    return _Pod(item.metadata.namespace, item.metadata.name, item.metadata.deletion_timestamp is not None, bound)


def _work(node: Any, pods: Sequence[_Pod] | None) -> Work:
    if pods is None:
        return Work(Stage.UNKNOWN, "is not known: its pods were not listed in time")
    bound = next((pod for pod in pods if pod.bound), None)
    words = f"has {counted(len(pods), 'pod')}"
    words += f", {bound.namespace}/{bound.name} {bound.bound}" if bound is not None else ""
    if not node.spec.unschedulable:
        return Work(Stage.ACTIVE, words)
    if not pods:
        return Work(Stage.DRAINED)
    return Work(Stage.PARTLY if any(pod.to_evict for pod in pods) else Stage.LEAVING, words)
