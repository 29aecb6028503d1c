"""Sessions upstream as they come and go: logins that count, and what a refused one says about health.

Law: a login is recorded before it is tried, so that no restart gives a mailbox more of them than it may have.
"""

from dataclasses import replace

from relay.core.envelope import LoginFailure
from relay.core.health import HealthEvent
from relay.core.likeness import likeness_of
from relay.core.limits import HOUR, Instant
from relay.core.meaning import ReplyClass
from relay.core.rotation import CROWDED
from relay.core.symptoms import event_of_failure, is_refused_login, pause_after_silence
from relay.core.words import MailboxId
from relay.store.engine.about import suspect_line, suspect_login
from relay.store.engine.circumstances import circumstance_of
from relay.store.engine.context import Context
from relay.store.engine.credentials import forgive_credential, refuse_credential
from relay.store.engine.healths import Symptom, change_mailbox, change_provider
from relay.store.engine.remembrance import LEAST_MEMORY
from relay.store.engine.riddles import note_riddle
from relay.store.engine.statements import load_statements
from relay.store.ports.sessions import SessionEvent

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
        elif event in (SessionEvent.DECLINED, SessionEvent.KNOCKED):
            context.schedule.session_refused(mailbox, now, is_login_sent=False)
            context.database.write(_SQL["drop_login"], (context.names.mailbox(mailbox),))
            context.book.change(mailbox, -1, -1)
        else:
            context.book.change(mailbox, -1, 0)
            context.schedule.session_closed(mailbox, now)
        if event is SessionEvent.KNOCKED:
            self._let_in(mailbox.provider)
        if event is SessionEvent.LOST:
            suspect_line(context, mailbox)
        context.changed()

    def refused(self, mailbox: MailboxId, failure: LoginFailure) -> None:
        """A session could not be opened: the mailbox, or the provider whose host failed, stops for a while."""
        context, now = self._context, self._context.clock.now()
        self._end(mailbox, failure, now)
        if failure.reply_class == ReplyClass.TOO_MANY_CONNECTIONS:
            failure = self._as_own(mailbox, failure)
            context.schedule.crowded(mailbox, now + CROWDED, now, is_provider=failure.is_provider)
            self._crowded(mailbox, failure)
        elif not failure.is_outdated:
            self._judge(mailbox, suspect_login(context, mailbox, failure))
        context.changed()

    def _end(self, mailbox: MailboxId, failure: LoginFailure, now: Instant) -> None:
        """The login counts as what it was, if it was sent at all."""
        context, is_refusal = self._context, is_refused_login(failure)
        ends_at = now if failure.is_answered else now + context.routes.linger_of(mailbox)
        context.schedule.session_refused(
            mailbox, now, is_login_sent=failure.is_login_sent, ends_at=ends_at, is_refusal=is_refusal
        )
        context.book.change(mailbox, -1, -1)
        number = context.names.mailbox(mailbox)
        if not failure.is_login_sent:
            context.database.write(_SQL["drop_login"], (number,))
            return
        likeness = None if failure.reply is None else likeness_of(failure.reply)
        context.database.write(_SQL["refuse_login"], (ends_at, failure.reply_class, likeness, is_refusal, number))

    def _judge(self, mailbox: MailboxId, failure: LoginFailure) -> None:
        beside = circumstance_of(self._context, mailbox, failure)
        health = self._context.remembrance.health(mailbox)
        pause = pause_after_silence(failure, health, self._context.settings.health)
        symptom = Symptom(
            event_of_failure(failure), failure.reason, retry_after=pause, reply=failure.reply, circumstance=beside
        )
        if failure.reply_class == ReplyClass.UNKNOWN:
            note_riddle(self._context, mailbox.provider, failure.stage, failure.reply, reason=failure.reply_class)
        if failure.is_provider:
            self._context.schedule.accuse(mailbox.provider, [mailbox])
            change_provider(self._context, mailbox.provider, symptom)
        else:
            change_mailbox(self._context, mailbox, symptom)
            if is_refused_login(failure):
                refuse_credential(self._context, mailbox)

    def _as_own(self, mailbox: MailboxId, failure: LoginFailure) -> LoginFailure:
        """Too many sessions, it is said of all: who hears it again while others are let in is alone with it."""
        witnesses = self._context.schedule.host(mailbox.provider).witnesses
        return replace(failure, is_provider=False) if failure.is_provider and witnesses.is_alone(mailbox) else failure

    def _crowded(self, mailbox: MailboxId, failure: LoginFailure) -> None:
        """Where a session is left it goes on with that one; where none is, nothing goes until one is let in."""
        line = self._context.schedule.look(mailbox)
        whose = line.provider if failure.is_provider else line
        if failure.is_provider and not failure.is_outdated:
            self._context.schedule.accuse(mailbox.provider, [mailbox])
        if failure.is_outdated or whose.sessions > whose.opening:
            return
        symptom = Symptom(HealthEvent.CROWDED, failure.reason, reply=failure.reply)
        if failure.is_provider:
            change_provider(self._context, mailbox.provider, symptom)
        else:
            change_mailbox(self._context, mailbox, symptom)

    def prune(self, now: Instant) -> None:
        """Now and then forgets logins that no limit counts."""
        if now < self._prune_at:
            return
        self._prune_at = now + HOUR
        context = self._context
        limits = [provider.login_limit for provider in context.routes.routing.providers.values()]
        longest = max(limit.width for limit in (*limits, context.settings.health.refused_logins))
        context.database.write(_SQL["prune_logins"], (now - max(LEAST_MEMORY, longest),))

    def _worked(self, mailbox: MailboxId) -> None:
        """The login worked: the credential is proven, and the provider's host answers."""
        context = self._context
        change_mailbox(context, mailbox, Symptom(HealthEvent.LOGIN_WORKED))
        forgive_credential(context, mailbox)
        self._let_in(mailbox.provider)

    def _let_in(self, provider: str) -> None:
        """Its host answers, which says nothing of lines that break later, nor of logins before it is asked again."""
        host, now = self._context.remembrance.provider_health(provider), self._context.clock.now()
        witnesses = self._context.schedule.host(provider).witnesses
        is_after_login = host.cause is HealthEvent.IP_BLOCKED and witnesses.is_told_after_login
        is_early = (host.cause is HealthEvent.LOGINS_OUT or is_after_login) and now < (host.probe_at or 0)
        if host.is_stopped and host.cause is not HealthEvent.BROKEN and not is_early:
            change_provider(self._context, provider, Symptom(HealthEvent.LET_IN))
