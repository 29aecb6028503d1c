"""Notices by mail and webhook, the heartbeat, and the pump that empties the outbox."""

from relay.notify.heartbeat import Heartbeat
from relay.notify.pump import OutboxPump
from relay.notify.report import ReportSettings
from relay.notify.web import WebClient, WebSettings
from relay.notify.webhook import NoticeSender

__all__ = ["Heartbeat", "NoticeSender", "OutboxPump", "ReportSettings", "WebClient", "WebSettings"]
