"""The JSON Schemas are those of the code, and the long forms of the shipped files show every key that there is."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from relay.config.document import read_document
from relay.config.problems import Report
from relay.config.schema import main, relay_schema, routing_schema, schema_files

CONFIG = Path(__file__).parents[3] / "config"
SELF_EXPLAINING = {
    "name",
    "email",
    "phone",
    "client_id",
    "client_secret",
    "key",
    "queue",
    "session",
    "timeouts",
    "accounts",
}
SHIPPED = {"relay": relay_schema, "routing": routing_schema}


@pytest.mark.parametrize("name", sorted(schema_files()))
def test_the_shipped_schema_is_current(name: str) -> None:
    text = (CONFIG / name).read_text(encoding="utf-8")
    assert text == schema_files()[name], "run: python -m relay.config.schema config"


def test_the_command_writes_both(tmp_path: Path) -> None:
    main(tmp_path)
    assert {file.name: file.read_text(encoding="utf-8") for file in tmp_path.iterdir()} == schema_files()


def names_in_schema(schema: dict[str, Any]) -> set[str]:
    """Every key that a schema knows."""
    sections = (schema, *schema["$defs"].values())
    return {name for section in sections for name in section.get("properties", {})}


def names_in(value: Any) -> set[str]:
    """Every key that a document has."""
    if isinstance(value, list):
        return set().union(*map(names_in, value))
    return set(value).union(*map(names_in, value.values())) if isinstance(value, dict) else set()


@pytest.mark.parametrize("name", sorted(SHIPPED))
def test_the_long_form_shows_every_key(name: str) -> None:
    document = read_document((CONFIG / f"{name}.full.yaml").read_bytes(), Report(name))
    assert names_in_schema(SHIPPED[name]()) - names_in(document) == set()


@pytest.mark.parametrize("name", sorted(SHIPPED))
def test_the_long_form_explains_every_key_where_it_first_stands(name: str) -> None:
    lines = (CONFIG / f"{name}.full.yaml").read_text().splitlines()
    unexplained = []
    for key in sorted(names_in_schema(SHIPPED[name]()) - SELF_EXPLAINING):
        first = next(number for number, line in enumerate(lines) if re.search(rf"(^|[ {{-]){key}:", line.split("#")[0]))
        if "#" not in lines[first] and "#" not in lines[first - 1]:
            unexplained.append(f"{first + 1}: {lines[first]}")
    assert unexplained == []


def test_an_editor_is_told_the_defaults_as_one_writes_them() -> None:
    schema = relay_schema()
    keys = schema["properties"]
    assert keys["drain"]["default"] == "30s"
    assert keys["language"]["default"] == "en"
    definitions = schema["$defs"]
    assert definitions["Submission"]["properties"]["max_message_size"]["default"] == "25MB"
    assert definitions["Queue"]["properties"]["retry"]["default"] == ["5m", "15m", "30m", "1h", "2h", "4h"]
    assert definitions["Health"]["properties"]["refused_logins"]["default"] == "3/h"
    assert definitions["Http"]["properties"]["listen"]["default"] == "127.0.0.1:8025"


def test_every_key_has_a_sentence_and_no_other_key_is_allowed() -> None:
    for schema in (relay_schema(), routing_schema()):
        for section in (schema, *schema["$defs"].values()):
            if "properties" not in section:
                continue
            assert section["additionalProperties"] is False
            assert [key for key, node in section["properties"].items() if not sentence(schema, node)] == []


def sentence(schema: dict[str, Any], node: dict[str, Any]) -> str:
    """What an editor shows for a key."""
    if "description" in node or "$ref" not in node:
        return str(node.get("description", ""))
    return str(schema["$defs"][node["$ref"].rsplit("/", 1)[1]].get("description", ""))


def test_the_schemas_are_plain_json() -> None:
    for text in schema_files().values():
        schema = json.loads(text)
        assert schema["$schema"].startswith("https://json-schema.org/")
        assert schema["type"] == "object"
