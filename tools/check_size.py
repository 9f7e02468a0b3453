"""Hold files, functions and parameter lists to the sizes that fit on a screen and in a head.

Must never grow exceptions by name: split the thing that hits a limit, or gather its parameters into a dataclass.

A function counts from `def` to its last line, docstring included, decorators not. Parameters are counted the way ruff
counts them (keyword-only ones too; self, cls, *args and **kwargs not), with one difference: a function that click's
decorators turn into a command takes one parameter per option, because click leaves it no choice. Tests are held to
lengths only: their builders have a keyword per fact, all of them defaulted.
"""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

FILE_LINES = 350
FUNCTION_LINES = 40
PARAMETERS = 5
FOLDERS = ("phoenix", "tests", "tools")

Function = ast.FunctionDef | ast.AsyncFunctionDef


def main(root: Path = Path()) -> int:
    """Print every finding under root as `file:line: message`; return the exit status."""
    findings = [
        f"{path.relative_to(root)}:{line}: {message}"
        for folder in FOLDERS
        for path in sorted((root / folder).rglob("*.py"))
        for line, message in oversized(path.read_text(encoding="utf-8"), count_parameters=folder != "tests")
    ]
    print("\n".join(findings) or "sizes: all within limits")
    return 1 if findings else 0


def oversized(source: str, *, count_parameters: bool = True) -> Iterator[tuple[int, str]]:
    """Yield (line, message) for everything in source that is larger than allowed."""
    lines = len(source.splitlines())
    if lines > FILE_LINES:
        yield FILE_LINES + 1, f"file has {lines} lines, at most {FILE_LINES} are allowed"
    for node in ast.walk(ast.parse(source)):
        if not isinstance(node, Function):
            continue
        length = (node.end_lineno or node.lineno) - node.lineno + 1
        if length > FUNCTION_LINES:
            yield node.lineno, f"{node.name} has {length} lines, at most {FUNCTION_LINES} are allowed"
        parameters = _parameters(node)
        if count_parameters and parameters > PARAMETERS and not _is_click_command(node):
            yield node.lineno, f"{node.name} takes {parameters} parameters, at most {PARAMETERS} are allowed"


def _parameters(function: Function) -> int:
    taken = function.args
    positional = [argument.arg for argument in (*taken.posonlyargs, *taken.args)]
    bound = 1 if positional[:1] in (["self"], ["cls"]) else 0
    return len(positional) - bound + len(taken.kwonlyargs)


def _is_click_command(function: Function) -> bool:
    calls = (decorator.func for decorator in function.decorator_list if isinstance(decorator, ast.Call))
    names = [call.attr if isinstance(call, ast.Attribute) else getattr(call, "id", None) for call in calls]
    return any(name in ("command", "group") for name in names)


if __name__ == "__main__":
    sys.exit(main())
