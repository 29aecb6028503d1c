"""The store as delivery of this node sees it: it hands out work under the routing that this node works with.

Law: nothing is taken while another routing is in force than the one that this node has; that is no trouble.
"""

from collections.abc import Collection, Mapping
from dataclasses import replace
from typing import Protocol

from relay.app.timed import TimedStore
from relay.core.envelope import LoginFailure, Taken
from relay.core.meaning import ReplyClass
from relay.core.words import MailboxId, Stage
from relay.errors import StaleRouting, StoreUnavailable
from relay.store.ports.sessions import SessionEvent

NOT_HERE = LoginFailure(
    ReplyClass.AUTH_TEMPORARY, Stage.AUTH, None, is_provider=False, is_login_sent=False, fault="no-credentials"
)
"""How a login ends that nobody can try here."""


class Keeps(Protocol):
    """Who keeps this node's routing."""

    async def abreast(self) -> None: ...
    def is_behind(self) -> None: ...
    def is_unable(self, mailbox: MailboxId, /) -> bool: ...
    async def not_as(self, opened: Collection[MailboxId], /) -> Collection[MailboxId]: ...


class NodeStore(TimedStore):
    """A store of several nodes, or of one."""

    _keeper: Keeps | None = None

    def obey(self, keeper: Keeps) -> None:
        """From here on nothing is taken that he has not taken over."""
        self._keeper = keeper

    async def take(self, node: str, idle: Mapping[MailboxId, int], most: int) -> Taken:
        """As the port; waits for a routing that another node put in force. StaleRouting: that takes longer."""
        if self._keeper is None:
            return await super().take(node, idle, most)
        await self._keeper.abreast()
        try:
            taken = await super().take(node, idle, most)
        except StaleRouting:
            self._keeper.is_behind()
            await self._keeper.abreast()
            taken = await super().take(node, idle, most)
        return await self._without_others(taken, self._keeper) if taken.open else taken

    async def _without_others(self, taken: Taken, keeper: Keeps) -> Taken:
        """Without sessions that this node has not the secret for; whoever has it is named next. Those that it lacks and
        could not name, for they are too many, rest for a while: else they were named again at once.

        What the store cannot be told of is opened: a login too many is less than a place that nobody gives back.
        """
        opened = dict(taken.open)
        try:
            for mailbox in await keeper.not_as(taken.open):
                while opened[mailbox]:
                    if keeper.is_unable(mailbox):
                        await self.refused(mailbox, NOT_HERE)
                    else:
                        await self.session(mailbox, SessionEvent.DECLINED)
                    opened[mailbox] -= 1
        except StoreUnavailable:
            pass  # the presence has heard of it
        return replace(taken, open={mailbox: many for mailbox, many in opened.items() if many})
