"""Mailboxes tried by hand, on the schedule's own ledgers.

Law: a trial under way is a row of `claims`, of delivery 0, so whatever counts the slots of attempts counts it too: a
reload of terms, a failed commit, a start after a crash. No delivery is held by it: it is not in the memory of claims,
and no lease ends it; its node's next start does, linger later.
"""

from relay.core.envelope import Result, Verdict
from relay.core.health import PAUSING, Health, HealthEvent, HealthState
from relay.core.limits import Instant
from relay.core.meaning import ReplyClass
from relay.core.rotation import CROWDED
from relay.core.symptoms import event_of_result, reason_of_result
from relay.core.words import AccountId, MailboxId, Stage
from relay.errors import UnknownAccount
from relay.store.engine.context import Context
from relay.store.engine.healths import Symptom, change_mailbox
from relay.store.engine.note import Note
from relay.store.engine.obstacles import is_out_of_reach, obstacle_to_claim, obstacle_to_login
from relay.store.engine.statements import load_statements
from relay.store.engine.values import write_reply
from relay.store.ports.trials import NotNow, Trial

_SQL = load_statements("trials")
_LIMITS = load_statements("limits")

SHOWN_TO_BE_OVER = PAUSING - {
    HealthEvent.SPAM_OFTEN, HealthEvent.POLICY_REFUSED, HealthEvent.GUARDED, HealthEvent.IP_BLOCKED,
}  # fmt: skip
"""What a login, a MAIL and a RCPT that work show to be over; what only messages met is not among it."""

OTHER_NODE = "other-node"

CUT_SHORT = Result(Verdict.DROPPED, "lost", Stage.MAIL, None, is_mail_written=True, is_end_known=False)
"""How a trial ends whose process died."""


class LedgerTrials:
    """The port `Trials`."""

    def __init__(self, note: Note) -> None:
        self._note = note

    async def begin(self, account: AccountId, *, node: str) -> Trial | NotNow:
        """Reserves a session and a login."""
        return await self._note(lambda context: _begin(context, account, node))

    async def claim(self, trial: Trial) -> int | NotNow:
        """Takes a slot of every limit."""
        return await self._note(lambda context: _claim(context, trial))

    async def end(self, attempt: int, result: Result) -> None:
        """The attempt is over."""
        await self._note(lambda context: end_trial(context, attempt, result))


def end_trials(context: Context, node: str) -> None:
    """The node's old process is dead, and its trials with it."""
    for (attempt,) in context.database.read(_SQL["trials_of"], (node,)):
        end_trial(context, attempt, CUT_SHORT)


def _begin(context: Context, sender: AccountId, node: str) -> Trial | NotNow:
    account = context.routes.routing.accounts.get(sender)
    if account is None:
        raise UnknownAccount
    mailbox, now = account.mailbox, context.clock.now()
    is_new = _is_untried(context, mailbox)
    obstacle = obstacle_to_login(context, mailbox, is_new=is_new) or _of_another_node(context, mailbox, node)
    if obstacle is not None:
        return obstacle
    context.schedule.reserve_session(mailbox, now)
    context.database.write(_LIMITS["begin_login"], (context.names.mailbox(mailbox), now))
    context.book.change(mailbox, 1, 1)
    return Trial(sender, mailbox, node, is_new, is_out_of_reach(context, mailbox))


def _of_another_node(context: Context, mailbox: MailboxId, node: str) -> NotNow | None:
    """Providers look at addresses, and only the node that has the sessions of a mailbox can say what became of one."""
    return NotNow(OTHER_NODE) if context.database.read_one(_SQL["other_holder"], (*mailbox, node)) else None


def _is_untried(context: Context, mailbox: MailboxId) -> bool:
    """Whether this credential has neither worked nor been refused."""
    health = context.remembrance.health(mailbox)
    return health.is_fresh or health == Health()


def _claim(context: Context, trial: Trial) -> int | NotNow:
    mailbox, now = trial.mailbox, context.clock.now()
    obstacle = obstacle_to_claim(context, mailbox)
    if obstacle is not None:
        return obstacle
    attempt = context.claims.next_number()
    context.claims.begin_trial(mailbox, attempt, now)
    context.database.write(_SQL["begin_trial"], (attempt, context.names.mailbox(mailbox), trial.node, now))
    return attempt


def end_trial(context: Context, attempt: int, result: Result) -> None:
    """Ends a trial that is under way; of any other there is nothing to end."""
    row = context.database.read_one(_SQL["get_trial"], (attempt,))
    if row is None:
        return
    number, node, started = row
    mailbox, now = context.names.mailbox_name(number), context.clock.now()
    at = _end_of(result, now, context.routes.linger_of(mailbox))
    context.claims.end_trial(mailbox, attempt, started, at=at, now=now)
    context.database.write(_SQL["end_trial"], (attempt,))
    if at is not None:
        said = (result.stage.value, result.reply_class, write_reply(result.reply))
        context.database.write(_SQL["keep_trial"], (attempt, number, node, started, at, *said))
    _judge(context, mailbox, result)
    context.changed()


def _end_of(result: Result, now: Instant, linger: int) -> Instant | None:
    if not result.is_mail_written:
        return None
    return now if result.is_end_known else now + linger


def _judge(context: Context, mailbox: MailboxId, result: Result) -> None:
    """What was refused bears on health as in any attempt; what worked ends a pause, and shows nothing of a quota."""
    now, health = context.clock.now(), context.remembrance.health(mailbox)
    if result.reply_class == ReplyClass.TOO_MANY_CONNECTIONS:
        context.schedule.crowded(mailbox, now + CROWDED, now, is_provider=result.is_provider)
        return
    event = event_of_result(result)
    if event is HealthEvent.DELIVERED:
        is_shown = health.state is HealthState.PAUSED and health.cause in SHOWN_TO_BE_OVER
        event = HealthEvent.LET_IN if is_shown else None
    if event is None or result is CUT_SHORT:
        return
    change_mailbox(context, mailbox, Symptom(event, reason_of_result(result), result.retry_after, result.reply))
