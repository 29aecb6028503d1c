"""Notices by mail and webhook, and the pump that empties the outbox."""

from relay.notify.pump import OutboxPump
from relay.notify.report import ReportSettings

__all__ = ["OutboxPump", "ReportSettings"]
