"""What an editor and Pulumi know of a lab's keys is what the program takes."""

from __future__ import annotations

import re
from pathlib import Path

import jsonschema
import pytest
import yaml

from components import schema
from components.config.model import Configuration

CHECKOUT = Path(__file__).parents[2]
KEYS = {field.alias or name: field for name, field in Configuration.model_fields.items()}


def test_the_schema_is_not_stale() -> None:
    assert schema.FILE.read_text(encoding="utf-8") == schema.text(), (
        "run python -m components.schema"
    )


def test_every_key_is_in_the_schema_with_a_description() -> None:
    config = schema.schema()["properties"]["config"]
    assert set(config["properties"]) == {f"cloudlet:{key}" for key in KEYS}
    models = [config, *schema.schema()["$defs"].values()]
    for model in models:
        for key, described in model["properties"].items():
            assert described.get("description"), key


def test_the_schema_refuses_unknown_keys_and_secrets_in_plain_text() -> None:
    config = schema.schema()["properties"]["config"]
    known, others = config["propertyNames"]["anyOf"]
    assert known["enum"] == list(config["properties"])
    assert others == {"not": {"pattern": "^cloudlet:"}}
    for model in schema.schema()["$defs"].values():
        assert model["additionalProperties"] is False
    for key in ("password", "wifiPassword"):
        assert config["properties"][f"cloudlet:{key}"]["required"] == ["secure"]


def test_pulumi_demands_the_keys_that_are_required_and_names_all_others() -> None:
    text = (CHECKOUT / "Pulumi.yaml").read_text(encoding="utf-8")
    declared = yaml.safe_load(text)["config"]
    assert set(declared) == {key for key, field in KEYS.items() if field.is_required()}
    named = set(re.findall(r"^  # (\w+)  ", text, re.MULTILINE))
    assert named == set(KEYS) - set(declared)


@pytest.mark.parametrize("name", ["Pulumi.dev.yaml", "Pulumi.lab.yaml"])
def test_a_labs_file_tells_the_editor_its_schema_and_keeps_to_it(name: str) -> None:
    text = (CHECKOUT / name).read_text(encoding="utf-8")
    assert text.splitlines()[0] == (
        f"# yaml-language-server: $schema={schema.FILE.relative_to(CHECKOUT)}"
    )
    jsonschema.validate(yaml.safe_load(text), schema.schema())
