"""The first policy of a group, as `init` writes it: the findings, and in comments the owner's decisions.

Must never write a text that does not load: what comes from AWS is quoted where it is a value, and cleaned where it is a
comment.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Sequence
from typing import Final

from phoenix.core.explain import counted
from phoenix.core.tags import MANAGED
from phoenix.inventory.image_filter import ImageFilter
from phoenix.inventory.makers import DECLARING
from phoenix.inventory.model import Account, Attachment, Hook, ServerGroup
from phoenix.views import text

_PLAIN: Final = re.compile(r"[A-Za-z][A-Za-z0-9_-]*")
_NOT_TEXT: Final = frozenset(("y", "n", "yes", "no", "on", "off", "true", "false", "null", "nan", "inf"))
_CALLED: Final = {
    "alb": "Application Load Balancer",
    "nlb": "Network Load Balancer",
    "gwlb": "Gateway Load Balancer",
    "classic": "Classic Load Balancer",
    "lattice": "VPC Lattice target group",
    "unused": "no load balancer, for no listener uses",
}
_LAUNCHING: Final = "launching"


def render(group: ServerGroup, found: Account) -> str:
    """Return the file. Only for a group that has a fleet."""
    return text.screen(
        _top(group, found),
        _fleet(group),
        _before_leaving(group.drained_by),
        _traffic(group),
        _image(group.image),
        _strategy(group),
        _gates(group),
        _times(),
        _missing(group),
    )


def _top(group: ServerGroup, found: Account) -> list[str]:
    name = text.command("plan", group.group)
    where = ", ".join(each for each in (found.account, found.region) if each)
    return [
        *_comment(f"Written by `phoenix init` from what runs in {where}. Read it, make your decisions, then:"),
        "#   phoenix policy validate",
        f"#   {name}",
        "version: 1",
        f"group: {quoted(group.group)}",
        f'account: "{found.account}"',
        *([f"region: {found.region}"] if found.region else []),
        "# owner: team-name                       # who answers for it; shown where it helps",
        "# runbook: https://wiki.example.com/     # likewise",
    ]


def _fleet(group: ServerGroup) -> list[str]:
    if group.slots is not None:
        return [
            *_comment("Two Auto Scaling groups that trade places. Their bounds are read from the one that is live."),
            f"fleet: {{kind: pair, blue: {quoted(group.slots['blue'])}, green: {quoted(group.slots['green'])}}}",
        ]
    size = group.size
    lines = [
        *_comment(
            "One Auto Scaling group, rotated in place: the next generation is launched in it, the earlier one waits in"
            f" Standby. Its bounds, {size.min} to {size.max}, are read from it."
        ),
        "fleet:",
        "  kind: in_place",
        f"  auto_scaling_group: {quoted(group.auto_scaling_groups[0])}",
    ]
    return lines + (_hooks(group.hooks) if group.hooks else [])


def _before_leaving(kinds: Sequence[str]) -> list[str]:
    if not kinds:
        return []
    told = "Its instances are nodes of a Kubernetes cluster: pods are moved off each before it leaves. The driver needs"
    return [
        *_comment(f"{told} a kubeconfig that reaches the cluster, and: pip install 'phoenix-rotate[kubernetes]'"),
        "before_leaving:",
        *(f"  - {{kind: {kind}}}" for kind in kinds),
    ]


def _hooks(hooks: Sequence[Hook]) -> list[str]:
    told = [f"{hook.name}: {hook.moment}, {hook.result} after {hook.seconds} s without an answer" for hook in hooks]
    checks = []
    if any(hook.moment == _LAUNCHING for hook in hooks):
        checks.append("What a launching hook registers elsewhere, as in a service directory, stays registered.")
    if any(hook.moment != _LAUNCHING for hook in hooks):
        checks.append("What a terminating hook saves or signs off waits until the earlier generation is ended.")
    return [
        *_comment("These lifecycle hooks do not run for instances that go to Standby or come back:", indent="  "),
        *(line for each in told for line in _comment(f"  {each}", indent="  ")),
        *_comment(f"{' '.join(checks)} Where that does harm, write `refuse`.", indent="  "),
        "  hooks: harmless",
    ]


def _traffic(group: ServerGroup) -> list[str]:
    told = [_attached(each) for each in group.attached]
    if not told:
        told = ["No load balancer: an instance counts as soon as it is in service."]
        if group.fleet == "pair":
            told.append("Both generations work side by side, nothing is kept hot, a rollback launches first.")
    if group.fleet == "pair" and len({each.name for each in group.attached if each.kind in ("alb", "nlb")}) > 1:
        told.append(
            "If each group has a load balancer of its own, no listener moves traffic between them. Weighted records of"
            " Route 53, which phoenix init does not read, do: {kind: route53, zone: Z0123456789ABC, name:"
            " www.example.com}"
        )
    return [*(line for each in told for line in _comment(each)), f"traffic: {group.traffic}"]


def _attached(each: Attachment) -> str:
    called = _CALLED.get(each.kind, f"a traffic source of the type {each.kind}")
    return f"{called} {each.name}" + (f": {each.details}" if each.details else "")


def _image(found: ImageFilter | None) -> list[str]:
    if found is None:
        return [
            *_comment(
                "The image that runs is not known here: no instance runs, or its image is gone. So the next one is that"
                " of the launch template's newest version. Better, once there is one: kind: search."
            ),
            "image: {kind: launch_template}",
        ]
    owner = [] if found.owners == ("self",) else [f"Its owner is {found.owners[0]}, not this account."]
    lines = [
        *_comment(f"Now runs {found.running.name} ({found.running.id})."),
        *(line for each in (*owner, _matches(found)) for line in _comment(each)),
        "image:",
        "  kind: search",
        f"  owners: [{', '.join(_owner(each) for each in found.owners)}]",
        f"  name: {json.dumps(found.name, ensure_ascii=False)}",
    ]
    if found.tags:
        pairs = ", ".join(f"{quoted(key)}: {quoted(value)}" for key, value in found.tags.items())
        lines.append(f"  tags: {{{pairs}}}")
    return [*lines, f"  architecture: {found.running.architecture}"]


def _owner(owner: str) -> str:
    return owner if owner == "self" else f'"{owner}"'


def _matches(found: ImageFilter) -> str:
    newest = found.newest
    if newest is None:
        return "Matches no image that can be launched: check the filter with `phoenix images`."
    told = (
        f"Matches {counted(len(found.fitting), 'image')}, newest {newest.name}, built {text.moment(newest.created_at)}."
    )
    if found.others:
        told += f" CHECK: {found.others[0]} matches, too, and looks like another service's."
    return told


def _strategy(group: ServerGroup) -> list[str]:
    what = "traffic"
    if group.traffic in ("attached", "none"):
        what = "instances in service" if group.fleet == "in_place" else "instances"
    return [
        *_comment("A whole new generation, then all at once. A canary takes a little first:"),
        "# strategy: {kind: canary, steps: [{weight: 10, bake: 10m}, {weight: 50, bake: 10m}], bake: 10m}",
        f"#   (weight: per cent of the {what} that the new generation has)",
        "strategy: blue_green",
    ]


def _gates(group: ServerGroup) -> list[str]:
    implied = "healthy in its load balancer" if group.attached else "in service"
    checked = next((each for each in group.attached if each.path), None)
    path, port = (checked.path, checked.port) if checked else ("/healthz", 8080)
    return [
        *_comment(f"Implied: every new instance is {implied} for 30 s. What else it must pass:"),
        "# gates:",
        "#   - {kind: alarm, alarms: [NAME]}",
        f"#   - {{kind: http, path: {quoted(str(path))}, port: {port}}}",
    ]


def _times() -> list[str]:
    return [
        *_comment("When a rotation may start; without windows at any time, as soon as there is a newer image:"),
        '# windows: [{schedule: "0 2 * * MON-FRI", duration: 4h, timezone: UTC}]',
    ]


def _missing(group: ServerGroup) -> list[str]:
    what = "the Auto Scaling group and its launch template"
    if group.fleet == "pair":
        what = "both Auto Scaling groups, their launch template"
        what += ", their target groups, and the listeners or rules that forward to them" if group.attached else ""
    told = f"Rights: `phoenix iam` prints them. They hold for what carries the tag {MANAGED}=true: {what}."
    lines = ["# Before the first rotation:", *text.paragraph(told, first="# - ", rest="#   ")]
    if group.made_by in DECLARING:
        told = f"{group.made_by} made it: an apply must not put back what a rotation changes. See docs/stacks.md."
        lines += text.paragraph(told, first="# - ", rest="#   ")
    for blocker in group.missing:
        lines += text.paragraph(blocker.text, first="# - ", rest="#   ")
        lines += [f"#     {text.clean(line)}" for line in (blocker.remedy or "").split("\n") if line]
    return lines


def _comment(told: str, *, indent: str = "") -> Iterable[str]:
    return text.paragraph(told, first=f"{indent}# ", rest=f"{indent}# ")


def quoted(value: str) -> str:
    """Return the text as YAML reads it back: in quotes where it might be taken for a number, a date or a word of
    YAML's."""
    if _PLAIN.fullmatch(value) and value.lower() not in _NOT_TEXT:
        return value
    return json.dumps(value, ensure_ascii=False)
