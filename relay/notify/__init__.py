"""Notices by mail and webhook, and the pump that empties the outbox."""
