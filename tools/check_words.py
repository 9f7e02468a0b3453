"""Keep empty words out of names, and traces of one developer's machine out of every file.

Must never print a line that it objects to, only where it is: the line may hold what must not be repeated in a log.
"""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

EMPTY_WORDS = {"manager", "helper", "helpers", "util", "utils", "process", "handle", "data", "impl"}
NAMED = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef
WORD = re.compile(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])")
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
    for path in _committed(root):
        findings += [f"{path.relative_to(root)}:{line}: {message}" for line, message in traces(path.read_bytes())]
    print("\n".join(findings) or "words: nothing to object to")
    return 1 if findings else 0


def empty_words(stem: str, source: str) -> Iterator[tuple[int, str]]:
    """Yield (line, message) for every file, class and function name with a word in it that says nothing."""
    names = [(1, stem), *((node.lineno, node.name) for node in ast.walk(ast.parse(source)) if isinstance(node, NAMED))]
    for line, name in names:
        for word in WORD.findall(name):
            if word.lower() in EMPTY_WORDS:
                yield line, f"{name}: {word.lower()!r} says nothing; name what it does"


def traces(content: bytes) -> Iterator[tuple[int, str]]:
    """Yield (line, message) for every trace in a text file; nothing for a binary one."""
    try:
        lines = content.decode("utf-8").split("\n")
    except UnicodeDecodeError:
        return
    for number, line in enumerate(lines, start=1):
        yield from ((number, message) for message, pattern in TRACES.items() if pattern.search(line))


def _committed(root: Path) -> list[Path]:
    """List the files of the next commit; none, with a note, where there is no git checkout to ask."""
    listing = ["git", "-C", str(root), "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    answer = subprocess.run(listing, capture_output=True, text=True, check=False)
    if answer.returncode != 0:
        print("words: not a git checkout, so only names were checked", file=sys.stderr)
    return [path for name in answer.stdout.split("\0") if name and (path := root / name).is_file()]


if __name__ == "__main__":
    sys.exit(main())
