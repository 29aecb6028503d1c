"""What else is known where a mailbox is refused: others send there too, its password expired, or it never worked.

Law: nothing here stops or frees anything; it changes what is told. Of a credential that was never let in as it is set
now, new or old, nobody is told that it worked before.
"""

from relay.core.concerns import ConcernKind, Subject
from relay.core.envelope import LoginFailure, Result
from relay.core.expiry import SOON, is_expired_by_provider
from relay.core.foreign import ONCE_WITHIN, Use, is_foreign
from relay.core.health import HealthState
from relay.core.limits import DAY
from relay.core.meaning import ReplyClass
from relay.core.notice import Circumstance
from relay.core.words import MailboxId
from relay.store.engine.concerns import open_concern
from relay.store.engine.context import Context
from relay.store.engine.statements import load_statements

_SQL = load_statements("about")


def note_foreign_traffic(context: Context, mailbox: MailboxId, result: Result) -> None:
    """Too fast for the provider: told to ops, if it was not the relay."""
    if result.reply_class != ReplyClass.RATE_LIMITED or result.is_provider:
        return
    health, line, now = context.remembrance.health(mailbox), context.schedule.look(mailbox), context.clock.now()
    windows = (*line.ledger.windows, *line.provider.totals.whole.windows)
    uses = [Use(window.count, window.used(now)) for window in windows]
    if is_foreign(uses, is_at_ease=health.state is HealthState.OK and health.slow == 1):
        detail = {} if result.reply is None else {"reply": str(result.reply)}
        open_concern(
            context, ConcernKind.FOREIGN_TRAFFIC, Subject(mailbox=mailbox),
            reason=result.reply_class, detail=detail, again_after=ONCE_WITHIN,
        )  # fmt: skip


def circumstance_of(context: Context, mailbox: MailboxId, failure: LoginFailure) -> Circumstance | None:
    """What the owner has to know beside a refused login."""
    provider = context.routes.routing.providers.get(mailbox.provider)
    if failure.reply_class != ReplyClass.AUTH_REJECTED or failure.is_provider or provider is None:
        return None
    if not context.remembrance.health(mailbox).is_proven:
        return Circumstance.NEVER_WORKED
    now = context.clock.now()
    rows = context.database.read(_SQL["sent_since"], (context.names.mailbox(mailbox), now - SOON - DAY))
    is_expired = is_expired_by_provider(
        expires_passwords=provider.expires_passwords, has_worked=True, sent=[at for (at,) in rows],
        limits=context.remembrance.mailbox_terms(mailbox).limits, now=now,
    )  # fmt: skip
    return Circumstance.EXPIRED_BY_PROVIDER if is_expired else None
