"""Change what decides in thousands of small ways, and count the changes that no test notices.

mutmut does the work, on a copy under build/, because it writes beside what it mutates. Must never show a score of what
did not run: a mutant without a verdict is an error, not a kill. docs/mutants.md judges those that survive.
"""

from __future__ import annotations

import ast
import json
import random
import re
import shutil
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from contextlib import chdir
from pathlib import Path

FLOOR_PERCENT = 90
PACKAGES = ("core", "strategies", "engine")
COPIED = ("phoenix", "tests", "tools", "pyproject.toml")
WORK = Path("build/mutants")
JUDGED = Path("docs/mutants.md")
SEEN_THROUGH = {"staticmethod", "classmethod"}
"""The decorators that mutmut mutates under; what has any other, a property for one, it leaves alone."""
VERDICTS = {"killed": "killed", "timeout": "killed", "survived": "survived", "no tests": "survived"}
"""mutmut's words, and what they count as: a mutant that never comes to an end has been noticed."""

UNUSED = ("cacheprovider", "cov", "xdist")
SETTINGS = f"""
[tool.mutmut]
source_paths = ["phoenix"]
only_mutate = {[f"phoenix/{package}/*" for package in PACKAGES]}
also_copy = ["tools"]
pytest_add_cli_args_test_selection = {[f"tests/{package}" for package in PACKAGES]}
pytest_add_cli_args = {["-x", "--tb=no", *(f"-pno:{name}" for name in UNUSED), "-ptools.mutants_plugin"]}
"""

Verdicts = Mapping[str, str]
"""By the mutant's name (`phoenix.core.rest.x_rest__mutmut_7`): killed or survived."""


def main(arguments: Sequence[str], root: Path = Path()) -> int:
    """Mutate the modules of these names (`core.rest`), all for none; 1 when too many survive or the run broke off.

    `--sample 1000` tries 1,000 mutants, drawn from all modules, the same ones each time.
    """
    began = time.monotonic()
    work = root / WORK
    prepare(root, work)
    sampled = list(arguments[:1]) == ["--sample"]
    names = [] if sampled else list(arguments)
    # All mutants are made before the first one is tried: the smallest module makes those for the draw.
    if not _run(work, ["phoenix.strategies.blue_green.*"] if sampled else [f"phoenix.{name}.*" for name in names]):
        print("mutants: the run broke off; nothing can be said", file=sys.stderr)
        return 1
    drawn = draw(work, int(arguments[1])) if sampled else []
    if sampled and not _run(work, drawn):
        print("mutants: the run broke off; nothing can be said", file=sys.stderr)
        return 1
    verdicts = read_verdicts(work, names, drawn)
    survivors = [mutant for mutant, verdict in verdicts.items() if verdict == "survived"]
    (work / "survivors.diff").write_text(_diffs(work, survivors), encoding="utf-8")
    print("\n" + table(verdicts))
    for line in not_judged(survivors, (root / JUDGED).read_text(encoding="utf-8")):
        print(line)
    print(f"{time.monotonic() - began:.0f} s; the survivors are in {WORK / 'survivors.diff'}")
    score = percent(verdicts.values())
    if score < FLOOR_PERCENT and not names:
        print(f"mutants: {score:.1f} % were killed, {FLOOR_PERCENT} % have to be", file=sys.stderr)
        return 1
    return 0


def prepare(root: Path, work: Path) -> None:
    """A fresh copy of what the tests need, with nothing in it that mutmut would pass over."""
    shutil.rmtree(work, ignore_errors=True)
    work.mkdir(parents=True)
    for name in COPIED:
        copy = shutil.copytree if (root / name).is_dir() else shutil.copy
        copy(root / name, work / name)
    for package in PACKAGES:
        for path in (work / "phoenix" / package).glob("*.py"):
            path.write_text(plain(path.read_text(encoding="utf-8")), encoding="utf-8")
    with (work / "pyproject.toml").open("a", encoding="utf-8") as settings:
        settings.write(SETTINGS)


def plain(source: str) -> str:
    """The same module with decorators called by name, `x = (property)(x)` after `def x`: that mutmut does mutate."""
    lines = source.splitlines()
    functions = [node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.FunctionDef)]
    for function in sorted(functions, key=lambda node: -node.lineno):
        match function.decorator_list:
            case [decorator] if ast.unparse(decorator) not in SEEN_THROUGH:
                indent = " " * function.col_offset
                wrapped = f"{indent}{function.name} = ({ast.unparse(decorator)})({function.name})"
                lines.insert(function.end_lineno or function.lineno, wrapped)
                lines[decorator.lineno - 1 : decorator.end_lineno] = []
    return "\n".join(lines) + "\n"


def _run(work: Path, patterns: Sequence[str]) -> bool:
    command = [str(Path(sys.executable).absolute().with_name("mutmut")), "run", "--max-children", "2"]
    return subprocess.run([*command, *patterns], cwd=work, check=False).returncode == 0


def _codes(work: Path) -> dict[str, int | None]:
    codes: dict[str, int | None] = {}
    for path in sorted(work.glob("mutants/phoenix/**/*.py.meta")):
        codes |= json.loads(path.read_text(encoding="utf-8"))["exit_code_by_key"]
    return codes


def draw(work: Path, count: int) -> list[str]:
    """Draw a sample of the mutants, the same in every run of the same tree."""
    made = sorted(_codes(work))
    return random.Random(1).sample(made, min(count, len(made)))


def read_verdicts(work: Path, names: Sequence[str] = (), drawn: Sequence[str] = ()) -> Verdicts:
    """What became of each mutant of these modules, of all for none; of those `drawn`, where any were.

    Raises:
        ValueError: a mutant has no verdict.
    """
    from mutmut.stats import status_by_exit_code

    codes = _codes(work)
    wanted = tuple(f"phoenix.{name}." for name in names) or ("",)
    chosen = drawn or [mutant for mutant in codes if mutant.startswith(wanted)]
    told = {mutant: status_by_exit_code[codes[mutant]] for mutant in chosen}
    without = [mutant for mutant, status in told.items() if status not in VERDICTS]
    if without or not told:
        raise ValueError(f"no verdict on {len(without)} of {len(told)} mutants: {', '.join(without[:3])}")
    return {mutant: VERDICTS[status] for mutant, status in told.items()}


def _diffs(work: Path, survivors: Iterable[str]) -> str:
    from mutmut.mutation.diff_apply import get_diff_for_mutant

    with chdir(work):
        paths = {mutant: mutant.rpartition(".")[0].replace(".", "/") + ".py" for mutant in survivors}
        return "\n\n".join(f"# {mutant}\n{get_diff_for_mutant(mutant, path=path)}" for mutant, path in paths.items())


def function_of(mutant: str) -> str:
    """`core.model.Route.percent` for `phoenix.core.model.xǁRouteǁpercent__mutmut_3`."""
    module, _, mangled = mutant.removeprefix("phoenix.").rpartition(".")
    named = mangled.partition("__mutmut_")[0]
    return f"{module}.{named.removeprefix('x_').removeprefix('xǁ').replace('ǁ', '.')}"


def not_judged(survivors: Iterable[str], judgements: str) -> list[str]:
    """Of which functions more mutants survive than the page accounts for. Its rows: | `core.rest.rest` | 2 | why |."""
    judged: Counter[str] = Counter()
    for function, count in re.findall(r"^\| `([\w.]+)` \| (\d+) \|", judgements, re.MULTILINE):
        judged[function] += int(count)
    found = Counter(function_of(mutant) for mutant in survivors)
    return [
        f"not judged: {function}, {count} survive and {judged[function]} are accounted for"
        for function, count in sorted(found.items())
        if count > judged[function]
    ]


def table(verdicts: Verdicts) -> str:
    """The count for each package, and for all of them."""
    rows = [["package", "mutants", "killed", "survived", "score"]]
    for package in (*PACKAGES, ""):
        found = [verdict for mutant, verdict in verdicts.items() if mutant.startswith(f"phoenix.{package}")]
        if found:
            count, name = Counter(found), f"phoenix.{package}".rstrip(".")
            numbers = (len(found), count["killed"], count["survived"])
            rows.append([name, *map(str, numbers), f"{percent(found):.1f} %"])
    return "\n".join(f"{name:<20}{''.join(f'{cell:>10}' for cell in cells)}" for name, *cells in rows)


def percent(verdicts: Iterable[str]) -> float:
    """The share of the killed."""
    count = Counter(verdicts)
    return 100 * count["killed"] / count.total()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
