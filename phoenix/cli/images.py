"""`images`, `images show` and `images release`: the candidates, the reasons for and against each, and where one comes
from.

Must never release a quarantine without a yes.
"""

from __future__ import annotations

import click

from phoenix.cli.completion import complete_word
from phoenix.cli.help import command
from phoenix.cli.options import common, group_names, named_group
from phoenix.cli.session import Session
from phoenix.errors import UsageError


@command(
    ("phoenix images web", "each candidate, and why not"),
    ("phoenix images show ami-0d3c5e71a9f4b2086", "where it comes from"),
    ("phoenix images web release ami-0d3c5e71a9f4b2086", "ends a quarantine"),
)
@named_group
@common
@click.argument("words", nargs=-1, metavar="[GROUP] [show AMI | release AMI]", shell_complete=complete_word)
@click.pass_obj
def images(session: Session, words: tuple[str, ...]) -> int:
    """Show the candidates, the chosen one, and the reason against each other one. `show AMI` tells where one comes
    from and what is below it; `release AMI` ends a quarantine."""
    left = list(words)
    verb = next((word for word in left if word in _VERBS), None)
    if verb is None:
        group_names(left, session.options)
        return _list(session)
    place = left.index(verb)
    if place + 1 >= len(left):
        raise UsageError(f"{verb} which image?", hint="phoenix images --group GROUP lists them")
    image = left.pop(place + 1)
    left.pop(place)
    group_names(left, session.options)
    return _VERBS[verb](session, image)


def _list(session: Session) -> int:
    from phoenix.views import image_json
    from phoenix.views import images as view

    group = session.group()
    if group.images is None:
        raise UsageError(f"{group.name} has no policy, which would name the source of its images")
    candidates = group.images.candidates(group.clock.now())
    record = group.store.load(group.name)
    quarantine = record.quarantine if record is not None else ()
    live = record.live.image if record is not None and record.live is not None else None
    text = view.render(group.name, candidates, quarantine, live, group.clock.now())
    session.answer(text, image_json.images(group.name, candidates, quarantine, live, group.clock.now()))
    return 0


def _show(session: Session, image: str) -> int:
    """Without a group, the image is asked for as the environment says, and no policy has anything against it."""
    from phoenix.views import image as view
    from phoenix.views import image_json

    if not image.startswith("ami-"):
        raise UsageError(f"{image} is no image id: it begins with ami-", hint="phoenix images --group GROUP lists them")
    seen = session.wiring.image_seen(image, session.options.group)
    session.answer(view.render(seen), image_json.document(seen))
    return 0


def _release(session: Session, image: str) -> int:
    from phoenix.engine import control
    from phoenix.views import summary

    name = session.group_name()
    session.confirm(f"let {name} rotate to {image} again?")
    report = control.release_image(session.group(), image, session.options.reason)
    return session.finish(report, summary.said(report))


_VERBS = {"show": _show, "release": _release}
