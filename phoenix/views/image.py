"""The screen of one image: what its tags answer to six questions, and the layers below it with their ages.

Must never show an answer as proven: tags are what the baker of the image has written.
"""

from __future__ import annotations

from typing import Final

from phoenix.core.explain import ago, counted
from phoenix.core.layers import ImageSeen, Layer
from phoenix.core.provenance import Answer, answers
from phoenix.views import text

_INDENT: Final = 5


def render(seen: ImageSeen) -> str:
    """Return the image on one screen."""
    image = seen.candidate.image
    answered = answers(image.tags)
    told = sum(not answer.missing for answer in answered)
    return text.screen(
        [f"{text.clean(image.id)}  {text.clean(image.name)}"],
        text.facts(_standing(seen)),
        [f"Its tags answer {told} of {len(answered)} questions:", *_answers(answered)],
        _layers(seen),
        _what_to_type(seen),
    )


def _standing(seen: ImageSeen) -> list[tuple[str, str]]:
    image = seen.candidate.image
    facts = [("built", f"{text.moment(image.created_at)} UTC, {ago(seen.at - image.created_at)} ago")]
    facts.append(("is", f"{image.architecture}, {image.state}, owned by {image.owner}"))
    if seen.group is not None:
        may = seen.candidate.rejected
        live = "live now; " if seen.live == image.id else ""
        says = f"may not be launched: {may}" if may else "may be launched"
        facts.append((text.clean(seen.group), f"{live}{says}"))
    return facts


def _answers(answered: tuple[Answer, ...]) -> list[str]:
    width = max(len(tag) for answer in answered for tag in answer.question.tags)
    lines: list[str] = []
    for number, answer in enumerate(answered, start=1):
        lines += ["", f"  {number}  {answer.question.words.capitalize()}"]
        rows = [
            (tag, answer.said.get(tag) or ("not said" if tag in answer.missing else "")) for tag in answer.question.tags
        ]
        for tag, said in rows:
            if said:
                lines += text.paragraph(said, first=f"     {tag:<{width}}  ", rest=" " * (width + _INDENT + 2))
    return lines


def _layers(seen: ImageSeen) -> list[str]:
    chain = seen.chain
    rows = [
        [
            "" if number == 0 else "on",
            layer.id,
            text.clip(layer.name or "-", 26),
            "-" if layer.built_at is None else ago(seen.at - layer.built_at),
            _freshness(layer),
        ]
        for number, layer in enumerate(chain.layers)
    ]
    lines = ["Its layers, each made from the one below:", *text.table(["", "image", "name", "age>", ""], rows)]
    for layer in chain.layers:
        lines += _stale(layer)
    if chain.flaw is not None:
        lines += text.paragraph(f"The chain ends here: {chain.flaw}.", first="  ", rest="  ")
    return lines


def _freshness(layer: Layer) -> str:
    if layer.is_stale:
        return "STALE"
    return "newest" if layer.is_comparable else "not compared"


def _stale(layer: Layer) -> list[str]:
    if layer.newer is None or layer.built_at is None:
        return []
    told = (
        f"{layer.name or layer.id} is stale: {layer.newer.name} ({layer.newer.id}) is"
        f" {ago(layer.newer.created_at - layer.built_at)} newer."
    )
    return text.paragraph(told, first="  ", rest="  ")


def _what_to_type(seen: ImageSeen) -> list[str]:
    below = [layer for layer in seen.chain.layers[1:] if layer.is_stale]
    if not below:
        return []
    told = f"{counted(len(below), 'layer')} below it can be renewed: bake them anew, from the base upwards."
    return text.paragraph(told)
