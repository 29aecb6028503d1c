"""What follows from a mail that its provider took for spam: nobody gets the same bytes, and somebody asks why.

Law: of its other recipients only what still waits is ended, in the transaction of the refusal; what is under way or
held has its own end.
"""

from relay.core.concerns import ConcernKind, Subject
from relay.core.envelope import Kind, Result, Verdict
from relay.core.lifecycle import Event, State
from relay.core.meaning import ReplyClass
from relay.store.engine.concerns import open_concern
from relay.store.engine.context import Context
from relay.store.engine.entry import Entry
from relay.store.engine.moves import Moves
from relay.store.engine.running import Running
from relay.store.engine.values import STATES
from relay.store.ports.outbox import OutboxKind


def bounce_siblings(context: Context, moves: Moves, entry: Entry, *, reason: str, reply: str | None) -> None:
    """What waits of the same message bounces with it."""
    for delivery in range(entry.seq, entry.seq + entry.recipients):
        found = None if delivery == entry.delivery else context.entries.one(delivery)
        if found is None or STATES[found[1]] is not State.WAITING or context.claims.holder_of(delivery) is not None:
            continue
        sibling = found[0]
        if not found[2]:
            context.ready.remove(sibling)
        moves.finish(sibling, State.WAITING, Event.BOUNCE, reason=reason, reply=reply, owes=OutboxKind.BOUNCE)


def cited(running: Running, result: Result) -> dict[str, str]:
    """Of a mail that was taken for spam what its provider's support asks for: which it was, and where it went."""
    if result.reply_class != ReplyClass.SPAM_BLOCKED:
        return {}
    (recipient,) = running.claim.envelope.recipients
    return {"message": running.claim.message, "domain": recipient.address.rpartition("@")[2].lower()}


def note_spam(context: Context, running: Running, result: Result) -> None:
    """Whoever has the contract may ask the provider why; once a day for each mailbox, and not for reports of ours."""
    is_bounced = result.reply_class == ReplyClass.SPAM_BLOCKED and result.verdict is Verdict.BOUNCED
    if not is_bounced or running.entry.kind is Kind.REPORT:
        return
    mailbox = running.claim.mailbox
    detail = ({} if result.reply is None else {"reply": str(result.reply)}) | cited(running, result)
    open_concern(context, ConcernKind.SPAM_BLOCKED, Subject(mailbox=mailbox), reason=result.reply_class, detail=detail)
