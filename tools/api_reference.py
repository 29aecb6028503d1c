"""docs/api.md from the OpenAPI document that the relay itself serves.

What the page says of a path, a parameter or a key is what the code says; nobody keeps it in step by hand.
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, cast

from relay.admin import AdminSources, Clerk, Node, NoticeBoard, Readiness, admin_app
from relay.admin.description import described
from relay.admin.keys import KeyKeeper
from relay.admin.secrets import SecretKeeper
from relay.admin.status import Counts
from relay.store.ports.healths import Healths
from relay.store.ports.nodes import Nodes
from relay.store.ports.reading import Reading
from relay.store.ports.recipients import RecipientReport
from relay.store.ports.riddles import Riddles
from relay.store.ports.suppressions import Suppressions

Schema = Mapping[str, Any]


class NoClerk:
    """Nobody, for an application that is never asked."""

    def like(self, address: str) -> str | None: ...


def api_document() -> Schema:
    """The description of an application that is never asked for anything else."""

    async def nothing() -> None: ...

    async def no_metrics() -> bytes:
        return b""

    sources = AdminSources(
        node=Node("", "", 0, ()),
        nodes=cast("Nodes", None),
        token="",
        readiness=Readiness(lambda: 0.0),
        look=nothing,
        metrics=no_metrics,
        reading=cast("Reading", None),
        counts=cast("Counts", None),
        suppressions=cast("Suppressions", None),
        recipients=cast("RecipientReport", None),
        clerk=cast("Clerk", NoClerk()),
        healths=cast("Healths", None),
        riddles=cast("Riddles", None),
        notices=cast("NoticeBoard", None),
        keys=cast("KeyKeeper", None),
        secrets=cast("SecretKeeper", None),
        unforeseen=lambda error: None,
        unmasking=lambda message, account, by: None,
    )
    return described(admin_app(sources))


def api_parts() -> Iterator[str]:
    """Paragraphs and tables of the page: first what can be asked, then what the answers are made of."""
    document = api_document()
    schemas = document["components"]["schemas"]
    yield from (_line(part) for part in document["info"]["description"].split("\n\n"))
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            yield from _operation(f"{method.upper()} {path}", operation, schemas)
    yield "## Shapes"
    for name, schema in schemas.items():
        if "properties" in schema:
            yield f"### {name}"
            yield _line(schema["description"])
            yield _table(("key", "is", "says"), _keys(schema, schemas))


def _operation(name: str, operation: Schema, schemas: Schema) -> Iterator[str]:
    yield f"## {name}"
    needs = "No token from this machine." if {} in operation["security"] else "Needs the token."
    yield f"{operation['summary']}. {_line(operation['description'])} {needs}"
    parameters = operation.get("parameters", ())
    if parameters:
        yield _table(("parameter", "is", "says"), (_parameter(each, schemas) for each in parameters))
    answers = operation["responses"].items()
    yield _table(("status", "answer", "when"), (_answer(status, each, schemas) for status, each in answers))


def _parameter(parameter: Schema, schemas: Schema) -> tuple[str, str, str]:
    schema = parameter["schema"]
    said = parameter.get("description") or schema.get("description", "")
    default = f" Default {schema['default']}." if schema.get("default") else ""
    return f"`{parameter['name']}`", _type(schema, schemas), f"{said}{default}".strip()


def _answer(status: str, response: Schema, schemas: Schema) -> tuple[str, str, str]:
    shapes = [_type(content["schema"], schemas) for content in response.get("content", {}).values()]
    return status, ", ".join(filter(None, shapes)), response["description"].replace("Successful Response", "")


def _keys(schema: Schema, schemas: Schema) -> Iterator[tuple[str, str, str]]:
    for name, value in schema["properties"].items():
        yield f"`{name}`", _type(value, schemas), value.get("description", "")


def _type(schema: Schema, schemas: Schema) -> str:
    """How a value is written, in a few words."""
    if "$ref" in schema:
        name = schema["$ref"].rpartition("/")[2]
        words = ", ".join(f"`{word}`" for word in schemas[name].get("enum", ()))
        return words or f"[{name}](#{name.lower()})"
    if "anyOf" in schema:
        return " or ".join(_type(each, schemas) for each in schema["anyOf"])
    if schema.get("type") == "array":
        return f"list of {_type(schema['items'], schemas)}"
    bounds = " to ".join(str(schema[key]) for key in ("minimum", "maximum") if key in schema)
    return f"{schema.get('format') or schema.get('type', '')} {bounds}".strip()


def _line(text: str) -> str:
    return " ".join(text.split())


def _table(head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    lines = [f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in row)} |" for row in rows]
    return "\n".join([f"| {' | '.join(head)} |", "|---" * len(head) + "|", *lines])
