"""The HTTP side: health, metrics, API and pages."""

from relay.admin.api import AdminSources, admin_app
from relay.admin.clerk import Access, Clerk, Done, Impossible, Kept, Tried
from relay.admin.noticeboard import NoticeBoard
from relay.admin.readiness import Part, Problem, Readiness
from relay.admin.server import AdminServer
from relay.admin.status import ListensAt, Node
from relay.admin.token import admin_token

__all__ = [
    "Access",
    "AdminServer",
    "AdminSources",
    "Clerk",
    "Done",
    "Impossible",
    "Kept",
    "ListensAt",
    "Node",
    "NoticeBoard",
    "Part",
    "Problem",
    "Readiness",
    "Tried",
    "admin_app",
    "admin_token",
]
