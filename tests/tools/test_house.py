"""The figures of a small house of three rooms."""

from __future__ import annotations

from pathlib import Path

from tools.house import BANNED, figures

FIRST = BANNED[0]
RECORD = """from dataclasses import dataclass, replace

@dataclass(frozen=True)
class Rotation:
    id: str
    step: int

    def next(self) -> "Rotation":
        return replace(self, step=self.step + 1)

def id_of(rotation: Rotation | None, *, group: str) -> str:
    return rotation.id if rotation else group
"""


def a_house(root: Path) -> Path:
    rooms = {
        "phoenix/core/record.py": RECORD,
        "phoenix/views/text.py": f'"""{", ".join(BANNED)}."""\n',
        "tests/core/test_record_edges.py": f"def test_{FIRST}_asks() -> None: ...\n",
        "docs/page.md": f"{FIRST.capitalize()} reads.\n",
    }
    for name, text in rooms.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return root


def test_sizes_fields_and_calls_are_counted(tmp_path: Path) -> None:
    found = figures(a_house(tmp_path))

    assert found["phoenix: files"] == "2"
    assert found["phoenix: largest file"] == "12 phoenix/core/record.py"
    assert found["largest function"] == "2 phoenix/core/record.py:id_of"
    assert found["dataclass with most fields"] == "2 record.Rotation"
    assert found["replace( in core and engine"] == "1"
    assert found["functions that take a whole Rotation"] == "1"


def test_words_are_counted_a_folder_each_in_names_too(tmp_path: Path) -> None:
    found = figures(a_house(tmp_path))

    assert [found[f'"{word}" in phoenix'] for word in BANNED] == ["1"] * len(BANNED)
    assert found[f'"{FIRST}" in tests'] == found[f'"{FIRST}" in docs'] == "1"


def test_a_test_file_that_mirrors_no_module_is_counted(tmp_path: Path) -> None:
    assert figures(a_house(tmp_path))["tests: files that mirror no module"] == "1"
