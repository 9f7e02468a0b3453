"""A question to a suite as JSON: what a program reads on its standard input, a function gets as its event, and a web
service as its body. Its fields are part of the contract: they only grow (docs/gates.md).

Must never hold a credential, nor anything that the suite could not read itself.
"""

from __future__ import annotations

from typing import Any, Final

from phoenix.aws.instances import read_instances
from phoenix.aws.scope import Scope
from phoenix.core.generation import Generation
from phoenix.core.model import Instance
from phoenix.gates.acceptance import Question, first_of

FORMAT: Final = 1


def describe(question: Question, scope: Scope, most: int | None = None) -> dict[str, Any]:
    """The question with its instances' addresses: the candidate's, or the first `most` of them, and the old ones'."""
    rotation, slots = question.rotation, question.seen.slots
    new = first_of(question.instances, most)
    old = [i for i in rotation.old.of(slots[rotation.old.slot]) if i.in_service]
    addresses = {each.id: each.private_address for each in read_instances(scope.aws, [i.id for i in (*new, *old)])}
    return {
        "format": FORMAT,
        "id": question.id,
        "gate": question.gate,
        "phase": question.phase,
        "group": rotation.group,
        "rotation": rotation.id,
        "step": rotation.step,
        "weight_percent": rotation.weight,
        "region": scope.aws.region,
        "candidate": _side(rotation.new, scope, new, addresses),
        "live": _side(rotation.old, scope, old, addresses),
    }


def _side(
    generation: Generation, scope: Scope, instances: list[Instance] | tuple[Instance, ...], at: dict[str, str | None]
) -> dict[str, Any]:
    return {
        "generation": generation.number,
        "slot": generation.slot.value,
        "auto_scaling_group": scope.slots[generation.slot],
        "image": {"id": generation.image, "name": generation.image_name},
        "instances": [{"id": i.id, "zone": i.zone, "private_address": at.get(i.id)} for i in instances],
    }


def environment(asked: dict[str, Any]) -> dict[str, str]:
    """The question's most wanted fields as variables of a program; lists are separated by spaces."""
    candidate = asked["candidate"]
    instances = candidate["instances"]
    return {
        "PHOENIX_GROUP": asked["group"],
        "PHOENIX_ROTATION": asked["rotation"],
        "PHOENIX_QUESTION": asked["id"],
        "PHOENIX_PHASE": asked["phase"],
        "PHOENIX_STEP": str(asked["step"]),
        "PHOENIX_WEIGHT": str(asked["weight_percent"]),
        "PHOENIX_GENERATION": str(candidate["generation"]),
        "PHOENIX_IMAGE": candidate["image"]["id"],
        "PHOENIX_AUTO_SCALING_GROUP": candidate["auto_scaling_group"],
        "PHOENIX_INSTANCES": " ".join(each["id"] for each in instances),
        "PHOENIX_ADDRESSES": " ".join(each["private_address"] or "" for each in instances).strip(),
    }
