"""The engine of one store put together: what decides about mail, sessions and routings, whatever they are kept in.

Law: it decides on the context that it is given and knows no adapter; when it runs, and how what it wrote becomes
durable, is the adapter's.
"""

from collections.abc import Callable

from relay.store.engine.applying import Applying
from relay.store.engine.context import Context
from relay.store.engine.logins import Logins
from relay.store.engine.moves import Moves
from relay.store.engine.recipients import sweep as sweep_recipients
from relay.store.engine.reports import Reports
from relay.store.engine.sealing import Sealed
from relay.store.engine.settling import Settling
from relay.store.engine.telling import forget_old, note_letter
from relay.store.engine.timers import Timers
from relay.store.engine.traffic import Traffic


class Engine:
    """What decides in every store alike; the parts that a core has besides are its adapter's."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self.moves = Moves(context)
        self.settling = Settling(context, self.moves)
        self.timers = Timers(context, self.moves)
        self.logins = Logins(context)
        self.applying = Applying(context)
        self.reports = Reports(context, self.moves)
        self._traffic = Traffic(context)

    def put(self, new: Sealed, record: Callable[[Sealed], int | None]) -> None:
        """Records a message; with a report, that what it answers is told, or being told.

        `record` writes it and says the number of its first delivery; None: it was there before.
        """
        entry = new.message.answers
        if entry is not None and not self.reports.is_open(entry):
            return
        seq = record(new)
        if entry is not None and seq is not None:
            self.reports.answered(entry, seq)
        if new.message.tells is not None and seq is not None:
            note_letter(self._context, new.message.tells, seq)

    def keep_house(self) -> None:
        """What has to be done now and then, at a heartbeat: what is old is forgotten, what grew slowly goes on."""
        context, now = self._context, self._context.clock.now()
        self.logins.prune(now)
        self.timers.write()
        self._traffic.sweep()
        sweep_recipients(context)
        if context.owed:
            forget_old(context)
        for mailbox in context.remembrance.warmups.advance(context.routes.routing):
            context.schedule.reload(mailbox, now)
            context.changed()
