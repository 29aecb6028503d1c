"""Thrift with logins: how long a session is kept although nothing is to be sent over it.

Law: while more than half of a mailbox's login budget is left its sessions end as configured; below that they are kept
long enough for the other half to last, so that mail which comes now and then does not wait for a login.
"""

from relay.core.limits import MINUTE, Instant, Limit, RollingWindow
from relay.core.rotation import has_logins_to_spare
from relay.core.words import MailboxId

PATIENCE: int = 5 * MINUTE
"""No session is kept idle longer for this: a provider need not wait longer for a command (RFC 5321, 4.5.3.2.7)."""

REMEMBERED: int = 1_000
"""From so many mailboxes on, those whose logins are all forgotten are looked for, after each doubling."""


class Thrift:
    """Remembers the logins of this process; instants are any clock's, as long as it is always the same."""

    def __init__(self) -> None:
        self._windows: dict[MailboxId, RollingWindow] = {}
        self._prune_from = REMEMBERED

    def logged_in(self, mailbox: MailboxId, limit: Limit, now: Instant) -> None:
        """A login was spent, whatever came of it."""
        window = self._window(mailbox, limit)
        window.start(now)
        window.end(now, now)
        if len(self._windows) > self._prune_from:
            self._windows = {of: window for of, window in self._windows.items() if not window.is_idle(now)}
            self._prune_from = max(REMEMBERED, 2 * len(self._windows))

    def idle_time(self, mailbox: MailboxId, limit: Limit, now: Instant, *, usual: int) -> int:
        """Microseconds that a session of this mailbox may be idle if it becomes so now; `usual` if nothing is short."""
        window = self._window(mailbox, limit)
        if has_logins_to_spare(window, now):
            return usual
        return max(usual, min(PATIENCE, 2 * window.width // window.count))

    def _window(self, mailbox: MailboxId, limit: Limit) -> RollingWindow:
        window = self._windows.get(mailbox)
        if window is None or (window.count, window.width) != (limit.count, limit.width):
            window = self._windows[mailbox] = RollingWindow(limit)
        return window
