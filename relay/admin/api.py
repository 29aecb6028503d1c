"""The HTTP application: liveness, readiness, metrics and the description of the API.

Law: it shows what others know and keeps nothing itself.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from fastapi import FastAPI, Response
from fastapi.responses import PlainTextResponse
from pydantic import BaseModel

from relay.admin.guard import Guard
from relay.admin.problems import answer_with_problems
from relay.admin.readiness import Readiness
from relay.observe import CONTENT_TYPE_LATEST


@dataclass(frozen=True, slots=True)
class AdminSources:
    """What the HTTP side shows, and who may see it."""

    version: str
    token: str = field(repr=False)
    readiness: Readiness
    look: Callable[[], Awaitable[None]]
    """Brings the readiness up to date: looks at disk and store."""
    metrics: Callable[[], Awaitable[bytes]]
    """Everything in Prometheus' text format."""
    unforeseen: Callable[[Exception], None]
    """Is told of an error that is a defect."""


class ProblemModel(BaseModel):
    """Something that is wrong, and since when."""

    what: str
    text: str
    since: datetime


class ReadinessModel(BaseModel):
    """Whether this node can do its work, and everything that is wrong."""

    ready: bool
    problems: list[ProblemModel]


def admin_app(sources: AdminSources) -> FastAPI:
    """The application behind its guard."""
    app = FastAPI(title="clinic-relay", version=sources.version, docs_url=None, redoc_url=None, openapi_url=None)
    app.add_middleware(Guard, token=sources.token)
    answer_with_problems(app, sources.unforeseen)

    @app.get("/healthz", response_class=PlainTextResponse)
    async def healthz() -> str:
        """The process lives."""
        return "ok\n"

    @app.get("/readyz", responses={503: {"model": ReadinessModel}})
    async def readyz(response: Response) -> ReadinessModel:
        """503 only while this node cannot do its work; everything that is wrong is listed."""
        await sources.look()
        response.status_code = 200 if sources.readiness.is_ready else 503
        return _shown(sources.readiness)

    @app.get("/metrics", response_class=PlainTextResponse)
    async def metrics() -> Response:
        """All metrics in Prometheus' text format."""
        return Response(await sources.metrics(), media_type=CONTENT_TYPE_LATEST)

    @app.get("/api/v1/openapi.json", include_in_schema=False)
    async def openapi() -> dict[str, Any]:
        return app.openapi()

    return app


def _shown(readiness: Readiness) -> ReadinessModel:
    problems = [
        ProblemModel(what=each.what, text=each.text, since=datetime.fromtimestamp(each.since, UTC))
        for each in readiness.problems
    ]
    return ReadinessModel(ready=readiness.is_ready, problems=problems)
