"""The JSON Schemas of relay.yaml and routing.yaml; `python -m relay.config.schema FOLDER` writes them.

Law: they are made from what reads the files, so an editor and `relay check` know the same keys and defaults.
"""

import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter

from relay.config.entries import RoutingFile, SharedEntry
from relay.config.service import Listener, ServiceConfig, Submission
from relay.config.values import Address

DIALECT = "https://json-schema.org/draft/2020-12/schema"


def relay_schema() -> dict[str, Any]:
    """Of relay.yaml, with every default as one would write it."""
    adapter = TypeAdapter(ServiceConfig)
    smallest = ServiceConfig(Submission((Listener(Address("127.0.0.1", 2525)),)), Path())
    schema = _tidy(adapter.json_schema())
    _put_defaults(schema, schema, adapter.dump_python(smallest, mode="json", by_alias=True))
    return {"$schema": DIALECT, "title": "relay.yaml", **schema}


def routing_schema() -> dict[str, Any]:
    """Of routing.yaml, or of one file of a folder."""
    schema = _tidy(TypeAdapter(RoutingFile).json_schema())
    shared = _tidy(TypeAdapter(SharedEntry).json_schema())["properties"]
    for entry in ("PlanEntry", "AccountEntry"):  # the sentences of an inherited key stay behind with its class
        keys = schema["$defs"][entry]["properties"]
        keys |= {
            key: {**node, "description": shared[key]["description"]} for key, node in keys.items() if key in shared
        }
    return {"$schema": DIALECT, "title": "routing.yaml", **schema}


def schema_files() -> dict[str, str]:
    """File names and texts of both."""
    schemas = {"relay.schema.json": relay_schema(), "routing.schema.json": routing_schema()}
    return {name: json.dumps(schema, indent=2, ensure_ascii=False) + "\n" for name, schema in schemas.items()}


def _tidy(node: Any) -> Any:
    """Without the titles that only repeat the keys, and without defaults, which are machine values here."""
    if isinstance(node, list):
        return [_tidy(item) for item in node]
    if not isinstance(node, dict):
        return node
    named = {"properties", "$defs"}
    return {
        key: {name: _tidy(inner) for name, inner in value.items()} if key in named else _tidy(value)
        for key, value in node.items()
        if key not in ("title", "default")
    }


def _put_defaults(schema: dict[str, Any], node: dict[str, Any], defaults: Mapping[str, Any]) -> None:
    """Writes the defaults into a section's keys; keys that must be given have none."""
    node = _resolved(schema, node)
    for key, inner in node.get("properties", {}).items():
        default = defaults.get(key)
        if isinstance(default, dict):
            _put_defaults(schema, inner, default)
        elif isinstance(default, list) and default and isinstance(default[0], dict):
            _put_defaults(schema, inner["items"], default[0])
        elif key not in node.get("required", ()) and default not in (None, "", []):
            inner["default"] = default


def _resolved(schema: dict[str, Any], node: dict[str, Any]) -> dict[str, Any]:
    if "$ref" not in node:
        return node
    found: dict[str, Any] = schema["$defs"][node["$ref"].rsplit("/", 1)[1]]
    return found


def main(folder: Path) -> None:
    """Writes both into `folder`."""
    for name, text in schema_files().items():
        (folder / name).write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else Path("config"))
