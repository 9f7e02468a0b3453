"""A Kubernetes API server and a Consul on loopback: the calls that are made, in the shapes of their references.

Kubernetes: "Kubernetes API" v1.31, Node, Pod, Eviction, SelfSubjectAccessReview. Consul: "HTTP API", Catalog, Health
and Agent. Nothing happens there by itself: `finish` lets everything come to its end that was asked for.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

Answer = tuple[int, Any]
Respond = Callable[[str, str, Mapping[str, str], Any], Answer]


@contextmanager
def serving(respond: Respond) -> Iterator[str]:
    """Answer HTTP on loopback while the block lasts; yields the address."""

    class Handler(BaseHTTPRequestHandler):
        def _answer(self) -> None:
            parts = urlsplit(self.path)
            length = int(self.headers.get("Content-Length") or 0)
            body = self.rfile.read(length)
            query = {key: values[0] for key, values in parse_qs(parts.query).items()}
            token = self.headers.get("X-Consul-Token") or self.headers.get("Authorization") or ""
            asked = {**query, "token": token}
            status, found = respond(self.command, unquote(parts.path), asked, json.loads(body) if body else None)
            told = json.dumps(found).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(told)))
            self.end_headers()
            self.wfile.write(told)

        do_GET = do_PUT = do_POST = do_PATCH = _answer  # noqa: N815 - the names that http.server asks for

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - http.server's name
            """Keep quiet."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = False  # closing it waits for them
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join(5)


# --- Kubernetes -------------------------------------------------------------------------------------------------------


def a_pod(name: str, node: str, owner: str | None = "ReplicaSet", **more: Any) -> dict[str, Any]:
    """A pod that runs on the node, with its controller."""
    owners = [] if owner is None else [
        {"apiVersion": "apps/v1", "kind": owner, "name": owner.lower(), "uid": "u-1", "controller": True}
    ]  # fmt: skip
    metadata = {"name": name, "namespace": "shop", "ownerReferences": owners, **more}
    return {"metadata": metadata, "spec": {"nodeName": node, "containers": []}, "status": {"phase": "Running"}}


@dataclass
class FakeKubernetes:
    """Nodes and pods. `budgeted` pods may not be evicted now; `denied` are verbs on resources that phoenix lacks;
    `refused` are answers to the eviction of a pod, or to a change of a node, by name."""

    nodes: dict[str, dict[str, Any]] = field(default_factory=dict)
    pods: list[dict[str, Any]] = field(default_factory=list)
    budgeted: set[str] = field(default_factory=set)
    denied: set[str] = field(default_factory=set)
    refused: dict[str, Answer] = field(default_factory=dict)
    evictions: list[str] = field(default_factory=list)

    def add(self, instance: str, zone: str = "eu-west-1a") -> str:
        """A node on that instance, with two pods, one of a daemon set, one of the node's own, and one that is over."""
        name = f"ip-{instance[2:8]}.internal"
        spec = {"providerID": f"aws:///{zone}/{instance}"}
        self.nodes[name] = {"metadata": {"name": name}, "spec": spec, "status": {}}
        done = a_pod(f"job-{name}", name, "Job") | {"status": {"phase": "Succeeded"}}
        mirror = a_pod(f"proxy-{name}", name, "Node", annotations={"kubernetes.io/config.mirror": "abc"})
        self.pods += [a_pod(f"web-{name}", name), a_pod(f"api-{name}", name), a_pod(f"log-{name}", name, "DaemonSet")]
        self.pods += [mirror, done]
        return name

    def finish(self) -> None:
        """Pods that leave are gone."""
        self.pods = [pod for pod in self.pods if "deletionTimestamp" not in pod["metadata"]]

    def respond(self, method: str, path: str, query: Mapping[str, str], body: Any) -> Answer:
        match method, path.strip("/").split("/"):
            case "GET", ["api", "v1", "nodes"]:
                return 200, _listed("NodeList", list(self.nodes.values()), query)
            case "PATCH", ["api", "v1", "nodes", name] if name in self.refused:
                return self.refused[name]
            case "PATCH", ["api", "v1", "nodes", name] if name in self.nodes:
                self.nodes[name]["spec"] |= body["spec"]
                return 200, self.nodes[name]
            case "GET", ["api", "v1", "pods"]:
                node = query["fieldSelector"].removeprefix("spec.nodeName=")
                found = [pod for pod in self.pods if pod["spec"]["nodeName"] == node]
                return 200, {"kind": "PodList", "apiVersion": "v1", "metadata": {}, "items": found}
            case "POST", ["api", "v1", "namespaces", _, "pods", name, "eviction"]:
                return self._evict(name, body)
            case "POST", ["apis", "authorization.k8s.io", "v1", "selfsubjectaccessreviews"]:
                about = body["spec"]["resourceAttributes"]
                return 201, {**body, "status": {"allowed": f"{about['verb']} {about['resource']}" not in self.denied}}
            case _:
                return 404, _status(404, "NotFound")

    def _evict(self, name: str, body: Mapping[str, Any]) -> Answer:
        assert (body["kind"], body["apiVersion"], body["metadata"]["name"]) == ("Eviction", "policy/v1", name)
        pod = next((each for each in self.pods if each["metadata"]["name"] == name), None)
        if pod is None:
            return 404, _status(404, "NotFound")
        if name in self.budgeted:
            # "Cannot evict pod as it would violate the pod's disruption budget." (pod/rest/eviction.go)
            return 429, _status(429, "TooManyRequests")
        if name in self.refused:
            return self.refused[name]
        self.evictions.append(name)
        pod["metadata"]["deletionTimestamp"] = "2026-11-18T02:41:12Z"
        return 201, _status(201, "Success")


def _listed(kind: str, items: Sequence[Any], query: Mapping[str, str]) -> dict[str, Any]:
    """A page: two items at most, so that a list has several."""
    start = int(query.get("continue", 0))
    rest = start + 2
    more = {"continue": str(rest)} if rest < len(items) else {}
    return {"kind": kind, "apiVersion": "v1", "metadata": more, "items": list(items[start:rest])}


def _status(code: int, reason: str) -> dict[str, Any]:
    return {"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure", "reason": reason, "code": code}


def kubeconfig(address: str) -> str:
    """The text of a kubeconfig with one context."""
    cluster = {"name": "shop", "cluster": {"server": address}}
    user = {"name": "phoenix", "user": {"token": "secret"}}
    context = {"name": "shop", "context": {"cluster": "shop", "user": "phoenix"}}
    named = {"clusters": [cluster], "users": [user], "contexts": [context]}
    return json.dumps({"apiVersion": "v1", "kind": "Config", **named, "current-context": "shop"})


# --- Consul -----------------------------------------------------------------------------------------------------------


@dataclass
class FakeConsul:
    """Nodes of a catalog, and all of their agents behind one address: the test tells them apart by `only`."""

    nodes: dict[str, dict[str, Any]] = field(default_factory=dict)
    token: str = ""
    maintenance: dict[str, str] = field(default_factory=dict)
    leaving: set[str] = field(default_factory=set)

    def add(self, instance: str, address: str) -> None:
        self.nodes[f"node-{instance}"] = {"Node": f"node-{instance}", "Address": address, "Meta": {}}

    def finish(self) -> None:
        """Agents that leave are gone."""
        self.nodes = {name: node for name, node in self.nodes.items() if name not in self.leaving}

    def respond(self, method: str, path: str, query: Mapping[str, str], body: Any) -> Answer:
        if self.token and query["token"] != self.token:
            return 403, "Permission denied: token lacks permission 'node:read'"
        match method, path.strip("/").split("/"):
            case "GET", ["v1", "catalog", "nodes"]:
                return 200, list(self.nodes.values())
            case "GET", ["v1", "health", "node", name]:
                checks = [{"Node": name, "CheckID": "serfHealth", "Status": "passing", "Notes": ""}]
                if name in self.maintenance:
                    note = {"CheckID": "_node_maintenance", "Status": "critical", "Notes": self.maintenance[name]}
                    checks.append({"Node": name, **note})
                return 200, checks
            case _:
                return 404, "not found"

    def agent(self, name: str) -> Respond:
        """The agent of one node."""

        def respond(method: str, path: str, query: Mapping[str, str], body: Any) -> Answer:
            if self.token and query["token"] != self.token:
                return 403, "Permission denied"
            match method, path:
                case "PUT", "/v1/agent/maintenance":
                    if query["enable"] == "true":
                        self.maintenance.setdefault(name, query.get("reason", ""))
                    else:
                        self.maintenance.pop(name, None)
                    return 200, None
                case "PUT", "/v1/agent/leave":
                    self.leaving.add(name)
                    return 200, None
                case _:
                    return 404, "not found"

        return respond
