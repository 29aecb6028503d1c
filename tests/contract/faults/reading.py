"""Stores that tell admins wrongly.

Law: each differs from the model in one step, as an adapter would that forgot one sentence of the ports.
"""

from dataclasses import replace

from relay.core.envelope import LoginFailure
from relay.core.standstill import Barrier, Situation
from relay.core.words import MailboxId
from relay.store.ports.history import AccountGauges
from relay.store.ports.reading import AccountView, MessageQuery, MessageView, Page
from tests.contract.model import ModelStore
from tests.contract.model_data import Delivery


class OldestFirst(ModelStore):
    """A page begins with what nobody looks for."""

    async def messages(self, query: MessageQuery) -> Page[MessageView]:
        page = await super().messages(query)
        return replace(page, items=page.items[::-1])


class PageForgets(ModelStore):
    """The last of a page comes again on the next."""

    def before(self, cursor: str | None) -> int:
        return super().before(cursor) + (cursor is not None)


class CursorTaken(ModelStore):
    """Any cursor is one."""

    def before(self, cursor: str | None) -> int:
        return super().before(cursor if cursor is None or cursor[1:].isdecimal() else None)


class HeldLooksWaiting(ModelStore):
    """What a stopped mailbox keeps back seems to wait."""

    def state_of(self, delivery: Delivery) -> str:
        state = super().state_of(delivery)
        return delivery.state.value if state == "held" else state


class NeverALimit(ModelStore):
    """A closed limit looks like a busy session."""

    def barrier(self, mailbox: MailboxId, delivery: Delivery) -> Barrier:
        found = super().barrier(mailbox, delivery)
        return Barrier.QUEUE if found is Barrier.LIMIT else found


class NeverALogin(ModelStore):
    """A spent login budget looks like a busy session."""

    def lacks_login(self, mailbox: MailboxId, now: int) -> bool:
        return False


class ProbesWithoutLogin(ModelStore):
    """A probe goes when health lets it, whatever logins are left."""

    def could_log_in_at(self, mailbox: MailboxId) -> int:
        return self.now()


class ProbesWithoutRoom(ModelStore):
    """A probe goes when health lets it, however full the limits are."""

    def could_begin_at(self, mailbox: MailboxId) -> int:
        return self.now()


class ForeseesTheFirst(ModelStore):
    """All of a queue leave when its first does."""

    def leaves_at(self, delivery: Delivery) -> int | None:
        same = [each for each in self.disk.deliveries if each.account == delivery.account and each.state == "waiting"]
        return super().leaves_at(min(same, key=lambda each: each.id))


class HostUnnamed(ModelStore):
    """A host that is down is nobody's reason."""

    def situation(self, delivery: Delivery, *, is_blind: bool = False) -> Situation:
        found = super().situation(delivery, is_blind=is_blind)
        return replace(found, provider=Situation(found.state, 0, 0).provider)


class CrowdUnnamed(ModelStore):
    """Who gets no session at all seems well."""

    def judge_crowd(self, mailbox: MailboxId, failure: LoginFailure) -> None:
        pass


class StrangersUnlisted(ModelStore):
    """Who is not in the routing any more has no mail."""

    def account_view(self, sender: str) -> AccountView:
        view = super().account_view(sender)
        return replace(view, queued=0) if view.plan is None else view


class NothingDropped(ModelStore):
    """Who has no series is not missed."""

    async def account_gauges(self, most: int) -> AccountGauges:
        return replace(await super().account_gauges(most), dropped=0)
