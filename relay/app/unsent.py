"""What no node sends now: no node that delivers runs, or none of them has what a mailbox logs in with.

Law: it is said as what a person has to mend, never as what goes by itself; what a node lacks alone is left out.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from relay.admin import Readiness
from relay.core.nodesecrets import nobodys
from relay.core.remedy import Needs
from relay.core.routing import Routing
from relay.core.words import AccountId, MailboxId, MessageId
from relay.observe import Log
from relay.store.ports.nodes import Nodes, NodeState, SeenNode
from relay.store.ports.reading import (
    AccountQuery,
    AccountView,
    DeliveryView,
    MessageQuery,
    MessageView,
    Page,
    ProviderView,
    Reading,
)

DELIVERY = "delivery"
"""What readiness calls that no node delivers: mail is taken all the same, and waits."""

NO_NODE = "no-node"
"""Why everything waits while no node delivers."""

NO_NODE_AS_IT = "no-node-logs-in"
"""Why a mailbox waits that none of them can log in as; `no-credentials` once none is waited for that may come back."""

NAMED: int = 5
"""Nodes that are named in a sentence."""

QUEUED = frozenset({"waiting", "held"})
"""States of deliveries that would go by themselves: one of a stopped mailbox with a probe."""


@dataclass(frozen=True, slots=True)
class Unsent:
    """What nobody sends."""

    is_all: bool = False
    mailboxes: frozenset[MailboxId] = frozenset()
    """As whom no node that runs can log in."""

    def reason_of(self, mailbox: MailboxId | None) -> tuple[str, Needs] | None:
        """Why nobody sends for it, and who has to act; None: somebody does, or may."""
        if self.is_all:
            return NO_NODE, Needs.OPS
        return (NO_NODE_AS_IT, Needs.OPS) if mailbox in self.mailboxes else None


def unsent(seen: Sequence[SeenNode]) -> Unsent:
    """What these nodes, as they were heard of last, leave unsent; none was heard of: nothing is known."""
    senders = [each.view for each in seen if each.state is NodeState.RUNNING and each.view.role.delivers]
    if not senders:
        return Unsent(is_all=bool(seen))
    first, *others = senders
    return Unsent(mailboxes=nobodys(first.lacks, [each.lacks for each in others]))


class Senders:
    """Looks whether any node delivers, and says it when none does, twice running, and when one does again."""

    def __init__(self, nodes: Nodes, readiness: Readiness, log: Log) -> None:
        self._nodes = nodes
        self._readiness = readiness
        self._log = log
        self._was_all = False

    async def look(self) -> None:
        """StoreError: not now; what was said stays.

        A first look says nothing yet: after a store that was away all others are silent, until they speak again.
        """
        seen = await self._nodes.nodes()
        was_all, self._was_all = self._was_all, unsent(seen).is_all
        if not self._was_all:
            if self._readiness.clear(DELIVERY):
                self._log.recovered_from(what=DELIVERY)
            return
        text = _sentence(seen)
        if was_all and self._readiness.set(DELIVERY, text):
            self._log.trouble(what=DELIVERY, text=text)


def _sentence(seen: Sequence[SeenNode]) -> str:
    text = "no node delivers: mail is taken, is safe in the store, and waits; start a node of the role all or delivery"
    known = [f"{each.view.name} ({each.view.role}) is {each.state}" for each in seen if each.view.role.delivers]
    more = f" (and {len(known) - NAMED} more)" if len(known) > NAMED else ""
    return f"{text}; {', '.join(known[:NAMED])}{more}" if known else text


class ReadingAmongNodes:
    """A reading port in front of a reading port, which knows the queue but not who works on it."""

    def __init__(self, reading: Reading, nodes: Nodes, routing: Callable[[], Routing]) -> None:
        """`routing` is the one in force."""
        self._reading = reading
        self._nodes = nodes
        self._routing = routing

    async def messages(self, query: MessageQuery) -> Page[MessageView]:
        page, found = await self._reading.messages(query), unsent(await self._nodes.nodes())
        return replace(page, items=tuple(self._message(each, found) for each in page.items))

    async def message(self, message: MessageId) -> MessageView | None:
        view = await self._reading.message(message)
        return None if view is None else self._message(view, unsent(await self._nodes.nodes()))

    async def accounts(self, query: AccountQuery) -> Page[AccountView]:
        page, found = await self._reading.accounts(query), unsent(await self._nodes.nodes())
        return replace(page, items=tuple(_account(each, found) for each in page.items))

    async def account(self, sender: AccountId) -> AccountView | None:
        view = await self._reading.account(sender)
        return None if view is None else _account(view, unsent(await self._nodes.nodes()))

    async def providers(self) -> Sequence[ProviderView]:
        return await self._reading.providers()

    def _message(self, view: MessageView, found: Unsent) -> MessageView:
        account = self._routing().accounts.get(view.account)
        why = found.reason_of(None if account is None else account.mailbox)
        if why is None:
            return view
        return replace(view, deliveries=tuple(_delivery(each, *why) for each in view.deliveries))


def _delivery(view: DeliveryView, reason: str, needs: Needs) -> DeliveryView:
    if view.state not in QUEUED:
        return view
    if view.needs is not None:
        return replace(view, eta=None)
    return replace(view, reason=reason, needs=needs, eta=None)


def _account(view: AccountView, found: Unsent) -> AccountView:
    why = found.reason_of(view.mailbox)
    if why is None or not view.queued:
        return view
    if view.needs is not None:
        return replace(view, eta=None)
    reason, needs = why
    return replace(view, reason=reason, needs=needs, eta=None)
