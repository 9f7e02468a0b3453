"""Print the figures of the house: how large its rooms are, what its values hold, and which words are left.

Must never judge: limits are `check_size`'s, and these are figures to compare two trees by. `python -m tools.house DIR`
measures another checkout.
"""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from statistics import median
from typing import Final

Function = ast.FunctionDef | ast.AsyncFunctionDef
PURE_AND_ENGINE: Final = ("core", "engine")
BANNED: Final = ("nobody", "somebody", "whoever", "one who", "so many", "what is")
WORDED: Final = {"phoenix": ("*.py",), "tests": ("*.py", "*.txt"), "docs": ("*.md",)}


def main(root: Path = Path()) -> int:
    """Print a figure a line: its name, two spaces or more, its value."""
    found = figures(root)
    width = max(map(len, found))
    print("\n".join(f"{name:<{width}}  {value}" for name, value in found.items()))
    return 0


def figures(root: Path) -> dict[str, str]:
    """Every figure of the tree below `root`, in the order in which they are printed."""
    trees = {path: path.read_text(encoding="utf-8") for path in sorted((root / "phoenix").rglob("*.py"))}
    parsed = {path: ast.parse(text) for path, text in trees.items()}
    inner = {path: tree for path, tree in parsed.items() if path.relative_to(root).parts[1] in PURE_AND_ENGINE}
    return {
        **_sizes("phoenix", {str(path.relative_to(root)): len(text.splitlines()) for path, text in trees.items()}),
        **_tests(root),
        **_functions(parsed, root),
        "dataclass with most fields": _largest_dataclass(parsed),
        "dataclass with most fields, core and engine": _largest_dataclass(inner),
        "replace( in core and engine": str(sum(_replaces(tree) for tree in inner.values())),
        "functions that take a whole Rotation": str(sum(_takes(tree, "Rotation") for tree in inner.values())),
        "functions that take a whole Group": str(sum(_takes(tree, "Group") for tree in inner.values())),
        **{f'"{word}" in {folder}': str(count) for folder, word, count in _words(root)},
    }


def _sizes(name: str, lines: Mapping[str, int]) -> dict[str, str]:
    largest = max(lines, key=lambda each: lines[each])
    return {
        f"{name}: lines": str(sum(lines.values())),
        f"{name}: files": str(len(lines)),
        f"{name}: median file": f"{median(lines.values()):g}",
        f"{name}: largest file": f"{lines[largest]} {largest}",
        f"{name}: files under 40 lines": str(sum(count < 40 for count in lines.values())),
    }


def _tests(root: Path) -> dict[str, str]:
    paths = sorted((root / "tests").rglob("*.py"))
    lines = {str(path.relative_to(root)): len(path.read_text(encoding="utf-8").splitlines()) for path in paths}
    odd = re.compile(r"_(edges|told|whole|story)$")
    return {
        **_sizes("tests", lines),
        "tests: files that mirror no module": str(sum(odd.search(path.stem) is not None for path in paths)),
    }


def _functions(parsed: Mapping[Path, ast.Module], root: Path) -> dict[str, str]:
    lengths = {
        f"{path.relative_to(root)}:{node.name}": (node.end_lineno or node.lineno) - node.lineno + 1
        for path, tree in parsed.items()
        for node in ast.walk(tree)
        if isinstance(node, Function)
    }
    longest = max(lengths, key=lambda each: lengths[each])
    return {
        "functions": str(len(lengths)),
        "median function": f"{median(lengths.values()):g}",
        "largest function": f"{lengths[longest]} {longest}",
    }


def _largest_dataclass(parsed: Mapping[Path, ast.Module]) -> str:
    counts = {
        f"{path.stem}.{node.name}": sum(isinstance(each, ast.AnnAssign) for each in node.body)
        for path, tree in parsed.items()
        for node in ast.walk(tree)
        if isinstance(node, ast.ClassDef) and any("dataclass" in ast.unparse(each) for each in node.decorator_list)
    }
    largest = max(counts, key=lambda each: counts[each])
    return f"{counts[largest]} {largest}"


def _replaces(tree: ast.Module) -> int:
    calls = (node.func for node in ast.walk(tree) if isinstance(node, ast.Call))
    return sum(isinstance(func, ast.Name) and func.id == "replace" for func in calls)


def _takes(tree: ast.Module, kind: str) -> int:
    functions = (node for node in ast.walk(tree) if isinstance(node, Function))
    return sum(any(_names(argument, kind) for argument in _arguments(node)) for node in functions)


def _arguments(node: Function) -> Iterator[ast.arg]:
    yield from (*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs)


def _names(argument: ast.arg, kind: str) -> bool:
    return argument.annotation is not None and kind in ast.unparse(argument.annotation).split(" | ")


def _words(root: Path) -> Iterator[tuple[str, str, int]]:
    for folder, patterns in WORDED.items():
        texts = [path.read_text(encoding="utf-8") for each in patterns for path in sorted((root / folder).rglob(each))]
        for word in BANNED:
            spelt = re.compile(rf"(?<![A-Za-z]){word.replace(' ', '[ _]')}", re.IGNORECASE)
            yield folder, word, sum(len(spelt.findall(text)) for text in texts)


if __name__ == "__main__":
    sys.exit(main(*map(Path, sys.argv[1:2])))
