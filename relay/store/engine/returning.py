"""Work that was handed out and that nobody heard of goes back to where it was.

Law: an attempt that nobody made counts nowhere, and a session that nobody opens was declined.
"""

from typing import Protocol

from relay.core.envelope import Result, Taken, Verdict
from relay.core.words import Stage
from relay.store.ports.queue import Queue
from relay.store.ports.sessions import SessionEvent, Sessions

NOT_BEGUN = Result(Verdict.DROPPED, "cancelled", Stage.CONNECT, None, is_mail_written=False, is_end_known=True)
"""How an attempt ends that nobody made."""


class HandsOut(Queue, Sessions, Protocol):
    """A store as far as it hands out work."""


async def give_back(store: HandsOut, taken: Taken) -> None:
    """Whoever took was cancelled meanwhile. StoreError: not all of it is back."""
    for claim in taken.claims:
        await store.settle(claim, NOT_BEGUN)
    for mailbox, many in taken.open.items():
        for _ in range(many):
            await store.session(mailbox, SessionEvent.DECLINED)
