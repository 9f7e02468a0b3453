"""`completion`, and what shells complete: groups, scenarios, blockers that may be ignored, images.

Must never ask AWS, and never fail: a Tab that waits or shows an error is worse than no completion.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import click

from phoenix.cli.help import command
from phoenix.cli.options import common
from phoenix.errors import PhoenixError

if TYPE_CHECKING:
    from phoenix.cli.session import Options
    from phoenix.core.record import GroupRecord

SCENARIOS = ("healthy", "bad-image", "slow-boot", "no-capacity", "flapping", "alarm", "throttled")
"""The sandbox's, written down once more: to import it takes a second, and it need not be installed."""

_GROUP = re.compile(r"""^group:[ \t]*(['"]?)([A-Za-z0-9][A-Za-z0-9._-]*)\1""", re.MULTILINE)
_ALARMS = re.compile(r"\balarms:[ \t]*\[([^\]]*)\]")
_RESERVED = {"phoenix.yaml", "phoenix.yml"}


@command(('eval "$(phoenix completion bash)"', "in ~/.bashrc"))
@common
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
def completion(shell: str) -> None:
    """Print the completion script of a shell."""
    from click.shell_completion import get_completion_class

    from phoenix.cli import root

    written_for = get_completion_class(shell)
    assert written_for is not None  # noqa: S101 - the choice above lists what click knows
    print(written_for(root, {}, "phoenix", "_PHOENIX_COMPLETE").source())


def known_groups(policies: str | None) -> list[str]:
    """Return the groups of the files in the policy directory, found without parsing; none if there is no such
    directory."""
    return [name for name, _ in _policies(policies)]


def complete_scenario(_ctx: click.Context, _param: click.Parameter, incomplete: str) -> list[str]:
    """Return the sandbox's scenarios."""
    return [name for name in SCENARIOS if name.startswith(incomplete)]


def complete_ignored(ctx: click.Context, _param: click.Parameter, incomplete: str) -> list[str]:
    """Return what `--ignore` may list, the alarms of the group's policy included; the last of several is completed."""
    from phoenix.cli.options import options_of
    from phoenix.engine.request import BY_NAME, IGNORABLE

    typed, comma, begun = incomplete.rpartition(",")
    group = _group(ctx)
    texts = [told for name, told in _policies(options_of(ctx).policies) if group in (None, name)]
    alarms = {alarm.strip(" '\"\n") for told in texts for each in _ALARMS.findall(told) for alarm in each.split(",")}
    names = [*sorted(IGNORABLE), *sorted(f"{BY_NAME}{alarm}" for alarm in alarms if alarm)]
    return [f"{typed}{comma}{name}" for name in names if name.startswith(begun)]


def complete_image(ctx: click.Context, _param: click.Parameter, incomplete: str) -> list[str]:
    """Return the images that the group's record knows, the quarantined ones first."""
    from phoenix.cli.options import options_of

    record = _record(options_of(ctx), _group(ctx))
    if record is None:
        return []
    known = [entry.image for entry in record.quarantine] + [each.image for each in reversed(record.known)]
    return [image for image in dict.fromkeys(known) if image.startswith(incomplete)]


def complete_word(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[str]:
    """Return what may come next in `images GROUP release AMI`."""
    from phoenix.cli.options import complete_group, group_names, options_of

    typed = list(ctx.params.get(param.name or "") or ())
    if "release" not in typed:
        return [*complete_group(ctx, param, incomplete), *(["release"] if "release".startswith(incomplete) else [])]
    group_names([word for word in typed if word != "release"][:1], options_of(ctx))
    return complete_image(ctx, param, incomplete)


def _group(ctx: click.Context) -> str | None:
    """Return the group that was typed. Words by position are not parsed yet where an option still wants its value."""
    from phoenix.cli.options import options_of

    return options_of(ctx).group or next(iter(ctx.args), None)


def _record(options: Options, group: str | None) -> GroupRecord | None:
    """Return the group's record, from a store on this machine only; None where there is none."""
    from phoenix.settings import read_settings
    from phoenix.stores import open_store

    if group is None:
        return None
    try:
        url = read_settings(policies=options.policies, store=options.store).store
        if url is not None and not url.startswith("sqlite:"):
            return None
        return open_store(url).load(group)
    except (PhoenixError, OSError):  # no settings, no store: nothing to complete
        return None


def _policies(policies: str | None) -> Iterator[tuple[str, str]]:
    """Yield each group with the text of its policy."""
    where = policies or os.environ.get("PHOENIX_POLICIES") or _policies_of_env_file() or "policies"
    for path in sorted(path for path in Path(where).glob("*.y*ml") if path.name not in _RESERVED):
        told = _read(path)
        found = _GROUP.search(told)
        if found is not None:
            yield found.group(2), told


def _policies_of_env_file() -> str | None:
    if not Path(".env").exists():
        return None
    from phoenix.settings import read_env_file  # slow to import, so only if there is a file to read

    return str(read_env_file().values.get("policies") or "") or None


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""
