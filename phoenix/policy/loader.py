"""Load policy files, each by itself, so that a broken one stops only its own group.

Must never raise because of a file's content: its flaws become problems, and an error only for the caller that asks for
its group.
"""

from __future__ import annotations

import difflib
import re
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from phoenix.errors import InvalidPolicy, PermanentError, UnknownGroup
from phoenix.policy import document as yaml_document
from phoenix.policy.checks import complaints, freeze_complaints
from phoenix.policy.document import Document, Flaw, Unreadable
from phoenix.policy.judge import judge
from phoenix.policy.model import AllGroups, Policy, complete
from phoenix.policy.problems import place, render
from phoenix.policy.source import Directory, Files, Source
from phoenix.policy.tree import Node, Scalar, Span, follow, scalars
from phoenix.settings import COMMON_FILES

_GROUP_LINE = re.compile(r"^group:[ ]*[\"']?([A-Za-z0-9][A-Za-z0-9._-]{0,62})[\"']?[ ]*(?:#.*)?$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class LoadedPolicy:
    """A policy with its file; `all_groups` is the content of `all_groups_file`, which holds for it too."""

    policy: Policy
    file: str
    text: str = field(repr=False)
    root: Node = field(repr=False)
    all_groups: AllGroups = AllGroups()
    all_groups_file: str | None = None

    def where(self, *path: str | int) -> str:
        """Return `file:line` of the value at the path, as in `where("windows")`; of the nearest key if it is a
        default."""
        return f"{self.file}:{place(self.root, path).line + 1}"

    def place_of(self, value: str) -> str | None:
        """Return `file:line:column` of the first value with this text; None if there is none."""
        found = next((node.span for node in scalars(self.root) if node.text == value), None)
        return f"{self.file}:{found.line + 1}:{found.column + 1}" if found is not None else None


@dataclass(frozen=True, slots=True)
class Library:
    """All valid policies of a directory, and the problems of the others.

    `problems` are by file; `broken` has the files that stop a group; a broken file for all groups stops every group.
    """

    location: str
    policies: Mapping[str, LoadedPolicy] = field(default_factory=dict)
    problems: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    broken: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    all_groups: AllGroups = AllGroups()

    @property
    def groups(self) -> tuple[str, ...]:
        """Return every group that has a file, valid or broken."""
        return tuple(sorted({*self.policies, *self.broken}))

    @property
    def all_problems(self) -> tuple[str, ...]:
        """Return the problems of all files, in the order of their names."""
        return tuple(problem for file in sorted(self.problems) for problem in self.problems[file])

    def find(self, group: str) -> LoadedPolicy:
        """The policy of one group.

        Raises:
            InvalidPolicy: its file, or the one for all groups, is broken.
            UnknownGroup: no policy is about it.
        """
        if group in self.broken:
            raise InvalidPolicy([problem for file in self.broken[group] for problem in self.problems[file]])
        if group in self.policies:
            return self.policies[group]
        near = difflib.get_close_matches(group, self.groups, n=2)
        raise UnknownGroup(group, self.location, near)


@dataclass(slots=True)
class _File:
    """One file while it is judged."""

    name: str
    text: str = ""
    document: Document | None = None
    policy: Policy | None = None
    group: str | None = None
    flaws: list[Flaw] = field(default_factory=list)

    @property
    def problems(self) -> tuple[str, ...]:
        """Every flaw as a complete line."""
        return render(self.flaws, self.document.lines if self.document is not None else (), self.name)

    def place(self, *path: str | int) -> Span:
        """Return the place of the value at the path."""
        return place(self.document.root, path) if self.document is not None else Span()


def load_directory(path: str | Path) -> Library:
    """All policies of a directory on this machine.

    Raises:
        UsageError: there is no such directory.
    """
    return load(Directory(str(path)))


def load_files(paths: Iterable[str | Path]) -> Library:
    """Load these files only, for `policy validate FILE…`."""
    return load(Files.of(paths))


@dataclass(slots=True)
class Judged:
    """Files judged before, with their stamps of then: an unchanged file is not read again."""

    _files: dict[str, tuple[str, _File]] = field(default_factory=dict)

    def find(self, source: Source, name: str) -> _File | None:
        """Return a copy: contradictions between files are found anew each time."""
        stamp, file = self._files.get(name, ("", None))
        if file is None or not stamp or stamp != source.stamp(name):
            return None
        return replace(file, flaws=list(file.flaws))

    def keep(self, source: Source, name: str, file: _File) -> None:
        """Remember a file; an unreadable one is tried again next time."""
        self._files[name] = (
            source.stamp(name) if file.document is not None else "",
            replace(file, flaws=list(file.flaws)),
        )

    def forget_others(self, names: Iterable[str]) -> None:
        """Forget files that are gone."""
        self._files = {name: self._files[name] for name in names if name in self._files}


def load(source: Source, judged: Judged | None = None) -> Library:
    """Load all policies of a source. `judged` is used and updated."""
    judged = judged if judged is not None else Judged()
    names = source.names()
    known = {name: found for name in names if (found := judged.find(source, name)) is not None}
    source.fetch([name for name in names if name not in known or Path(name).name in COMMON_FILES])
    shared = [_open(source, name) for name in names if Path(name).name in COMMON_FILES]
    files = [known.get(name) or _judged(source, name, judged) for name in names if Path(name).name not in COMMON_FILES]
    judged.forget_others(names)
    all_groups = _judge_shared(shared)
    _refuse_same_group(files)
    _refuse_same_fleet(files)
    sound = [file for file in files if file.policy is not None and not file.flaws]
    return Library(
        location=source.location or "the files given",
        policies={file.policy.group: _loaded(file, file.policy, all_groups, shared) for file in sound if file.policy},
        problems={file.name: file.problems for file in (*shared, *files) if file.flaws},
        broken=_broken(files, [file.name for file in shared if file.flaws]),
        all_groups=all_groups,
    )


def _open(source: Source, name: str) -> _File:
    """Read one file; an error becomes its flaw."""
    file = _File(f"{source.location.rstrip('/')}/{name}" if source.location else name)
    try:
        file.text = yaml_document.decode(source.read(name))
        file.document = yaml_document.read(file.text, may_be_empty=Path(name).name in COMMON_FILES)
    except Unreadable as unreadable:
        file.flaws.append(unreadable.flaw)
    except OSError as error:
        file.flaws.append(Flaw(Span(), f"cannot be read: {error.strerror or error}"))
    except PermanentError as error:
        file.flaws.append(Flaw(Span(), f"cannot be read: {error.message}"))
    return file


def _judged(source: Source, name: str, judged: Judged) -> _File:
    file = _open(source, name)
    _judge_policy(file)
    judged.keep(source, name, file)
    return file


def _judge_policy(file: _File) -> None:
    if file.document is not None:
        judged = judge(file.document, Policy, complaints)
        file.policy = complete(judged.value) if judged.value is not None else None
        file.flaws += judged.flaws
    file.group = file.policy.group if file.policy is not None else _group_of_broken(file)


def _group_of_broken(file: _File) -> str | None:
    """Return the file's group, as far as it is known; else the name of the file."""
    if file.document is not None:
        node, _, found = follow(file.document.root, ("group",))
        if found and isinstance(node, Scalar) and _GROUP_LINE.match(f"group: {node.text}"):
            return node.text
    line = _GROUP_LINE.search(file.text)
    return line.group(1) if line is not None else Path(file.name).stem


def _judge_shared(shared: list[_File]) -> AllGroups:
    if len(shared) > 1:
        shared[1].flaws.append(Flaw(Span(), f"{shared[0].name} is there already: only one of the two can hold"))
    found = AllGroups()
    for file in shared:
        if file.document is not None:
            judged = judge(file.document, AllGroups, freeze_complaints)
            found = judged.value or found
            file.flaws += judged.flaws
    return found


def _refuse_same_group(files: list[_File]) -> None:
    """Two files about one group stop each other: phoenix cannot tell the one that the owner meant."""
    by_group: defaultdict[str, list[_File]] = defaultdict(list)
    for file in files:
        if file.group is not None and file.document is not None and follow(file.document.root, ("group",))[2]:
            by_group[file.group].append(file)
    for group, same in by_group.items():
        for file in same if len(same) > 1 else ():
            others = [f"{other.name}:{other.place('group').line + 1}" for other in same if other is not file]
            file.flaws.append(Flaw(file.place("group"), f"group {group} has another policy in {' and '.join(others)}"))


def _refuse_same_fleet(files: list[_File]) -> None:
    """Refuse an Auto Scaling group in two policies: both would rotate it."""
    users: defaultdict[tuple[str | None, ...], list[tuple[_File, str]]] = defaultdict(list)
    for file in files:
        if file.policy is None:
            continue
        for key, name in file.policy.fleet.model_dump(include={"blue", "green"}).items():
            users[file.policy.account, file.policy.region, name].append((file, key))
    for (_, _, name), same in users.items():
        for file, key in same:
            others = [f"{o.name}:{o.place('fleet', k).line + 1}" for o, k in same if o is not file]
            if others:
                reason = f"{key}: {name} belongs to another group already, in {' and '.join(others)}"
                file.flaws.append(Flaw(file.place("fleet", key), reason))


def _broken(files: list[_File], for_all: list[str]) -> dict[str, tuple[str, ...]]:
    stopped: defaultdict[str, list[str]] = defaultdict(list)
    for file in files:
        if file.group is not None and (file.flaws or for_all):
            stopped[file.group] += [file.name] if file.flaws else []
    return {group: (*names, *for_all) for group, names in stopped.items()}


def _loaded(file: _File, policy: Policy, all_groups: AllGroups, shared: list[_File]) -> LoadedPolicy:
    root = file.document.root if file.document is not None else Scalar("", None, Span())
    return LoadedPolicy(policy, file.name, file.text, root, all_groups, shared[-1].name if shared else None)
