"""The journal: what happened in a transaction, written with it and told after it.

Law: an event whose transaction is rolled back was never written and is never told.
"""

import asyncio

from relay.store.engine.ledger import Ledger
from relay.store.engine.numbers import Numbers
from relay.store.engine.statements import load_statements
from relay.store.ports.events import Listener, StoreEvent

_SQL = load_statements("store")


class Journal:
    """Collects the events of one transaction."""

    def __init__(self, database: Ledger, names: Numbers, listener: Listener | None) -> None:
        self._database = database
        self._names = names
        self._listener = listener
        self._events: list[tuple[StoreEvent, int | None]] = []

    def record(self, event: StoreEvent, message: int | None = None) -> None:
        """Something happened; `message` is the number of the message that it happened to."""
        self._events.append((event, message))

    @property
    def is_waiting(self) -> bool:
        """Whether something happened that is not written yet."""
        return bool(self._events)

    def write(self) -> None:
        """Writes the events, as the last thing of the transaction."""
        if self._events:
            self._database.write_many(_SQL["add_event"], [self.row(event, seq) for event, seq in self._events])

    def tell(self) -> None:
        """The transaction is durable: tells who listens."""
        events, self._events = self._events, []
        if self._listener is not None:
            for event, _ in events:
                self._tell(self._listener, event)

    def _tell(self, listener: Listener, event: StoreEvent) -> None:
        """What is durable stays so, whatever a listener makes of it; its error goes where the loop's errors go."""
        try:
            listener(event)
        except Exception as error:  # noqa: BLE001 - a counter that fails must not stop the mail
            what = {"message": f"a listener to the store failed at {event.kind}", "exception": error}
            asyncio.get_running_loop().call_exception_handler(what)

    def tell_of(self, event: StoreEvent) -> None:
        """Something that is written already, and durable: tells who listens."""
        if self._listener is not None:
            self._tell(self._listener, event)

    def row(self, event: StoreEvent, message: int | None) -> tuple[object, ...]:
        """An event as it is written."""
        account = None if event.account is None else self._names.account(event.account)
        mailbox = None if event.mailbox is None else self._names.mailbox(event.mailbox)
        return (event.at, event.kind.value, message, event.delivery, account, mailbox, event.reason)
