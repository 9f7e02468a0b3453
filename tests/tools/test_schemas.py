from __future__ import annotations

import json

import pytest
from jsonschema import Draft202012Validator

from phoenix.cli import COMMANDS
from phoenix.views.documents import DOCUMENTS
from tests.schemas import is_valid
from tools.write_schemas import FOLDER, texts

LOOSE = {"policy"}
"""`policy show` prints a policy: docs/policy.schema.json has its keys."""


def test_the_schemas_of_all_documents_are_current() -> None:
    written = {file.name: file.read_text(encoding="utf-8") for file in FOLDER.glob("*.json")}

    assert written == texts(), "run: make schemas"


@pytest.mark.parametrize("name", sorted(texts()))
def test_each_file_is_a_schema(name: str) -> None:
    Draft202012Validator.check_schema(json.loads(texts()[name]))


def test_every_command_that_prints_documents_has_a_schema() -> None:
    assert {*COMMANDS} - {*DOCUMENTS} == {"demo", "completion", "ui"}


@pytest.mark.parametrize("command", sorted(DOCUMENTS))
def test_an_error_is_a_document_of_every_command_and_an_unknown_field_is_none(command: str) -> None:
    error = {"code": "usage", "message": "which group?", "hint": None}

    assert is_valid(command, {"error": error})
    assert is_valid(command, {"error": {**error, "hue": 1}}) == (command in LOOSE)
