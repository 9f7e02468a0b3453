"""The documentation as a site: docs/, the README as its first page, and a reference that no hand has written.

Must never change docs/, and must never let a link go nowhere: one that leaves docs/ brings the file that it names into
the site, and Zensical refuses links to pages and headings that do not exist.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Final

import yaml

from tools import reference

ROOT: Final = Path(__file__).resolve().parent.parent
BUILD: Final = ROOT / "build/docs"
SITE: Final = BUILD / "site"
FILES: Final = PurePosixPath("files")
"""The folder of the site for what a page links to and docs/ does not hold."""

LINK: Final = re.compile(r"(?<=\]\()([^)\s#:]+)(#[^)\s]*)?(?=\))")
"""A link to another file, its fragment apart. One with a colon has a scheme, and leads to another host."""


@dataclass(slots=True)
class Pages:
    """The sources of the site: its pages by their path, and the repository's files that they name."""

    root: Path
    texts: dict[PurePosixPath, str] = field(default_factory=dict)
    missing: list[str] = field(default_factory=list)

    def add(self, place: PurePosixPath, text: str, origin: PurePosixPath) -> None:
        """Take a page in; its links are written for the site, and what they name in the repository comes along."""
        self.texts[place] = ""  # first its place: two files may name each other
        self.texts[place] = LINK.sub(lambda found: self._link(found, place, origin), text)

    def _link(self, found: re.Match[str], place: PurePosixPath, origin: PurePosixPath) -> str:
        path, fragment = found[1], found[2] or ""
        target = PurePosixPath(os.path.normpath(origin.parent / path))
        inside = self._placed(target, f"{origin}: {path}")
        return f"{os.path.relpath(inside, place.parent)}{fragment}" if inside else found[0]

    def _placed(self, target: PurePosixPath, told: str) -> PurePosixPath | None:
        """Where the site has a file of the repository; None if there is no such file."""
        path = self.root / target
        if not path.exists():
            self.missing.append(told)
            return None
        if target.parts[0] == "docs":
            return PurePosixPath(*target.parts[1:])
        if target == PurePosixPath("README.md"):
            return PurePosixPath("index.md")
        place = FILES / (target if target.suffix == ".md" else PurePosixPath(f"{target}.md"))
        if place not in self.texts:
            self.add(place, _shown(path, target), target)
        return place


def _shown(path: Path, target: PurePosixPath) -> str:
    """A file of the repository as a page: Markdown as it is, a folder as its list, all else as a block."""
    if path.is_dir():
        names = "\n".join(f"- `{each.name}`" for each in sorted(path.iterdir()) if not each.name.startswith("."))
        return f"# {target}\n\n{names}\n"
    text = path.read_text(encoding="utf-8")
    if path.suffix == ".md":
        return text
    return f"# {target}\n\n```{path.suffix.removeprefix('.') or 'text'}\n{text.rstrip()}\n```\n"


def gather(root: Path) -> Pages:
    """Read every page of docs/ and the README, with what they link to."""
    pages = Pages(root)
    pages.add(PurePosixPath("index.md"), (root / "README.md").read_text(encoding="utf-8"), PurePosixPath("README.md"))
    for path in sorted((root / "docs").rglob("*.md")):
        place = PurePosixPath(path.relative_to(root / "docs").as_posix())
        pages.add(place, path.read_text(encoding="utf-8"), PurePosixPath("docs") / place)
    return pages


def main(arguments: Sequence[str] = ()) -> int:
    """Write the site to build/docs/site; return the exit status. `--serve` shows it on this machine instead."""
    pages = gather(ROOT)
    pages.texts[PurePosixPath("reference/cli.md")] = reference.cli()
    pages.texts[PurePosixPath("reference/keys.md")] = reference.keys()
    if pages.missing:
        print("\n".join(f"site: {each} is not there" for each in pages.missing), file=sys.stderr)
        return 1
    _write(pages)
    configuration = _configuration(pages)
    command = ["serve"] if "--serve" in arguments else ["build", "--clean", "--strict"]
    return _zensical([*command, "--config-file", str(configuration)], shown="--serve" in arguments)


def _zensical(words: Sequence[str], *, shown: bool) -> int:
    """Run it; what it says of a build is shown only where it objects to something."""
    command = [sys.executable, "-m", "zensical", *words]
    done = subprocess.run(command, stdout=None if shown else subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
    if done.returncode:
        sys.stderr.buffer.write(done.stdout or b"")
    else:
        print(f"site: every link leads somewhere; {SITE.relative_to(ROOT)}/index.html")
    return done.returncode


def _write(pages: Pages) -> None:
    """Lay the pages out, with what docs/ holds besides them: pictures and schemas."""
    shutil.rmtree(BUILD, ignore_errors=True)
    shutil.copytree(ROOT / "docs", BUILD / "pages", ignore=shutil.ignore_patterns("*.md"))
    for place, text in pages.texts.items():
        path = BUILD / "pages" / place
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")


def _configuration(pages: Pages) -> Path:
    """The configuration: mkdocs.yml, which Zensical reads, and the decisions in their order."""
    decisions = [str(place) for place in sorted(pages.texts) if place.parts[0] == "decisions"]
    base = yaml.safe_load((ROOT / "mkdocs.yml").read_text(encoding="utf-8"))
    nav = [*base["nav"], {"Decisions": ["decisions/README.md", *(each for each in decisions if "README" not in each)]}]
    path = BUILD / "mkdocs.yml"
    path.write_text(yaml.safe_dump({**base, "nav": nav}, sort_keys=False), encoding="utf-8")
    return path


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
