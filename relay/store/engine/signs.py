"""What a mailbox met lately that says more together than each by itself, read from the attempts on record.

Law: it only reads, and only where something failed: what goes through costs nothing here.
"""

from relay.core.envelope import Result
from relay.core.limits import HOUR
from relay.core.meaning import ReplyClass
from relay.core.symptoms import ALONE, POLICY_DOMAINS, Tally
from relay.errors import CorruptValue
from relay.store.engine.context import Context
from relay.store.engine.running import Running
from relay.store.engine.statements import load_statements

_SQL = load_statements("healths")

SPAN: int = HOUR
"""How far back it looks."""

LOOKED_AT: int = 32
"""Deliveries whose domains are compared: three different ones are enough."""


def tally_of(context: Context, running: Running, result: Result) -> Tally:
    """What this mailbox met within the hour; the attempt that has just ended is on record."""
    since = context.clock.now() - SPAN
    if result.reply_class == ReplyClass.SPAM_BLOCKED:
        return Tally(spam=_taken_for_spam(context, running, since))
    if result.reply_class == ReplyClass.POLICY_REFUSED:
        return Tally(domains=_policy_domains(context, running.mailbox, since))
    return ALONE


def _taken_for_spam(context: Context, running: Running, since: int) -> int:
    """Clients' messages: a report of the relay says nothing of its doctor, nor a message's second recipient."""
    seq = running.entry.seq
    row = context.database.read_one(_SQL["spam_since"], (seq, running.mailbox, since))
    many, of_this = (0, 0) if row is None else row
    return many if of_this == 1 else ALONE.spam


def _policy_domains(context: Context, mailbox: int, since: int) -> int:
    """How many recipients' domains refused by policy, as far as they can still be read; more than enough is enough."""
    domains = set()
    for sealed, message, ordinal in context.database.read(_SQL["policy_since"], (mailbox, since, LOOKED_AT)):
        try:
            domains.add(context.seals.open_domain(sealed, message, ordinal))
        except CorruptValue:
            continue
        if len(domains) >= POLICY_DOMAINS:
            break
    return max(1, len(domains))
