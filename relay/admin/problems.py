"""Errors of the HTTP side as problem documents (RFC 9457).

Law: every answer of 400 and above is one, and none carries a traceback or the text of an error that nobody foresaw.
"""

from collections.abc import Callable, Mapping
from http import HTTPStatus

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

PROBLEM_JSON = "application/problem+json"


def problem(status: int, detail: str, headers: Mapping[str, str] | None = None) -> JSONResponse:
    """A problem document."""
    body = {"type": "about:blank", "title": HTTPStatus(status).phrase, "status": status, "detail": detail}
    return JSONResponse(body, status, headers, PROBLEM_JSON)


def answer_with_problems(app: FastAPI, unforeseen: Callable[[Exception], None]) -> None:
    """Makes every error of this application a problem document; `unforeseen` is told of those that are defects."""

    async def said(request: Request, error: Exception) -> JSONResponse:
        assert isinstance(error, HTTPException)
        return problem(error.status_code, error.detail, error.headers)

    async def misread(request: Request, error: Exception) -> JSONResponse:
        assert isinstance(error, RequestValidationError)
        wrong = "; ".join(f"{'.'.join(map(str, each['loc']))}: {each['msg']}" for each in error.errors())
        return problem(422, wrong)

    async def failed(request: Request, error: Exception) -> JSONResponse:
        unforeseen(error)
        return problem(500, "the relay failed to answer; its log says where")

    app.add_exception_handler(HTTPException, said)
    app.add_exception_handler(RequestValidationError, misread)
    app.add_exception_handler(Exception, failed)
