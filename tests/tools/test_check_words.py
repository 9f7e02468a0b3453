"""Tests of tools/check_words.py."""

from __future__ import annotations

import pytest

from tools.check_words import aws_spellings, empty_words, traces, unfilled_names, vague_names, vague_words


@pytest.mark.parametrize(
    ("stem", "source", "line"),
    [
        ("utils", "", 1),
        ("alb", "class RouterManager: ...", 1),
        ("alb", "\ndef _process_all(): ...", 2),
        ("alb", "class A:\n    async def handle(self): ...", 2),
    ],
)
def test_a_name_that_says_nothing_is_found_where_it_stands(stem: str, source: str, line: int) -> None:
    assert [found for found, _ in empty_words(stem, source)] == [line]


@pytest.mark.parametrize("name", ["handler", "suspend_processes", "dataclass", "metadata", "manages"])
def test_words_that_only_contain_an_empty_word_are_left_alone(name: str) -> None:
    assert not list(empty_words(name, f"def {name}(): ..."))


@pytest.mark.parametrize(
    "text",
    [
        "see " + "/home" + "/person/notes",
        '"' + "/tmp" + '/scratch/file"',
        "--index-url" + "=https://packages.example.com",
        "https://packages.example.com" + "/simple",
        "an escape \x1b[0m",
        "a hidden \u200b space",
    ],
)
def test_a_trace_of_one_machine_is_found(text: str) -> None:
    assert [line for line, _ in traces(f"fine\n{text}\n".encode())] == [2]


@pytest.mark.parametrize("text", ["https://wiki.example.com/home/web", "a\ttab", "src/root/x", "--no-emit-index-url"])
def test_ordinary_text_and_binary_files_are_left_alone(text: str) -> None:
    assert not list(traces(text.encode()))
    assert not list(traces(b"\xff\xfe\x00" + text.encode()))


@pytest.mark.parametrize(
    "source",
    [
        'NAME = 1\nprint("{NAME}")',
        'def told(count):\n    return "{count} versions"',
        'NAME = 1\ndef told(count):\n    return (f"{count} versions:"\n        " {NAME}")',
        'def told(group):\n    return "{group.name} and {other!r:>4}"',
        'import sys\nclass A:\n    def told(self):\n        return lambda: "{sys}"',
    ],
)
def test_a_name_that_no_f_fills_in_is_found(source: str) -> None:
    assert len(list(unfilled_names(source))) == 1


@pytest.mark.parametrize(
    "source",
    [
        'NAME = 1\nprint(f"{NAME}")',
        'SENTENCE = "no {name} here"\nprint(SENTENCE.format(name=1))',
        'def told(count):\n    return "{count}".format(count=count)',
        'def told(why):\n    return Complaint("{why}", {"why": why})',
        'name = 1\nARN = "arn:${name}"',
        'def told(count):\n    """Say {count}."""',
        'def told(count): ...\nSENTENCE = "{count}"',
    ],
)
def test_what_is_filled_in_later_or_elsewhere_is_left_alone(source: str) -> None:
    assert not list(unfilled_names(source))


@pytest.mark.parametrize(
    ("name", "text", "line"),
    [
        ("phoenix/cli/x.py", '"""One line.\n\n' + "Nobody" + ' waits.\n"""\n', 3),
        ("phoenix/core/x.py", "x = 1\ny = 2  # " + "whoever" + " asks\n", 2),
        ("tests/core/x.py", 'x = 1\n\ny = f"{x} of ' + "so many" + '"\n', 3),
        ("docs/x.md", "A page.\nFor one\nwho reads it.\n", 2),
    ],
)
def test_a_vague_subject_in_prose_is_found_where_it_stands(name: str, text: str, line: int) -> None:
    assert [found for found, _ in vague_words(name, text.encode())] == [line]


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("phoenix/cli/x.py", "x = " + "nobody" + "\n"),
        ("tools/x.py", 'WORDS = ("' + "nobody" + '", "' + "so many" + '")\n'),
        ("docs/x.md", "Not as many as that.\n"),
    ],
)
def test_variables_and_mentions_are_left_alone(name: str, text: str) -> None:
    assert not list(vague_words(name, text.encode()))
    assert not list(vague_words(name, b"\xff\xfe\x00" + text.encode()))


@pytest.mark.parametrize("room", ["core/upkeep.py", "engine/many/sweep.py", "strategies/canary.py", "views/plan.py"])
@pytest.mark.parametrize(
    "spelled",
    ['f"aws autoscaling set-desired-capacity --name {group}"', '"see it with aws ec2"', '("AddToLoadBalancer", 1)'],
)
def test_a_room_without_aws_spells_no_command_and_no_name_of_its_api(room: str, spelled: str) -> None:
    assert [line for line, _ in aws_spellings(f"phoenix/{room}", f"\ngroup = 1\nx = {spelled}\n")] == [3]


@pytest.mark.parametrize(
    "fine",
    ['"AWS asks"', '"CloudTrailx1"', '"""Of MaxSize."""', "MaxSize = 1", '"laws of it"', '__all__ = ["PlannedStep"]'],
)
def test_prose_and_names_of_our_own_are_left_alone(fine: str) -> None:
    assert not list(aws_spellings("phoenix/core/roles.py", fine))


def test_an_adapter_spells_what_it_needs() -> None:
    assert not list(aws_spellings("phoenix/fleets/pair.py", 'x = "aws ec2 DescribeImages"'))


@pytest.mark.parametrize(
    "name", ["Nobody", "is_asked_by_nobody", "test_nobodys_way", "test_whoever_asks", "a_source_for_one_who_asks"]
)
def test_a_vague_subject_in_a_name_is_found(name: str) -> None:
    assert [line for line, _ in vague_names(f"x = 1\nclass {name}: ...\n")] == [2]


@pytest.mark.parametrize("name", ["test_the_one_whose_note_is_gone", "Anybodys", "test_not_so_much"])
def test_a_name_that_only_resembles_a_vague_subject_is_left_alone(name: str) -> None:
    assert not list(vague_names(f"class {name}: ..."))
