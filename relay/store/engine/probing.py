"""The probe of a stopped mailbox, in the store: another recipient's mail than the one that was refused last.

Law: a delivery whose turn another one takes stays ready at its place; nothing is written of it.
"""

from relay.core.envelope import Kind, Result
from relay.core.health import Health, HealthEvent
from relay.core.limits import Instant
from relay.core.probing import REMEMBERED, is_proof, may_be_its_own, needs_client_mail, takes_turns
from relay.core.words import MailboxId
from relay.store.engine.context import Context
from relay.store.engine.entry import Entry
from relay.store.engine.running import Running
from relay.store.engine.statements import load_statements
from relay.store.engine.values import KINDS, LANES

_SQL = load_statements("probing")

_ALWAYS: Instant = 1 << 62
"""Since when nobody was refused."""


def probe_of(context: Context, mailbox: MailboxId, oldest: Entry) -> Entry:
    """The delivery that probes in place of the oldest one of the account, which is out of its queue already."""
    health = context.remembrance.health(mailbox)
    if not takes_turns(health):
        return oldest
    found = _unrefused(context, mailbox, oldest, health)
    if found is None or found == oldest.delivery:
        return oldest
    other = context.entries.one(found)
    assert other is not None
    return _exchange(context, oldest, other[0])


def _unrefused(context: Context, mailbox: MailboxId, oldest: Entry, health: Health) -> int | None:
    """Clients' mail to somebody who was not refused since the stop, else to whom it may be; None: the oldest."""
    since = context.clock.now() - max(0, context.clock.wall() - (health.since or 0))
    is_strict = needs_client_mail(health)
    found = _first(context, mailbox, oldest, since, Kind.MAIL if is_strict else Kind.REPORT)
    if found is None and is_strict and oldest.kind is Kind.REPORT:
        return _first(context, mailbox, oldest, _ALWAYS, Kind.MAIL)
    return found


def _first(context: Context, mailbox: MailboxId, oldest: Entry, since: Instant, up_to: Kind) -> int | None:
    """Express before bulk."""
    number = context.names.mailbox(mailbox)
    for lane in range(len(LANES)):
        row = context.database.read_one(_SQL["next_probe"], (oldest.account, lane, KINDS.index(up_to), number, since))
        if row is not None:
            return int(row[0])
    return None


def _exchange(context: Context, oldest: Entry, other: Entry) -> Entry:
    """The other one is out of its queue, and the oldest is in it again."""
    context.ready.add(oldest)
    context.ready.remove(other)
    return other


def is_evidence(context: Context, running: Running) -> bool:
    """Whether it shows that its mailbox works, now that it went through."""
    mailbox = context.name_in_force(running.claim.mailbox)
    return is_proof(context.remembrance.health(mailbox), running.entry.kind)


def is_recipients(context: Context, running: Running, result: Result, event: HealthEvent | None) -> bool:
    """Whether a refusal in the mailbox's name is this recipient's: he heard it before, and others were served since."""
    if not may_be_its_own(result, event):
        return False
    database, claim = context.database, running.claim
    row = database.read_one(_SQL["recipient_of"], (claim.delivery,))
    assert row is not None
    since = context.clock.now() - REMEMBERED
    last = database.read_one(_SQL["last_of_recipient"], (running.mailbox, since, claim.attempt, row[0]))
    if last is None or last[0] != result.reply_class:
        return False
    return database.read_one(_SQL["others_delivered"], (running.mailbox, last[1], row[0])) is not None
