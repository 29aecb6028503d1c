"""Whether an answer is what the OpenAPI document says of it: status, media type, and each value of its body.

It knows the words of JSON Schema that the document uses and stops at any other, so nothing is passed over unchecked;
and it is stricter than JSON Schema in one thing: a key that the document does not name is wrong.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import httpx

SAID_ONLY = {"type", "title", "description", "default", "examples"}
TYPES: Mapping[str, tuple[type, ...]] = {
    "string": (str,),
    "integer": (int,),
    "number": (int, float),
    "boolean": (bool,),
    "null": (type(None),),
    "object": (dict,),
    "array": (list,),
}
DATE_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z")


class Document:
    """An OpenAPI document and what it says of answers."""

    def __init__(self, document: Mapping[str, Any]) -> None:
        self.paths: Mapping[str, Any] = document["paths"]
        self._schemas: Mapping[str, Any] = document["components"]["schemas"]
        self._checks: Mapping[str, Callable[[Any, Any, str], Iterator[str]]] = {
            "properties": self._properties,
            "required": self._required,
            "items": self._items,
            "$ref": self._ref,
            "anyOf": self._any_of,
            "enum": self._enum,
            "format": self._format,
        }

    def complaints(self, path: str, answer: httpx.Response) -> list[str]:
        """What is wrong with an answer of `path` (as the document writes it) to how it was asked; empty: nothing."""
        said = self._said(path, answer.status_code, answer.request.method.lower())
        media = answer.headers["content-type"].partition(";")[0]
        if media not in said:
            return [f"{answer.status_code} is {media}, and the document knows {list(said)}"]
        if not media.endswith("json"):
            return []
        return list(self._wrong(said[media]["schema"], answer.json(), "answer"))

    def complaints_of(self, path: str, status: int, body: Any) -> list[str]:
        """The same of a body in JSON."""
        return list(self._wrong(self._said(path, status)["application/json"]["schema"], body, "answer"))

    def _said(self, path: str, status: int, method: str = "get") -> Mapping[str, Any]:
        responses: Mapping[str, Any] = self.paths[path][method]["responses"]
        said: Mapping[str, Any] = responses.get(str(status), responses.get("default"))["content"]
        return said

    def _wrong(self, schema: Mapping[str, Any], value: Any, place: str) -> Iterator[str]:
        if "type" in schema and (wrong := list(self._type(schema, value, place))):
            yield from wrong
            return
        for word, what in schema.items():
            if word not in SAID_ONLY:
                yield from self._checks[word](what, value, place)

    def _type(self, schema: Mapping[str, Any], value: Any, place: str) -> Iterator[str]:
        what = schema["type"]
        if not isinstance(value, TYPES[what]) or (isinstance(value, bool) and what != "boolean"):
            yield f"{place}: {value!r} is no {what}"
        if what == "object" and isinstance(value, dict):
            yield from (f"{place}: unknown key {key}" for key in value.keys() - schema["properties"].keys())

    def _properties(self, what: Mapping[str, Any], value: Any, place: str) -> Iterator[str]:
        for key, each in what.items():
            if key in value:
                yield from self._wrong(each, value[key], f"{place}.{key}")

    def _required(self, what: list[str], value: Any, place: str) -> Iterator[str]:
        yield from (f"{place}: no {key}" for key in what if key not in value)

    def _items(self, what: Mapping[str, Any], value: Any, place: str) -> Iterator[str]:
        for number, each in enumerate(value):
            yield from self._wrong(what, each, f"{place}[{number}]")

    def _ref(self, what: str, value: Any, place: str) -> Iterator[str]:
        yield from self._wrong(self._schemas[what.rpartition("/")[2]], value, place)

    def _any_of(self, what: list[Mapping[str, Any]], value: Any, place: str) -> Iterator[str]:
        if all(list(self._wrong(each, value, place)) for each in what):
            yield f"{place}: {value!r} is none of {what}"

    def _enum(self, what: list[Any], value: Any, place: str) -> Iterator[str]:
        if value not in what:
            yield f"{place}: {value!r} is not in {what}"

    def _format(self, what: str, value: Any, place: str) -> Iterator[str]:
        assert what == "date-time"
        if not DATE_TIME.fullmatch(value):
            yield f"{place}: {value!r} is no {what}"
