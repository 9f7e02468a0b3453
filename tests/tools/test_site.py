"""The site of a small repository, and the reference of the real one."""

from __future__ import annotations

from pathlib import Path, PurePosixPath

import click

from phoenix.cli import COMMANDS, root
from phoenix.policy.schema import policy_schema
from tools import reference
from tools.site import ROOT, Pages, gather


def a_repository(folder: Path, **texts: str) -> Pages:
    files = {"README.md": "# Home\n", **{name.replace("__", "/"): text for name, text in texts.items()}}
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return gather(folder)


def text_of(pages: Pages, place: str) -> str:
    return pages.texts[PurePosixPath(place)]


def test_the_readme_is_the_first_page_and_its_links_lead_into_the_site(tmp_path: Path) -> None:
    pages = a_repository(tmp_path, **{"README.md": "[how](docs/use.md#now)", "docs/use.md": "[home](../README.md)"})

    assert text_of(pages, "index.md") == "[how](use.md#now)"
    assert text_of(pages, "use.md") == "[home](index.md)"


def test_a_file_outside_docs_comes_along_as_a_page_and_so_does_what_it_names(tmp_path: Path) -> None:
    pages = a_repository(
        tmp_path,
        **{
            "docs/deep/use.md": "[a](../../infra/README.md)",
            "infra/README.md": "[b](web.yaml) [docs](../docs/deep/use.md)",
            "infra/web.yaml": "group: web\n",
        },
    )

    assert text_of(pages, "deep/use.md") == "[a](../files/infra/README.md)"
    assert text_of(pages, "files/infra/README.md") == "[b](web.yaml.md) [docs](../../deep/use.md)"
    assert text_of(pages, "files/infra/web.yaml.md") == "# infra/web.yaml\n\n```yaml\ngroup: web\n```\n"


def test_a_folder_is_shown_as_the_list_of_its_files(tmp_path: Path) -> None:
    pages = a_repository(tmp_path, **{"docs/use.md": "[all](../policies)", "policies/web.yaml": "", "policies/.x": ""})

    assert text_of(pages, "files/policies.md") == "# policies\n\n- `web.yaml`\n"


def test_a_link_to_a_file_that_is_not_there_is_named_with_its_page(tmp_path: Path) -> None:
    pages = a_repository(tmp_path, **{"docs/use.md": "[x](gone.md) [y](https://example.com/gone.md) [z](#here)"})

    assert pages.missing == ["docs/use.md: gone.md"]
    assert text_of(pages, "use.md") == "[x](gone.md) [y](https://example.com/gone.md) [z](#here)"


def test_every_link_of_this_repository_names_a_file_that_is_there() -> None:
    assert gather(ROOT).missing == []


def test_every_command_and_every_option_is_in_the_reference() -> None:
    printed = reference.cli()

    with click.Context(root, info_name="phoenix") as context:
        for name in COMMANDS:
            command = root.get_command(context, name)
            assert command is not None
            assert f"## phoenix {name}\n" in printed
            longest = [max(each.opts, key=len) for each in command.params if isinstance(each, click.Option)]
            assert [option for option in longest if option not in printed] == []


def test_every_key_of_a_policy_is_in_the_reference_with_its_default() -> None:
    printed = reference.keys()

    named = [policy_schema(), *policy_schema()["$defs"].values()]
    keys = [key for each in named for key in each.get("properties", {}) if key != "kind"]
    assert [key for key in keys if f"| `{key}` |" not in printed] == []
    assert "| `hot_for` | duration | `1h` |" in printed
