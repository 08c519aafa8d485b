"""The JSON Schema of a lab's file, Pulumi.<lab>.yaml, by which an editor checks and completes it.

``python -m components.schema`` writes it to docs/Pulumi.schema.json.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from pydantic.json_schema import GenerateJsonSchema, JsonSchemaValue
from pydantic_core import core_schema

from .config.model import Configuration

FILE = Path(__file__).parent.parent / "docs" / "Pulumi.schema.json"
_NAMESPACE = "cloudlet:"


class _ForPeople(GenerateJsonSchema):
    """As strict as the models, without what only a Python programmer would read."""

    def field_title_should_be_set(self, schema: Any) -> bool:  # noqa: ARG002  (pydantic calls it)
        return False

    def model_schema(self, schema: core_schema.ModelSchema) -> JsonSchemaValue:
        made = super().model_schema(schema)
        return {key: value for key, value in made.items() if key not in ("title", "description")}

    def dict_schema(self, schema: core_schema.DictSchema) -> JsonSchemaValue:
        return {**super().dict_schema(schema), "additionalProperties": False}

    def nullable_schema(self, schema: core_schema.NullableSchema) -> JsonSchemaValue:
        return self.generate_inner(schema["schema"])

    def default_schema(self, schema: core_schema.WithDefaultSchema) -> JsonSchemaValue:
        made = super().default_schema(schema)
        return {k: v for k, v in made.items() if k != "default" or v is not None}


def schema() -> dict[str, Any]:
    """The schema of the whole file. Keys of other namespaces than cloudlet's may be anything."""
    own = Configuration.model_json_schema(by_alias=True, schema_generator=_ForPeople)
    keys = {f"{_NAMESPACE}{key}": value for key, value in own["properties"].items()}
    config = {
        "type": "object",
        "required": [f"{_NAMESPACE}{key}" for key in own["required"]],
        "properties": keys,
        "propertyNames": {"anyOf": [{"enum": list(keys)}, {"not": {"pattern": f"^{_NAMESPACE}"}}]},
    }
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "A lab of cloudlet",
        "type": "object",
        "required": ["config"],
        "properties": {"config": config},
        "$defs": own["$defs"],
    }


def text() -> str:
    """What the file holds when it is not stale."""
    return json.dumps(schema(), indent=2, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    FILE.parent.mkdir(exist_ok=True)
    FILE.write_text(text(), encoding="utf-8")
