"""Errors of the HTTP side as problem documents (RFC 9457).

Law: every answer of 400 and above is one, and none carries a traceback or the text of an error that nobody foresaw.
"""

from collections.abc import Callable, Mapping, Sequence
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel, Field
from starlette.exceptions import HTTPException

from relay.errors import TemporaryError, UnknownAccount
from relay.store.ports.reading import WrongCursor

PROBLEM_JSON = "application/problem+json"

TRY_AGAIN: int = 5
"""Seconds after which to ask again while the store is away; it comes back by itself or not at all."""

SHOWN: int = 100
"""Characters of a parameter's name that are given back: the longest of ours has ten."""


class WrongParameter(BaseModel):
    """A parameter that was not understood."""

    parameter: str
    detail: str = Field(description="What is allowed.")


class ProblemDocument(BaseModel):
    """What went wrong (RFC 9457)."""

    type: str = Field(description="about:blank: the status says it all.")
    title: str
    status: int
    detail: str
    errors: list[WrongParameter] | None = Field(None, description="With 400: each parameter that was not understood.")


def problem(
    status: int, detail: str, headers: Mapping[str, str] | None = None, errors: Sequence[WrongParameter] = ()
) -> JSONResponse:
    """A problem document."""
    document = ProblemDocument(
        type="about:blank",
        title=HTTPStatus(status).phrase,
        status=status,
        detail=detail,
        errors=list(errors) or None,
    )
    return JSONResponse(document.model_dump(exclude_none=True), status, headers, PROBLEM_JSON)


def answer_with_problems(app: FastAPI, unforeseen: Callable[[Exception], None]) -> None:
    """Makes every error of this application a problem document; `unforeseen` is told of those that are defects."""

    async def said(request: Request, error: Exception) -> JSONResponse:
        assert isinstance(error, HTTPException)
        return problem(error.status_code, _detail_of(error), error.headers)

    async def misread(request: Request, error: Exception) -> JSONResponse:
        assert isinstance(error, RequestValidationError)
        return _refused([_wrong(each) for each in error.errors()])

    async def no_page(request: Request, error: Exception) -> JSONResponse:
        return _refused([WrongParameter(parameter="cursor", detail=str(error))])

    async def gone(request: Request, error: Exception) -> JSONResponse:
        return problem(404, str(error))

    async def away(request: Request, error: Exception) -> JSONResponse:
        return problem(503, str(error), {"Retry-After": str(TRY_AGAIN)})

    async def failed(request: Request, error: Exception) -> JSONResponse:
        unforeseen(error)
        return problem(500, "the relay failed to answer; its log says where")

    app.add_exception_handler(HTTPException, said)
    app.add_exception_handler(RequestValidationError, misread)
    app.add_exception_handler(WrongCursor, no_page)
    app.add_exception_handler(TemporaryError, away)
    app.add_exception_handler(UnknownAccount, gone)
    app.add_exception_handler(Exception, failed)


def _refused(errors: Sequence[WrongParameter]) -> JSONResponse:
    return problem(400, "; ".join(f"{each.parameter}: {each.detail}" for each in errors), errors=errors)


def _wrong(error: Mapping[str, Any]) -> WrongParameter:
    """What was sent is not given back: it may be an address, or written by somebody else than who reads it."""
    named = error.get("ctx", {}).get("parameter") or next((part for part in error["loc"][1:]), error["loc"][0])
    name = "".join(letter if letter.isprintable() else "?" for letter in str(named)[:SHOWN])
    return WrongParameter(parameter=name, detail=error["msg"].removeprefix("Value error, "))


def _detail_of(error: HTTPException) -> str:
    """A sentence instead of the bare title where the framework gives no more."""
    if error.status_code == HTTPStatus.NOT_FOUND and error.detail == HTTPStatus.NOT_FOUND.phrase:
        return "there is nothing at this path; /api/v1/openapi.json says what there is"
    if error.status_code == HTTPStatus.METHOD_NOT_ALLOWED:
        return f"this path does not take that; it takes {(error.headers or {}).get('Allow', 'other methods')}"
    return error.detail
