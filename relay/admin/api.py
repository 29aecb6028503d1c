"""The HTTP application: liveness, readiness, metrics, the API and its description.

Law: it shows what others know, has done by others what it is told, and keeps nothing itself.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

from fastapi import FastAPI, Response
from fastapi.responses import PlainTextResponse

from relay.admin import shapes
from relay.admin.acting import acting_routes, unsaid_routes
from relay.admin.bodies import Bodies
from relay.admin.clerk import Clerk
from relay.admin.description import ABOUT, described
from relay.admin.guard import Guard
from relay.admin.head import Headless
from relay.admin.headers import Careful
from relay.admin.keys import KeyKeeper, key_routes
from relay.admin.lists import MailboxHealths, list_routes
from relay.admin.noticeboard import NoticeBoard, notice_routes
from relay.admin.optouts import optout_routes
from relay.admin.problems import answer_with_problems
from relay.admin.readiness import Readiness
from relay.admin.recipients import recipient_routes
from relay.admin.replies import Riddles, Unmasking, reply_routes
from relay.admin.secrets import SecretKeeper, secret_routes
from relay.admin.showing import trouble_of
from relay.admin.status import Counts, Node, Sources, status_routes
from relay.observe import CONTENT_TYPE_LATEST
from relay.store.ports.nodes import Nodes
from relay.store.ports.reading import Reading
from relay.store.ports.recipients import RecipientReport
from relay.store.ports.suppressions import Suppressions


@dataclass(frozen=True, slots=True)
class AdminSources:
    """What the HTTP side shows, and who may see it."""

    node: Node
    nodes: Nodes
    token: str = field(repr=False)
    readiness: Readiness
    look: Callable[[], Awaitable[None]]
    """Brings the readiness up to date: looks at disk and store."""
    metrics: Callable[[], Awaitable[bytes]]
    """Everything in Prometheus' text format."""
    reading: Reading
    counts: Counts
    clerk: Clerk
    healths: MailboxHealths
    riddles: Riddles
    notices: NoticeBoard
    suppressions: Suppressions
    recipients: RecipientReport
    unforeseen: Callable[[Exception], None]
    """Is told of an error that is a defect."""
    unmasking: Unmasking
    keys: KeyKeeper
    secrets: SecretKeeper


def admin_app(sources: AdminSources) -> FastAPI:
    """The application behind its guard."""
    app = FastAPI(
        title="clinic-relay",
        version=sources.node.version,
        description=ABOUT,
        docs_url=None,
        redoc_url=None,
        openapi_url=None,
        redirect_slashes=False,  # a redirect repeats whatever Host it was asked by
    )
    app.add_middleware(Bodies)
    app.add_middleware(Guard, token=sources.token)
    app.add_middleware(Careful)
    app.add_middleware(Headless)
    answer_with_problems(app, sources.unforeseen)
    _health_routes(app, sources)
    app.include_router(
        status_routes(
            sources.node, Sources(sources.readiness, sources.look, sources.reading, sources.counts, sources.nodes)
        )
    )
    app.include_router(optout_routes(sources.suppressions))
    app.include_router(recipient_routes(sources.recipients))
    app.include_router(key_routes(sources.keys))
    app.include_router(secret_routes(sources.secrets))
    app.include_router(unsaid_routes())
    app.include_router(list_routes(sources.reading, sources.healths, sources.clerk))
    app.include_router(reply_routes(sources.riddles, sources.reading, sources.unmasking))
    app.include_router(notice_routes(sources.notices))
    app.include_router(acting_routes(sources.clerk))

    @app.get("/api/v1/openapi.json", include_in_schema=False)
    async def openapi() -> dict[str, Any]:
        return described(app)

    return app


def _health_routes(app: FastAPI, sources: AdminSources) -> None:
    @app.get("/healthz", response_class=PlainTextResponse, tags=["health"], summary="The process lives")
    async def healthz() -> str:
        """Always `ok`."""
        return "ok\n"

    @app.get(
        "/readyz",
        tags=["health"],
        summary="Whether this node can do its work",
        responses={503: {"model": shapes.Readiness, "description": "It cannot."}},
    )
    async def readyz(response: Response) -> shapes.Readiness:
        """503 only while this node cannot do its work; everything that is wrong is listed."""
        await sources.look()
        response.status_code = 200 if sources.readiness.is_ready else 503
        problems = [trouble_of(each) for each in sources.readiness.problems]
        return shapes.Readiness(ready=sources.readiness.is_ready, problems=problems)

    @app.get("/metrics", response_class=PlainTextResponse, tags=["health"], summary="All metrics")
    async def metrics() -> Response:
        """In Prometheus' text format."""
        return Response(await sources.metrics(), media_type=CONTENT_TYPE_LATEST)
