"""Kubernetes nodes: budgets, pods that stay, and a cluster that refuses."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from phoenix.aws.scope import Scope
from phoenix.aws.session import Aws
from phoenix.core.model import Slot
from phoenix.core.work import Stage, Work
from phoenix.errors import AccessDenied, TransientError
from phoenix.leaving.kubernetes import Kubernetes, Settings
from phoenix.orchestrator import Leavers
from tests.builders import NOON, a_slot
from tests.engine.builders import VirtualClock
from tests.leaving.servers import FakeKubernetes, a_pod, kubeconfig, serving

NODE = "i-0a1b2c3d4e5f60718"
LEAVERS = Leavers((NODE,), "web-42-test", NOON)


class Bench:
    """One node with two pods of services, behind a fake API server."""

    def __init__(self, folder: Path, stack: ExitStack) -> None:
        self.fake = FakeKubernetes()
        self.node = self.fake.add(NODE)
        self.address = stack.enter_context(serving(self.fake.respond))
        self.config = folder / "kubeconfig"
        self.config.write_text(kubeconfig(self.address), encoding="utf-8")
        scope = Scope("web", dict.fromkeys(Slot, "web"), Aws(), VirtualClock())
        self.nodes = Kubernetes(Settings(kubeconfig=str(self.config)), scope)

    def work(self) -> Work:
        return self.nodes.observe(LEAVERS)[NODE]


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    with ExitStack() as stack:
        yield Bench(tmp_path, stack)


def test_pods_are_evicted_and_those_of_daemon_sets_and_of_the_node_stay(bench: Bench) -> None:
    bench.nodes.drain(LEAVERS)

    assert sorted(bench.fake.evictions) == [f"api-{bench.node}", f"web-{bench.node}"]
    assert bench.work() == Work(Stage.LEAVING, "has 2 pods")
    bench.fake.finish()
    assert bench.work().stage is Stage.DRAINED


def test_a_disruption_budget_is_waited_for_and_asked_again(bench: Bench) -> None:
    bench.fake.budgeted = {f"web-{bench.node}"}
    bench.nodes.drain(LEAVERS)
    bench.fake.finish()
    assert bench.work() == Work(Stage.PARTLY, "has 1 pod")
    bench.fake.budgeted.clear()

    bench.nodes.drain(LEAVERS)
    bench.fake.finish()

    assert bench.work().stage is Stage.DRAINED


def refusal(code: int, message: str, **details: object) -> tuple[int, dict[str, object]]:
    return code, {"kind": "Status", "status": "Failure", "code": code, "message": message, "details": details}


# "API-initiated Eviction", "How API-initiated eviction works": 500 where several budgets name one pod. A conflict is
# kubernetes/kubernetes#37605.
TWO_BUDGETS = refusal(
    500, "This pod has more than one PodDisruptionBudget, which the eviction subresource does not support."
)
CONFLICT = refusal(
    409, 'Operation cannot be fulfilled on poddisruptionbudgets.policy "web": the object has been modified'
)


@pytest.mark.parametrize("answer", [TWO_BUDGETS, CONFLICT], ids=["two budgets", "conflict"])
def test_a_pod_that_is_refused_keeps_no_other_one_and_is_told_in_the_servers_words(
    bench: Bench, answer: tuple[int, dict[str, object]]
) -> None:
    bench.fake.refused = {f"web-{bench.node}": answer}

    with pytest.raises(TransientError, match=rf"evict pod shop/web-{bench.node}: \d+ {answer[1]['message']}"):
        bench.nodes.drain(LEAVERS)

    assert bench.fake.evictions == [f"api-{bench.node}"]
    bench.fake.finish()
    assert bench.work() == Work(Stage.PARTLY, "has 1 pod")


def test_a_pod_whose_namespace_is_being_deleted_is_waited_for(bench: Bench) -> None:
    cause = {"reason": "NamespaceTerminating", "message": "namespace shop is being terminated"}
    bench.fake.refused = {f"web-{bench.node}": refusal(403, "unable to create new content", causes=[cause])}

    bench.nodes.drain(LEAVERS)

    assert bench.fake.evictions == [f"api-{bench.node}"]


def test_a_node_that_another_writer_changes_at_that_moment_is_cordoned_with_the_next_look(bench: Bench) -> None:
    bench.fake.refused = {bench.node: CONFLICT}

    with pytest.raises(TransientError, match="has been modified"):
        bench.nodes.drain(LEAVERS)


def test_a_pod_without_a_controller_is_never_evicted_and_named(bench: Bench) -> None:
    bench.fake.pods.append(a_pod("debug", bench.node, owner=None))

    for _ in range(2):
        bench.nodes.drain(LEAVERS)
        bench.fake.finish()

    assert "debug" not in bench.fake.evictions
    assert bench.work() == Work(Stage.LEAVING, "has 1 pod, shop/debug has no controller")


def test_a_node_that_stays_is_uncordoned(bench: Bench) -> None:
    bench.nodes.drain(LEAVERS)

    bench.nodes.undrain(LEAVERS)

    assert bench.fake.nodes[bench.node]["spec"]["unschedulable"] is False
    assert bench.work().stage is Stage.ACTIVE


def test_rights_that_are_missing_in_the_cluster_stand_in_the_way(bench: Bench) -> None:
    bench.fake.denied = {"patch nodes", "create pods"}
    live = a_slot(healthy=0)

    blockers = bench.nodes.find_blockers({Slot.BLUE: live}, Slot.BLUE)

    assert [b.name for b in blockers] == ["kubernetes-not-allowed"] * 2
    assert blockers[1].remedy == "kubectl auth can-i create pods/eviction --all-namespaces"


def test_a_kubeconfig_that_does_not_exist_is_said_before_a_start(bench: Bench) -> None:
    bench.config.unlink()

    (blocker,) = bench.nodes.find_blockers({Slot.BLUE: a_slot(healthy=0)}, Slot.BLUE)

    assert blocker.name == "kubernetes-unreachable"
    assert "kubeconfig" in blocker.text.lower() or "config" in blocker.text.lower()


def test_a_server_that_refuses_the_caller_is_an_error_with_a_hint(tmp_path: Path) -> None:
    with ExitStack() as stack:
        address = stack.enter_context(serving(lambda method, path, query, body: (403, {"reason": "Forbidden"})))
        (tmp_path / "config").write_text(kubeconfig(address), encoding="utf-8")
        scope = Scope("web", dict.fromkeys(Slot, "web"), Aws(), VirtualClock())
        nodes = Kubernetes(Settings(kubeconfig=str(tmp_path / "config")), scope)

        with pytest.raises(AccessDenied, match="403"):
            nodes.observe(LEAVERS)


@pytest.mark.parametrize("keys", [{"in_cluster": True, "context": "shop"}, {"timeout": "0s"}])
def test_keys_that_contradict_themselves_are_refused(keys: dict[str, object]) -> None:
    with pytest.raises(ValueError, match="in_cluster needs no kubeconfig|must be longer than 0s"):
        Settings.model_validate({"kind": "kubernetes", **keys})
