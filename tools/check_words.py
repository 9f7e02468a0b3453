"""Keep empty words out of names, vague subjects out of prose, AWS's spellings out of what decides, and traces of one
developer's machine out of every file.

Must never print a line that it objects to, only where it is: the line may hold what must not be repeated in a log.
"""

from __future__ import annotations

import ast
import io
import re
import subprocess
import sys
import tokenize
from collections.abc import Iterator
from pathlib import Path

EMPTY_WORDS = {"manager", "helper", "helpers", "util", "utils", "process", "handle", "data", "impl"}
VAGUE_WORDS = ("nobody", "somebody", "whoever", "one who", "so many")
WITHOUT_AWS = tuple(f"phoenix/{room}/" for room in ("core", "engine", "strategies", "views"))
"""Rooms to which adapters translate: no command of the AWS CLI is spelled there, and no name of AWS's API."""
SPELLINGS = {
    "a command of the AWS CLI": re.compile(r"\baws [a-z]"),
    "a name of AWS's API": re.compile(r"(?<!\w)[A-Z][a-z]+(?:[A-Z][a-z]+)+(?!\w)"),
}
NAMED = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef
SCOPES = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.Lambda)
IN_BRACES = re.compile(r"(?<!\$)\{([A-Za-z_]\w*)(?:[.\[][^{}]*)?(?:![rsa])?(?::[^{}]*)?\}")
WORD = re.compile(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])")
VAGUE = re.compile(r"(?<![\w.])(?:" + "|".join(VAGUE_WORDS).replace(" ", r"\s+") + r")(?!\w)", re.IGNORECASE)
VAGUE_NAME = re.compile(
    r"(?:^|_)(" + "|".join(VAGUE_WORDS).replace(" ", "_") + r")(?:(?<=body)s)?(?:_|$)", re.IGNORECASE
)
TRACES = {
    "a path of one machine": re.compile(r"(?<![\w.}~/-])/(?:root|work|workspace|home|Users|tmp/\w+)/"),
    "a package index address": re.compile(
        r"--(?:(?:extra-)?index-url|find-links|trusted-host)[ =]|https?://\S+/simple\b"
    ),
    "a control character": re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u200b-\u200f\u202a-\u202e\u2066-\u2069\ufeff]"),
}


def main(root: Path = Path()) -> int:
    """Print every finding under root as `file:line: message`; return the exit status."""
    findings: list[str] = []
    for path in sorted((root / "phoenix").rglob("*.py")):
        named = empty_words(path.stem, path.read_text(encoding="utf-8"))
        findings += [f"{path.relative_to(root)}:{line}: {message}" for line, message in named]
        unfilled = unfilled_names(path.read_text(encoding="utf-8"))
        findings += [f"{path.relative_to(root)}:{line}: {message}" for line, message in unfilled]
        spelled = aws_spellings(path.relative_to(root).as_posix(), path.read_text(encoding="utf-8"))
        findings += [f"{path.relative_to(root)}:{line}: {message}" for line, message in spelled]
    for path in _committed(root):
        where = path.relative_to(root)
        found = [*traces(path.read_bytes()), *vague_words(where.as_posix(), path.read_bytes())]
        if path.suffix == ".py":
            found += vague_names(path.read_text(encoding="utf-8"))
        findings += [f"{where}:{line}: {message}" for line, message in found]
    print("\n".join(findings) or "words: nothing to object to")
    return 1 if findings else 0


def empty_words(stem: str, source: str) -> Iterator[tuple[int, str]]:
    """Yield (line, message) for every file, class and function name with a word in it that says nothing."""
    names = [(1, stem), *((node.lineno, node.name) for node in ast.walk(ast.parse(source)) if isinstance(node, NAMED))]
    for line, name in names:
        for word in WORD.findall(name):
            if word.lower() in EMPTY_WORDS:
                yield line, f"{name}: {word.lower()!r} says nothing; name what it does"


def vague_names(source: str) -> Iterator[tuple[int, str]]:
    """Yield (line, message) for every class and function whose name has a vague subject, tests included."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, NAMED) and (found := VAGUE_NAME.search(node.name)):
            yield node.lineno, f"{node.name}: {found[1]!r} is vague; name the driver, the group or the person"


def unfilled_names(source: str) -> Iterator[tuple[int, str]]:
    """Yield (line, message) for every string with a name of its scope in braces that no `f` fills in.

    A docstring is prose, `${…}` is for IAM and Terraform, and what a call is given beside the string fills it in.
    """
    yield from _unfilled(ast.parse(source), frozenset())


def _unfilled(scope: ast.AST, outer: frozenset[str]) -> Iterator[tuple[int, str]]:
    inside = list(_inside(scope))
    names = outer | {name for node in inside for name in _bound(node)}
    given = {id(part): _given(node) for node in inside if isinstance(node, ast.Call) for part in _strings(node)}
    prose = {id(node.value) for node in inside if isinstance(node, ast.Expr)}
    for node in inside:
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in prose:
            found = names.intersection(IN_BRACES.findall(node.value)) - given.get(id(node), set())
            for name in sorted(found):
                yield node.lineno, f"{{{name}}} is printed as it stands: the string has no f before it"
        if isinstance(node, SCOPES):
            yield from _unfilled(node, names)


def aws_spellings(name: str, source: str) -> Iterator[tuple[int, str]]:
    """Yield (line, message) for every string of a room without AWS that spells AWS's own words; a docstring may,
    and the names of a package's own that `__all__` lists."""
    if not name.startswith(WITHOUT_AWS):
        return
    tree = ast.parse(source)
    prose = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    listed = [
        node.value for node in tree.body if isinstance(node, ast.Assign) and "__all__" in ast.dump(node.targets[0])
    ]
    prose |= {id(node) for value in listed for node in ast.walk(value)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in prose:
            for what, pattern in SPELLINGS.items():
                if found := pattern.search(node.value):
                    yield node.lineno, f"{found.group()!r} is {what}: adapters spell it"


def _inside(scope: ast.AST) -> Iterator[ast.AST]:
    """What belongs to this scope alone; of the scopes within it only that they are there."""
    for node in ast.iter_child_nodes(scope):
        yield node
        if not isinstance(node, SCOPES):
            yield from _inside(node)


def _given(call: ast.Call) -> set[str]:
    """Names that a call hands over: `"{x}".format(x=1)`, `Complaint("{x}", {"x": 1})`."""
    named = {each.arg for each in call.keywords if each.arg is not None}
    keys = (key for each in call.args if isinstance(each, ast.Dict) for key in each.keys)
    return named | {str(key.value) for key in keys if isinstance(key, ast.Constant)}


def _strings(call: ast.Call) -> Iterator[ast.expr]:
    yield from call.args
    if isinstance(call.func, ast.Attribute) and call.func.attr == "format":
        yield call.func.value


def _bound(node: ast.AST) -> Iterator[str]:
    match node:
        case ast.Name(id=name, ctx=ast.Store()) | ast.arg(arg=name) | ast.alias(asname=str(name)):
            yield name
        case ast.alias(name=name):
            yield name.split(".")[0]
        case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) | ast.ClassDef(name=name):
            yield name
        case _:
            return


def traces(content: bytes) -> Iterator[tuple[int, str]]:
    """Yield (line, message) for every trace in a text file; nothing for a binary one."""
    try:
        lines = content.decode("utf-8").split("\n")
    except UnicodeDecodeError:
        return
    for number, line in enumerate(lines, start=1):
        yield from ((number, message) for message, pattern in TRACES.items() if pattern.search(line))


def vague_words(name: str, content: bytes) -> Iterator[tuple[int, str]]:
    """Yield (line, message) for every vague subject in the file's prose; in Python that is its comments and strings.

    A string that is nothing but such a word is a mention of it, not prose.
    """
    try:
        text = content.decode("utf-8")
    except UnicodeDecodeError:
        return
    for start, passage in _prose(text) if name.endswith(".py") else [(1, text)]:
        for found in VAGUE.finditer(passage):
            if passage.strip("\"'").lower() not in VAGUE_WORDS:
                line = start + passage.count("\n", 0, found.start())
                yield line, f"{found.group().lower()!r} is vague; name the driver, the group or the person"


def _prose(source: str) -> Iterator[tuple[int, str]]:
    """Yield (line, text) for every comment and string; from Python 3.12 on f-strings come in pieces."""
    kinds = {tokenize.COMMENT, tokenize.STRING, getattr(tokenize, "FSTRING_MIDDLE", tokenize.STRING)}
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type in kinds:
            yield token.start[0], token.string


def _committed(root: Path) -> list[Path]:
    """List the files of the next commit; none, with a note, where there is no git checkout to ask."""
    listing = ["git", "-C", str(root), "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    answer = subprocess.run(listing, capture_output=True, text=True, check=False)
    if answer.returncode != 0:
        print("words: not a git checkout, so only names were checked", file=sys.stderr)
    return [path for name in answer.stdout.split("\0") if name and (path := root / name).is_file()]


if __name__ == "__main__":
    sys.exit(main())
