"""Sessions upstream as they come and go: logins that count, and what a refused one says about health.

Law: a login is recorded before it is tried, so that no restart gives a mailbox more of them than it may have.
"""

from relay.core.envelope import LoginFailure
from relay.core.health import Health, HealthEvent, event_of_failure
from relay.core.health import after as health_after
from relay.core.limits import HOUR, Instant
from relay.core.meaning import ReplyClass
from relay.core.rotation import CROWDED
from relay.core.words import MailboxId
from relay.store.ports.events import EventKind, StoreEvent
from relay.store.ports.sessions import SessionEvent
from relay.store.sqlite.context import Context
from relay.store.sqlite.remembrance import LEAST_MEMORY
from relay.store.sqlite.settling import set_health
from relay.store.sqlite.statements import load_statements

_SQL = load_statements("limits")


class Logins:
    """What delivery reports on its sessions."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._prune_at: Instant = 0

    def session(self, mailbox: MailboxId, event: SessionEvent) -> None:
        """A session was opened, declined, closed or lost."""
        context, now = self._context, self._context.clock.now()
        if event is SessionEvent.OPENED:
            context.schedule.session_opened(mailbox, now)
            context.database.write(_SQL["end_login"], (now, context.names.mailbox(mailbox)))
            context.book.change(mailbox, 0, -1)
            self._worked(mailbox)
        elif event is SessionEvent.DECLINED:
            context.schedule.session_refused(mailbox, now, is_login_sent=False)
            context.database.write(_SQL["drop_login"], (context.names.mailbox(mailbox),))
            context.book.change(mailbox, -1, -1)
        else:
            context.book.change(mailbox, -1, 0)
            context.schedule.session_closed(mailbox, now)
        if event is SessionEvent.LOST:
            self._set_mailbox(mailbox, HealthEvent.CUT_OFF, ReplyClass.NETWORK)
        context.changed()

    def refused(self, mailbox: MailboxId, failure: LoginFailure) -> None:
        """A session could not be opened: the mailbox, or the provider whose host failed, stops for a while."""
        context, now = self._context, self._context.clock.now()
        ends_at = now if failure.is_answered else now + context.routes.linger_of(mailbox)
        context.schedule.session_refused(mailbox, now, is_login_sent=failure.is_login_sent, ends_at=ends_at)
        context.book.change(mailbox, -1, -1)
        number = context.names.mailbox(mailbox)
        if failure.is_login_sent:
            context.database.write(_SQL["end_login"], (ends_at, number))
        else:
            context.database.write(_SQL["drop_login"], (number,))
        if failure.reply_class == ReplyClass.TOO_MANY_CONNECTIONS:
            context.schedule.crowded(mailbox, now + CROWDED, now, is_provider=failure.is_provider)
            self._crowded(mailbox, failure)
        elif not failure.is_outdated:
            self._judge(mailbox, failure)
        context.changed()

    def _judge(self, mailbox: MailboxId, failure: LoginFailure) -> None:
        event = event_of_failure(failure)
        if failure.is_provider:
            self._set_provider(mailbox.provider, self._after(self._provider(mailbox), event, failure.reason))
            return
        self._set_mailbox(mailbox, event, failure.reason)

    def _crowded(self, mailbox: MailboxId, failure: LoginFailure) -> None:
        """Where a session is left it goes on with that one; where none is, nothing goes until one is let in."""
        line = self._context.schedule.look(mailbox)
        whose = line.provider if failure.is_provider else line
        if failure.is_outdated or whose.sessions > whose.opening:
            return
        if failure.is_provider:
            health = self._after(self._provider(mailbox), HealthEvent.CROWDED, failure.reason)
            self._set_provider(mailbox.provider, health)
        else:
            self._set_mailbox(mailbox, HealthEvent.CROWDED, failure.reason)

    def _set_mailbox(self, mailbox: MailboxId, event: HealthEvent, reason: str | None) -> None:
        health = self._context.remembrance.health(mailbox)
        set_health(self._context, mailbox, self._after(health, event, reason))

    def prune(self, now: Instant) -> None:
        """Now and then forgets logins that no limit counts."""
        if now < self._prune_at:
            return
        self._prune_at = now + HOUR
        providers = self._context.routes.routing.providers.values()
        longest = max((provider.login_limit.width for provider in providers), default=0)
        self._context.database.write(_SQL["prune_logins"], (now - max(LEAST_MEMORY, longest),))

    def _worked(self, mailbox: MailboxId) -> None:
        """The login worked: the credential is proven, and the provider's host answers."""
        context = self._context
        set_health(context, mailbox, self._after(context.remembrance.health(mailbox), HealthEvent.LOGIN_WORKED, None))
        if self._provider(mailbox).is_stopped:
            self._set_provider(mailbox.provider, self._after(self._provider(mailbox), HealthEvent.LET_IN, None))

    def _after(self, health: Health, event: HealthEvent, reason: str | None) -> Health:
        context = self._context
        moment, settings = context.clock.moment(), context.settings.health
        return health_after(health, event, moment=moment, settings=settings, reason=reason)

    def _provider(self, mailbox: MailboxId) -> Health:
        return self._context.remembrance.provider_health(mailbox.provider)

    def _set_provider(self, provider: str, health: Health) -> None:
        context = self._context
        if health == context.remembrance.provider_health(provider):
            return
        context.remembrance.set_provider_health(provider, health)
        context.schedule.set_provider_standing(provider, health.standing)
        reason = health.reason if health.is_stopped else health.state.value
        context.journal.record(StoreEvent(EventKind.HEALTH, context.clock.wall(), reason=reason, provider=provider))
