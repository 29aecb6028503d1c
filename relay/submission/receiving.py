"""One mail as a client hands it over: begun at MAIL, received after DATA.

Law: what can never be delivered is refused at MAIL already; 250 is answered only after the store has it; and whatever
the end, the memory that its octets held is given back.
"""

from collections.abc import Callable

from relay.core.refusal import Reason, Refusal
from relay.submission.desk import Desk
from relay.submission.gathering import Gathering
from relay.submission.identity import Identity
from relay.submission.replies import GO_AHEAD, queued
from relay.submission.resubmission import Told
from relay.submission.transaction import Transaction, account_of, read_mail
from relay.submission.wire import Wire


def begin(desk: Desk, identity: Identity, *, argument: bytes, is_extended: bool, now: float) -> Transaction | Refusal:
    """What `MAIL argument` begins, under the routing in force; `now` in seconds of the loop's clock."""
    routing = desk.routing()
    client = identity.client(routing)
    if client is None:
        return Refusal(Reason.LOGIN_NEEDED)
    mail = read_mail(argument)
    if isinstance(mail, Refusal):
        return mail
    sender, parameters = mail
    if parameters.size > desk.settings.max_message_size:
        return desk.acceptance.too_large()
    account = account_of(routing, client, sender, today=desk.acceptance.today)
    if isinstance(account, Refusal):
        return account
    too_large = desk.acceptance.too_large_upstream(routing, account, parameters.size)
    if too_large is not None:
        return too_large
    no_room = desk.acceptance.no_room()
    if no_room is not None:
        return no_room
    protocol = identity.protocol(is_extended=is_extended, has_smtputf8=parameters.has_smtputf8)
    return Transaction(routing, client, sender, account, parameters, protocol, begun=now)


async def receive(
    wire: Wire, desk: Desk, *, transaction: Transaction, clock: Callable[[], float]
) -> tuple[bytes, Told] | Refusal:
    """Asks for the message, reads it and hands it over; the reply, and what it tells. ClientGone.

    `clock` is the loop's, in seconds.
    """
    wire.say(GO_AHEAD)
    gathered = Gathering(desk.settings.max_message_size, desk.memory, transaction.client.name)
    try:
        reason = await gathered.read(wire)
        if reason is not None:
            return desk.acceptance.too_large() if reason is Reason.MESSAGE_TOO_LARGE else Refusal(reason)
        accepted = await desk.acceptance.accept(transaction, gathered, has_left=lambda: wire.has_finished)
    finally:
        gathered.release()
    if isinstance(accepted, Refusal):
        return accepted
    if isinstance(accepted, Told):
        desk.observe.accepted_before(accepted.message, client=transaction.client.name, account=accepted.sending.account)
        return queued(accepted.message, ""), accepted
    desk.observe.accepted(
        accepted.message,
        size=accepted.size,
        seconds=clock() - transaction.begun,
        is_mended=accepted.is_mended,
    )
    if accepted.renamed is not None:
        desk.observe.renamed(accepted.message, old=accepted.renamed)
    reply = queued(accepted.message.id, "" if accepted.late is None else desk.texts.late(accepted.late))
    return reply, Told(accepted.message.id, accepted.sending)
