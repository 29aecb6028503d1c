"""What the pump of notices asks about people and roads: who is to be told of a concern, and through which account.

Law: nobody is told through what is ill; a provider's trouble is told to ops, and not of each of its doctors.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from relay.core.announcing import type_of
from relay.core.circle import Addressee, Circle, Reader, circle, joined, reader_of
from relay.core.concerns import Concern, Subject
from relay.core.notice import Notice, NoticeType
from relay.core.notices import Sheet
from relay.core.reminding import Word
from relay.core.returned import refused_at
from relay.core.routing import Account, Routing
from relay.core.telling import NoRoad, Telling, Trouble, carrier, telling
from relay.core.words import AccountId, MailboxId
from relay.notify.letter import LetterSettings
from relay.notify.post import Observes, ShowsBacklog
from relay.notify.untold import ShowsUntold
from relay.store.ports.notices import Heard

_ILL = frozenset(
    {
        NoticeType.STOPPED,
        NoticeType.STILL_STOPPED,
        NoticeType.AUTH_OUTAGE,
        NoticeType.PROVIDER_BLOCKED,
        NoticeType.PROVIDER_STOPPED,
    }
)
"""Something that carries mail does not, so the notice must not pass through it."""


@dataclass(frozen=True, slots=True)
class NoticeDesk:
    """The people, the roads, and who hears what became of a notice."""

    settings: LetterSettings
    routing: Callable[[], Routing]
    is_stopped: Callable[[AccountId], bool]
    """Whether nothing goes through the mailbox of an account, or through its provider."""
    sheet_of: Callable[[Notice, Addressee], Sheet]
    moment: Callable[[int], datetime]
    """Wall time in microseconds as an aware moment."""
    show_untold: ShowsUntold
    show_backlog: ShowsBacklog
    observe: Observes
    notices_from: str | None = None
    postmaster: str | None = None

    def plan(
        self,
        concern: Concern,
        word: Word,
        senders: Sequence[AccountId],
        *,
        has_webhook: bool,
        heard: Sequence[Heard] = (),
        now: int | None = None,
    ) -> Telling:
        """Who is told a word about a concern of these senders, by which road; an end also who `heard` of others.

        At an address that refused a notice of it within a day of `now` (None: ever) nobody is written to.
        """
        kind, subject = type_of(concern.kind, word), concern.subject
        is_of_all = subject.mailbox is None and subject.account is None
        others = [(each.reason, each.accounts) for each in heard if each.accounts or is_of_all]
        told = [(concern.reason, senders), *others]  # whose account is gone hears nothing of it
        refused = refused_at(concern.detail, now)
        people = joined(self._circle(kind, reason, accounts, refused) for reason, accounts in told)
        provider = subject.provider if subject.mailbox is None else subject.mailbox.provider
        trouble = Trouble(provider, subject.mailbox) if kind in _ILL else Trouble()
        found = telling(people, self.road(trouble), has_webhook=has_webhook)
        is_refused = refused and found.unsendable is NoRoad.NO_ADDRESS
        return replace(found, unsendable=NoRoad.REFUSED) if is_refused else found

    def _circle(
        self, kind: NoticeType, reason: str | None, senders: Sequence[AccountId], refused: frozenset[str]
    ) -> Circle:
        routing = self.routing()
        accounts = [routing.accounts[each] for each in senders if each in routing.accounts]
        return circle(kind, reason, accounts, self.postmaster, refused=refused)

    def road(self, trouble: Trouble) -> Account | NoRoad:
        """Through which account a notice of a trouble leaves, if any."""
        return carrier(self.routing(), self.notices_from, trouble, self._is_stopped)

    def _is_stopped(self, mailbox: MailboxId) -> bool:
        accounts = self.routing().by_mailbox.get(mailbox, ())
        return any(self.is_stopped(each.sender) for each in accounts[:1])

    def reader(self, notice: Notice) -> Reader:
        """Who should be told of it."""
        account = self.routing().accounts.get(notice.accounts[0]) if notice.accounts else None
        return Reader.OPS if account is None else reader_of(notice.type, notice.reason, account.plan)

    def senders(self, subject: Subject) -> tuple[AccountId, ...]:
        """Whom a subject concerns, as the routing has it now."""
        if subject.account is not None:
            return (subject.account,)
        own = () if subject.mailbox is None else self.routing().by_mailbox.get(subject.mailbox, ())
        return tuple(each.sender for each in own)
