"""What an operation would change on the server, noted while the same is changed here: verbs, and witnesses that note.

Law: nothing is changed on the server before the operation is committed.
"""

from collections.abc import Callable

from relay.core.limits import Instant
from relay.core.witnesses import Told, Witnesses
from relay.core.words import MailboxId
from relay.store.redis.packing import Packed

Record = Callable[[str, Packed], None]
"""Notes a verb of relay/store/lua/lib/verbs_schedule.lua: its name, its arguments."""


class NotedWitnesses(Witnesses):
    """Those of one provider; what they are told is noted."""

    __slots__ = ("_record",)
    _record: Record

    @classmethod
    def of(cls, known: Witnesses, record: Record) -> "NotedWitnesses":
        """The same, with somebody who notes."""
        made = cls(
            known.accused, known.let_in_at, known.droppers, known.delivered_at, known.told, known.broken, known._order
        )
        made._record = record
        return made

    def tell(self, mailbox: MailboxId, told: Told) -> Told:
        self._record("schedule.tell", [*mailbox, told.began, told.is_at_login])
        return super().tell(mailbox, told)

    def break_line(self, mailbox: MailboxId, now: Instant) -> None:
        self._record("schedule.break_line", [*mailbox, now])
        super().break_line(mailbox, now)
