"""What was learned of a provider's ways, and of the messages that a mailbox's provider does not understand.

Law: a message that is not understood stops itself, never its mailbox; only when several different ones in a row are
not understood is it the mailbox that stops. All of it is forgotten with the process, which costs one more try each.
"""

from collections import deque
from dataclasses import dataclass, field

from relay.core.envelope import Verdict

ROW: int = 3
"""Different messages in a row whose MAIL was not understood: that is not about a message any more."""

REMEMBERED: int = 64
"""Messages of one mailbox that were met once and may come again."""


@dataclass(slots=True)
class Habits:
    """What was learned of a provider's ways; shared by all its sessions, forgotten with the process."""

    swallows_pipelined: bool = False
    """It offers PIPELINING (RFC 2920), but commands sent together were never answered."""
    refuses_parameters: bool = False
    """It offers SIZE, DSN or 8BITMIME, but understood no MAIL or RCPT that used them."""


@dataclass(slots=True)
class Riddles:
    """The messages of one mailbox whose MAIL its provider did not understand (500, 501, 503, 555, 5.5.x)."""

    _met: deque[int] = field(default_factory=lambda: deque(maxlen=REMEMBERED), repr=False)
    _row: int = 0

    def met(self, content: bytes, *, is_last: bool) -> Verdict:
        """What becomes of a message; `is_last`: nothing could be left out of its MAIL at another try."""
        message = hash(content)
        if message in self._met:
            return Verdict.ASIDE if is_last else Verdict.DEFERRED
        self._met.append(message)
        self._row += 1
        return Verdict.HELD if self._row >= ROW else Verdict.DEFERRED

    def solved(self) -> None:
        """A MAIL was understood: so much for the row."""
        self._row = 0
