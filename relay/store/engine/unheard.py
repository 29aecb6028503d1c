"""What was accepted and not heard, in the database, and in memory so that a mail that is none of it costs nothing.

Law: what is written here survives; what a crash left unsaid is taken from the mail that came in just before it.
"""

from collections.abc import Callable, Iterable

from relay.core.limits import SECOND
from relay.core.words import MessageId
from relay.store.engine.context import Context
from relay.store.engine.ledger import Ledger
from relay.store.engine.note import Note
from relay.store.engine.reader import Ask
from relay.store.engine.statements import load_statements
from relay.store.engine.values import Stored
from relay.store.ports.unheard import UNHEARD_FOR, Sending

_SQL = load_statements("unheard")
_STORE = load_statements("store")

JUST_BEFORE: int = 10 * SECOND
"""Before a crash: the answer leaves within milliseconds, and the clock of the last commit may be a second behind."""

RECALLED_MOST: int = 20_000
"""Messages of those seconds: twice as many as were ever seen to come in."""

TOLD_TO = "told_to"
"""The fact under which the last message is kept whose client is not in doubt."""

_FAILED = frozenset({Stored.BOUNCED, Stored.CANCELLED})
"""Of a message that did not reach somebody: who sends it again wants it to, and means another one."""

Key = tuple[str, bytes]
"""Client and hash of what it submitted."""


class LedgerUnheard:
    """The port `Unheard`."""

    def __init__(self, note: Note, ask: Ask, present: Callable[[], Context]) -> None:
        """`present` gives the context of the moment."""
        self._note = note
        self._ask = ask
        self._present = present
        self._known: dict[Key, dict[MessageId, int]] = {}
        self._ahead: dict[MessageId, tuple[Key, int] | None] = {}
        """What is known here before it is written; None: that it is none any more."""
        self.hear(present().database)

    def hear(self, ledger: Ledger) -> None:
        """As they are written: at a start, and when another node wrote some."""
        self._known = {}
        for client, submitted, message, until in ledger.read(_SQL["unheard"]):
            if message not in self._ahead:
                self._keep((client, submitted), message, until)
        for message, known in self._ahead.items():
            if known is not None:
                self._keep(known[0], message, known[1])

    def may_be(self, sending: Sending) -> bool:
        """Whether it may be one."""
        return bool(self._known) and (sending.client, sending.submitted_hash) in self._known

    async def first_of(self, sending: Sending) -> MessageId | None:
        """The message of the first time."""
        known = self._known.get((sending.client, sending.submitted_hash), {})
        return await self._ask(lambda context: _first(context, list(known.items()), sending))

    async def remember(self, message: MessageId, sending: Sending) -> None:
        """Its client was not told; in memory at once: it may be back before the disk has it."""
        until = self._present().clock.wall() + UNHEARD_FOR
        key = sending.client, sending.submitted_hash
        self._drop_old()
        self._keep(key, message, until)
        await self._write(message, (key, until), lambda context: _remember(context, message, until))

    async def forget(self, message: MessageId) -> None:
        """Its client was told after all."""
        for key, messages in list(self._known.items()):
            if messages.pop(message, None) is not None and not messages:
                del self._known[key]
        await self._write(message, None, lambda context: context.database.write(_SQL["forget_unheard"], (message,)))

    async def _write(
        self, message: MessageId, known: tuple[Key, int] | None, work: Callable[[Context], object]
    ) -> None:
        """What memory has already; it keeps that whatever others write meanwhile."""
        self._ahead[message] = known
        try:
            await self._note(work)
        finally:
            self._ahead.pop(message, None)

    async def all_told(self) -> None:
        """Nobody who was accepted so far is in doubt."""
        await self._note(_all_told)

    def _keep(self, key: Key, message: MessageId, until: int) -> None:
        self._known.setdefault(key, {})[message] = until

    def _drop_old(self) -> None:
        """There are few: a handful in an hour of bad network."""
        wall = self._present().clock.wall()
        for key, messages in list(self._known.items()):
            kept = {message: until for message, until in messages.items() if until > wall}
            if kept:
                self._known[key] = kept
            else:
                del self._known[key]


def recall(context: Context, last: int | None) -> None:
    """At a start: whoever came in just before a crash may not have been told. `last`: when it was, queue time; None: no
    life came before.
    """
    database, wall = context.database, context.clock.wall()
    database.write(_SQL["drop_unheard"], (wall,))
    if last is None:
        return
    told = database.read_one(_STORE["get_meta"], (TOLD_TO,))
    after, since = 0 if told is None else int(told[0]), max(last - JUST_BEFORE, wall - UNHEARD_FOR)
    database.write(_SQL["recall_unheard"], (UNHEARD_FOR, after, RECALLED_MOST, since))


def _remember(context: Context, message: MessageId, until: int) -> None:
    context.database.write(_SQL["drop_unheard"], (context.clock.wall(),))
    context.database.write(_SQL["remember_unheard"], (until, message))


def _all_told(context: Context) -> None:
    newest = (context.database.read_one(_SQL["newest_seq"]) or (None,))[0]
    if newest is not None:
        context.database.write(_STORE["set_meta"], (TOLD_TO, str(newest)))


def _first(context: Context, known: Iterable[tuple[MessageId, int]], sending: Sending) -> MessageId | None:
    wanted = sorted(context.seals.hash_recipient(recipient) for recipient in sending.recipients)
    for message, until in known:
        if until > context.clock.wall() and _is_same(context, message, sending, wanted):
            return message
    return None


def _is_same(context: Context, message: MessageId, sending: Sending, wanted: list[bytes]) -> bool:
    row = context.database.read_one(_SQL["message_of"], (message,))
    if row is None:
        return False
    seq, many, account, submitted, client = row
    if (client, account, submitted) != (sending.client, sending.account, sending.submitted_hash):
        return False
    deliveries = context.database.read(_SQL["recipients_of"], (seq, seq + many))
    if any(state in _FAILED for _, state in deliveries):
        return False
    return sorted(recipient for recipient, _ in deliveries) == wanted
