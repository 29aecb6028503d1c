"""The description of the API (OpenAPI): what the framework derives from the routes, and what holds for all of them.

Law: it says nothing that is not so: which answers need the token, and that every error is a problem document.
"""

from typing import Any

from fastapi import FastAPI

from relay.admin.guard import OPEN_FROM_HERE
from relay.admin.problems import PROBLEM_JSON, ProblemDocument

Description = dict[str, Any]

TOKEN = "token"

ABOUT = """Messages and accounts with why each is not moving, since when, what will move it and when; and what admins
do about it: pause, resume, test, new passwords, opt-outs.

Instants are RFC 3339 in UTC with six digits after the second. Recipients are shown by a keyed hash and their domain,
replies of providers masked. Every error is a problem document (RFC 9457), a parameter that a list does not know is one.
"""

ERRORS = {
    "400": "A parameter is not understood; `errors` says which, and what is allowed.",
    "401": "No token, or not the admin's.",
    "404": "There is none.",
    "413": "The body is larger than 256 KiB.",
    "415": "The body is not application/json.",
    "503": "The store is away; ask again after Retry-After seconds.",
    "default": "Any other error.",
}
"""Of the API; what has no parameters answers no 400, what has no path parameter no 404."""

MADE_BY_THE_FRAMEWORK = ("HTTPValidationError", "ValidationError")


def described(app: FastAPI) -> Description:
    """The OpenAPI document of this application."""
    document = app.openapi()
    schemas = document.setdefault("components", {}).setdefault("schemas", {})
    for name in MADE_BY_THE_FRAMEWORK:
        schemas.pop(name, None)
    problem = ProblemDocument.model_json_schema(ref_template="#/components/schemas/{model}")
    schemas |= problem.pop("$defs", {}) | {"ProblemDocument": problem}
    document["components"]["securitySchemes"] = {
        TOKEN: {"type": "http", "scheme": "bearer", "description": "The content of data_dir/admin.token."}
    }
    for path, operations in document["paths"].items():
        for operation in operations.values():
            _complete(path, operation)
    return document


def _complete(path: str, operation: Description) -> None:
    is_open = path in OPEN_FROM_HERE
    operation["security"] = [{}, {TOKEN: []}] if is_open else [{TOKEN: []}]
    operation["responses"].pop("422", None)
    answers = operation["responses"]
    for status, text in ERRORS.items():
        if _is_possible(status, operation) and not (is_open and status == "503"):
            answers.setdefault(status, {"description": text})
    for status, answer in answers.items():
        if status >= "400":
            answer.setdefault("content", {PROBLEM_JSON: {"schema": {"$ref": "#/components/schemas/ProblemDocument"}}})


def _is_possible(status: str, operation: Description) -> bool:
    places = {each["in"] for each in operation.get("parameters", ())}
    has_body = "requestBody" in operation
    possible = {"400": bool(places), "404": "path" in places, "413": has_body, "415": has_body}
    return possible.get(status, True)
