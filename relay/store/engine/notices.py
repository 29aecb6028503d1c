"""Concerns and notices as the pump asks for them.

Law: a word of a concern is said once: its number is compared when it is written down.
"""

import json
from collections.abc import Mapping, Sequence

from relay.core.concerns import ONCE, Concern, ConcernKind, Subject, story_of
from relay.core.returned import REFUSED
from relay.core.routing import Account
from relay.core.words import AccountId, MailboxId
from relay.store.engine.concerns import close_concern, is_open, open_concern
from relay.store.engine.context import Context
from relay.store.engine.ends import all_ends_of, drop, ends_of, heard, take_over
from relay.store.engine.ledger import Row
from relay.store.engine.note import Note
from relay.store.engine.reader import Ask
from relay.store.engine.statements import Statement, load_statements
from relay.store.ports.notices import DeadLetter, DueConcern, DueTelling, Heard, Hearing, Unposted

_CONCERNS = load_statements("concerns")
_TELLINGS = load_statements("tellings")
_LETTERS = load_statements("letters")

SENT, DEAD = 1, 2

LAST: int = (1 << 63) - 1
"""After every id."""


class LedgerNotices:
    """The port `Notices`."""

    def __init__(self, note: Note, ask: Ask) -> None:
        self._note = note
        self._ask = ask

    async def due(self, most: int) -> Sequence[DueConcern]:
        """Concerns to be looked at now."""
        return await self._ask(lambda context: _due(context, most))

    async def looked(self, concern: int, *, after: int | None) -> None:
        """Nothing was said."""
        await self._note(lambda context: _write(context, _CONCERNS["look_again"], (_at(context, after), concern)))

    async def said(self, due: DueConcern, *, after: int | None, notice: str | None) -> bool:
        """A word was said."""
        return await self._note(lambda context: _said(context, due, after, notice))

    async def tellings(self, most: int) -> Sequence[DueTelling]:
        """Notices to be sent."""
        rows = await self._ask(lambda context: context.database.read(_TELLINGS["due_tellings"], (_now(context), most)))
        return [DueTelling(*row) for row in rows]

    async def sent(self, telling: int) -> None:
        """It was taken."""
        await self._note(
            lambda context: _write(context, _TELLINGS["telling_over"], (SENT, None, _now(context), telling))
        )

    async def later(self, telling: int, *, after: int, error: str) -> None:
        """It is to be tried again."""
        await self._note(
            lambda context: _write(context, _TELLINGS["telling_later"], (_at(context, after), error, telling))
        )

    async def dead(self, telling: int, *, error: str) -> None:
        """It is given up."""
        await self._note(
            lambda context: _write(context, _TELLINGS["telling_over"], (DEAD, error, _now(context), telling))
        )

    async def unposted(self) -> Unposted | None:
        """What has waited longest."""
        row = await self._ask(lambda context: context.database.read_one(_TELLINGS["oldest_telling"], ()))
        return None if row is None else Unposted(*row)

    async def hurry(self) -> None:
        """All that waits is due."""
        await self._note(lambda context: _write(context, _TELLINGS["hurry_tellings"], (_now(context),)))

    async def rest(self) -> int | None:
        """How long until something is due."""
        return await self._ask(_rest)

    async def raise_concern(
        self,
        kind: ConcernKind,
        subject: Subject,
        *,
        reason: str | None = None,
        detail: Mapping[str, str] | None = None,
        again_after: int | None = None,
    ) -> bool:
        """Somebody has to know."""
        return await self._note(
            lambda context: open_concern(context, kind, subject, reason=reason, detail=detail, again_after=again_after)
        )

    async def lower_concern(self, kind: ConcernKind, subject: Subject) -> bool:
        """It is over."""
        return await self._note(lambda context: close_concern(context, kind, subject))

    async def forget(self, concern: int) -> None:
        """It is over without a word."""
        await self._note(lambda context: _forget(context, concern))

    async def concerns(self, most: int, before: int | None = None) -> Sequence[Concern]:
        """Everything that is open."""
        return await self._ask(
            lambda context: [
                _concern(context, row)
                for row in context.database.read(_CONCERNS["open_concerns"], (before or LAST, most))
            ]
        )

    async def hearings(self, letters: Mapping[int, str]) -> Mapping[int, Hearing]:
        """Who heard of them."""
        return await self._ask(
            lambda context: {each: _hearing(context, each, begin) for each, begin in letters.items()}
        )

    async def dead_letters(self, most: int, before: int | None = None) -> Sequence[DeadLetter]:
        """What was given up."""
        return await self._ask(lambda context: _dead_letters(context, most, before))

    async def revive(self, telling: int) -> bool:
        """Tries a dead letter once more."""
        return await self._note(lambda context: _write(context, _TELLINGS["revive"], (_now(context), telling)))


def _now(context: Context) -> int:
    return context.clock.wall()


def _at(context: Context, after: int | None) -> int | None:
    return None if after is None else context.clock.wall() + after


def _write(context: Context, statement: Statement, values: tuple[object, ...]) -> bool:
    return context.database.write(statement, values) > 0


def _said(context: Context, due: DueConcern, after: int | None, notice: str | None) -> bool:
    number, now = due.concern.id, context.clock.wall()
    row = context.database.read_one(_CONCERNS["detail_of"], (number,))
    if row is not None and json.loads(row[0]).get(REFUSED) != due.concern.detail.get(REFUSED):
        return False  # a mail of it was refused meanwhile
    if not _write(context, _CONCERNS["said"], (now, _at(context, after), number, due.words)):
        return False
    if due.concern.kind not in ONCE:
        _settle_ends(context, due.concern)
    if notice is not None:
        context.database.write(_TELLINGS["add_telling"], (number, due.words, notice, now))
    return True


def _settle_ends(context: Context, concern: Concern) -> None:
    """An end was said for all of them; a stop that was told stands for what was told before it."""
    kind, subject = concern.kind, concern.subject
    if concern.closed_at is None:
        take_over(context, concern.id, ends_of(context, kind, subject))
    else:
        drop(context, [each for each in all_ends_of(context, kind, subject) if each.id != concern.id])


def _forget(context: Context, concern: int) -> None:
    _write(context, _CONCERNS["forget_concern"], (_now(context), concern))
    row = context.database.read_one(_CONCERNS["of_whom"], (concern,))
    if row is not None:
        kind, about = row
        drop(context, ends_of(context, ConcernKind(kind), Subject(account=about)))


def _rest(context: Context) -> int | None:
    rows = (context.database.read_one(each) for each in (_CONCERNS["next_look"], _TELLINGS["next_telling"]))
    known = [row[0] for row in rows if row is not None and row[0] is not None]
    return max(0, min(known) - context.clock.wall()) if known else None


def _due(context: Context, most: int) -> list[DueConcern]:
    return [_looked_at(context, row) for row in context.database.read(_CONCERNS["due_concerns"], (_now(context), most))]


def _looked_at(context: Context, row: Row) -> DueConcern:
    concern, told_at, words = _concern(context, row), row[8], row[9]
    accounts = _accounts(context, concern.subject)
    return DueConcern(
        concern,
        None if told_at is None else context.clock.shown(told_at),
        words,
        context.clock.shown(context.clock.wall()),
        tuple(account.sender for account in accounts),
        sum(_waiting(context, sender) for sender in _left_by(concern.subject, accounts)),
        _next_try(context, concern.subject),
        is_ill=_is_ill(context, concern),
        heard=() if concern.closed_at is None else _heard(context, concern),
    )


def _heard(context: Context, concern: Concern) -> tuple[Heard, ...]:
    others = [each for each in all_ends_of(context, concern.kind, concern.subject) if each.id != concern.id]
    return heard(context, concern.detail, others, concern.subject)


def _concern(context: Context, row: Row) -> Concern:
    number, kind, provider, mailbox, account, reason, opened_at, closed_at, told_at, _, detail = row
    subject = Subject(
        provider,
        None if mailbox is None else context.names.mailbox_name(mailbox),
        None if account is None else context.names.sender(account),
    )
    shown = context.clock.shown
    closed, told = (None if at is None else shown(at) for at in (closed_at, told_at))
    return Concern(number, ConcernKind(kind), subject, reason, shown(opened_at), closed, told, json.loads(detail))


def _accounts(context: Context, subject: Subject) -> Sequence[Account]:
    """Whose mail it is about: the narrowest that the subject names."""
    routing = context.routes.routing
    if subject.account is not None:
        account = routing.accounts.get(subject.account)
        return [] if account is None else [account]
    if subject.mailbox is not None:
        return routing.by_mailbox.get(subject.mailbox, ())
    if subject.provider is not None:
        return [each for each in routing.accounts.values() if each.mailbox.provider == subject.provider]
    return []


def _left_by(subject: Subject, accounts: Sequence[Account]) -> Sequence[AccountId]:
    """Whose mail waits: an account that the routing does not have any more may have left some."""
    return [account.sender for account in accounts] or ([] if subject.account is None else [subject.account])


def _waiting(context: Context, sender: AccountId) -> int:
    number = context.names.known_account(sender)
    line = None if number is None else context.pending.line(number)
    return 0 if line is None else line.waiting + line.held


def _next_try(context: Context, subject: Subject) -> int | None:
    mailbox: MailboxId | None = subject.mailbox
    known = [] if mailbox is None else [context.remembrance.health(mailbox)]
    if subject.provider is not None:
        known.append(context.remembrance.provider_health(subject.provider))
    probes = [each.probe_at for each in known if each.is_stopped and each.probe_at is not None]
    if not probes:
        return None
    now = context.clock.now()
    return context.clock.shown(max(*probes, now) + context.clock.wall() - now)


def _is_ill(context: Context, concern: Concern) -> bool:
    """Whether what it is about is stopped, whatever stops it: health, host, or that its account goes nowhere."""
    subject, health = concern.subject, context.remembrance
    if any(is_open(context, kind, subject) for kind in story_of(concern.kind)):
        return True
    mailbox, provider = subject.mailbox, subject.provider
    if subject.account is not None:
        mailbox = context.routes.mailbox_of(subject.account)
        if mailbox is None or ends_of(context, ConcernKind.MAILBOX_STOPPED, Subject(mailbox=mailbox)):
            return True  # what is said of the mailbox is said of its account as well
    elif mailbox is not None and not _is_routed(context, mailbox):
        return True
    if mailbox is not None:
        return health.health(mailbox).is_stopped or health.provider_health(mailbox.provider).is_stopped
    return provider is not None and health.provider_health(provider).is_stopped


def _is_routed(context: Context, mailbox: MailboxId) -> bool:
    """Whether the mail of any of its accounts has a way: all may be paused, or without password."""
    accounts = context.routes.routing.by_mailbox.get(mailbox, ())
    return any(context.routes.mailbox_of(each.sender) is not None for each in accounts)


def _hearing(context: Context, concern: int, begin: str) -> Hearing:
    """A letter's id goes on behind `begin`, and whatever begins with it sorts before it with its last letter raised."""
    ids = begin, f"{begin[:-1]}{chr(ord(begin[-1]) + 1)}"
    asked = ((_TELLINGS["taken"], (concern,)), (_LETTERS["written"], ids))
    rows = [context.database.read_one(statement, values) for statement, values in asked]
    heard = [row[0] for row in rows if row is not None and row[0] is not None]
    ahead = context.database.read_one(_TELLINGS["told_next"], (concern,))
    last, later = max(heard, default=None), None if ahead is None else ahead[0]
    shown = context.clock.shown
    return Hearing(None if last is None else shown(last), None if later is None else shown(later))


def _dead_letters(context: Context, most: int, before: int | None) -> list[DeadLetter]:
    rows, shown = context.database.read(_TELLINGS["dead_letters"], (before or LAST, most)), context.clock.shown
    return [DeadLetter(number, notice, tries, error or "", shown(at)) for number, notice, tries, error, at in rows]
