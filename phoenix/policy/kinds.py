"""One key of a policy, many adapters: `kind` picks the adapter whose keys the mapping has.

The adapters' tables are the only list: a new adapter brings its own keys, and this module does not change.
"""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from pydantic import GetCoreSchemaHandler, GetJsonSchemaHandler
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, core_schema

from phoenix.keys import Kind, wrong


@dataclass(frozen=True)
class OneOf:
    """Annotates a field that holds the settings of one of several adapters.

    A bare word stands for a mapping with that kind and nothing else, as in `traffic: none`, for kinds that need no
    more; `default` is the kind of a mapping that names none. `elsewhere` has kinds that people ask for and that do not
    exist, each with a sentence about it.
    """

    models: Mapping[str, type[Kind]]
    default: str | None = None
    elsewhere: Mapping[str, str] = field(default_factory=dict)

    @cached_property
    def words(self) -> list[str]:
        """The kinds that need no keys of their own."""
        fields = {kind: model.model_fields for kind, model in self.models.items()}
        return [kind for kind in fields if not any(f.is_required() for f in fields[kind].values())]

    def __get_pydantic_core_schema__(self, source: object, handler: GetCoreSchemaHandler) -> CoreSchema:
        """Make the union with `kind` as its discriminator; its members are known only at run time, so no annotation can
        name them."""
        choices = {kind: handler.generate_schema(model) for kind, model in self.models.items()}
        union = core_schema.tagged_union_schema(choices, discriminator="kind")
        return core_schema.no_info_before_validator_function(self._name_kind, union)

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        """Describe the union, or one of the words."""
        return {"anyOf": [*([{"enum": self.words}] if self.words else []), handler(schema)]}

    def _name_kind(self, value: object) -> object:
        """Make sure that a kind is named, and a known one."""
        if isinstance(value, Kind):
            return value
        if isinstance(value, str):
            return self._from_word(value)
        if not isinstance(value, Mapping):
            raise wrong(f"must be a mapping with a kind: {self._known}")
        if "kind" not in value and self.default is not None:
            return {"kind": self.default, **value}
        if "kind" not in value:
            raise wrong(f"kind is missing: {self._known}")
        self._check_known(value["kind"], ("kind",))
        return value

    def _from_word(self, word: str) -> dict[str, Any]:
        self._check_known(word, ())
        if word not in self.words:
            needed = [name for name, key in self.models[word].model_fields.items() if key.is_required()]
            raise wrong(f"{word} needs {' and '.join(needed)}: write {{kind: {word}, {needed[0]}: ...}}")
        return {"kind": word}

    def _check_known(self, kind: object, at: tuple[str, ...]) -> None:
        if isinstance(kind, str) and kind in self.models:
            return
        if isinstance(kind, str) and kind in self.elsewhere:
            raise wrong(f"kind {kind!r} does not exist: {self.elsewhere[kind]}", at=at)
        near = difflib.get_close_matches(kind, self.models, n=1) if isinstance(kind, str) else []
        meant = f"did you mean {near[0]}?" if near else f"known: {self._known}"
        raise wrong(f"unknown kind {kind!r}; {meant}", instead=near[0] if near else None, at=at)

    @property
    def _known(self) -> str:
        return ", ".join(self.models)
