"""When a message that came in now would leave: the schedule, run ahead with one more.

Law: it only reads; the one more is in the copy alone. A probe of what somebody has to mend is no departure.
"""

from relay.core.forecast import Outlook
from relay.core.standstill import BlockTime, is_for_somebody, waits_for_somebody
from relay.core.words import AccountId, MailboxId
from relay.store.engine.context import Context
from relay.store.engine.outlooks import DETAIL_STEPS, latency_of
from relay.store.engine.reader import Ask
from relay.store.engine.values import LANES


class LedgerForesight:
    """The port `Foresight`."""

    def __init__(self, ask: Ask) -> None:
        self._ask = ask

    async def departure(self, account: AccountId, client: str, *, wants_express: bool) -> int | None:
        """When it would leave."""
        return await self._ask(lambda context: _departure(context, account, client, wants_express=wants_express))


def _departure(context: Context, account: AccountId, client: str, *, wants_express: bool) -> int | None:
    mailbox, now = context.routes.mailbox_of(account), context.clock.now()
    if mailbox is None:
        return None
    if _waits_for_somebody(context, mailbox):
        return None
    lane = context.lanes.foreseen(client, account, now, wants_express=wants_express)
    latency = latency_of(context, mailbox)
    ready = context.schedule.ready_of(mailbox, account)[LANES.index(lane)]
    outlook = Outlook(context.schedule, mailbox, now=now, latency=latency, steps=DETAIL_STEPS, newcomer=(account, lane))
    at = outlook.leaves_at(account, lane, ready + 1)
    return None if at is None else context.clock.shown(max(at, now) + context.clock.wall() - now)


def _waits_for_somebody(context: Context, mailbox: MailboxId) -> bool:
    """Its mailbox does; or its provider, and no session is left that it could go over."""
    provider, settings = context.routes.routing.providers.get(mailbox.provider), context.settings.health
    is_known = provider is not None and provider.profile in settings.block_times
    block = BlockTime(settings.blocked[0], is_known)
    if waits_for_somebody(context.remembrance.health(mailbox), now=context.clock.moment(), block=block):
        return True
    line = context.schedule.look(mailbox)
    return line.sessions == line.opening and is_for_somebody(context.remembrance.provider_health(mailbox.provider))
