"""What the schedule loads of a mailbox or provider that it meets: its slots and logins, as the memory has them.

Law: what is loaded counts as much as what was never let go; a restart forgets nothing that a limit still counts.
"""

from relay.core.ledger import MailboxLedger, TotalLedger
from relay.core.limits import RollingWindow
from relay.core.rotation import Line, ProviderLine, take_in
from relay.core.terms import Memory, PastAttempt, ProviderTerms
from relay.core.words import MailboxId


def load_line(memory: Memory, mailbox: MailboxId, provider: ProviderLine) -> Line:
    """A mailbox without anything ready and without sessions."""
    terms, standing = memory.mailbox_terms(mailbox), memory.mailbox_standing(mailbox)
    ledger = load_ledger(memory, mailbox, provider)
    ledger.set_slow(standing.slow)
    logins, refusals = load_logins(memory, mailbox), load_refusals(memory, mailbox)
    return Line(mailbox, provider, terms, standing, ledger, logins, refusals)


def recount(memory: Memory, line: Line) -> None:
    """Its slots and logins, as the memory has them now."""
    line.ledger = load_ledger(memory, line.mailbox, line.provider)
    line.ledger.set_slow(line.standing.slow)
    line.logins, line.refusals = load_logins(memory, line.mailbox), load_refusals(memory, line.mailbox)


def load_logins(memory: Memory, mailbox: MailboxId) -> RollingWindow:
    """The logins of a mailbox, under its limit of now."""
    logins = RollingWindow(memory.mailbox_terms(mailbox).login_limit)
    for past in memory.login_past(mailbox):
        take_in(logins, past)
    return logins


def load_refusals(memory: Memory, mailbox: MailboxId) -> RollingWindow:
    """The refused logins of a mailbox, under their limit of now; those under way may be refused."""
    refusals = RollingWindow(memory.mailbox_terms(mailbox).refused_logins)
    for past in memory.refusal_past(mailbox):
        take_in(refusals, past)
    return refusals


def load_ledger(memory: Memory, mailbox: MailboxId, provider: ProviderLine) -> MailboxLedger:
    """The attempts of a mailbox, under its own limits of now."""
    ledger = MailboxLedger(memory.mailbox_terms(mailbox).limits, provider.terms.zone, memory.civil_offset())
    for past in memory.mailbox_past(mailbox):
        take_in(ledger, past)
        if past.ended_at is None and past.mailbox != mailbox:
            ledger.elsewhere += past.many
    return ledger


def load_provider(memory: Memory, name: str) -> ProviderLine:
    """A provider without sessions."""
    terms = memory.provider_terms(name)
    return ProviderLine(name, terms, load_totals(memory, name, terms), memory.provider_standing(name))


def load_totals(memory: Memory, name: str, terms: ProviderTerms) -> TotalLedger:
    """The attempts of all its mailboxes, under the provider's totals of now."""
    totals = TotalLedger(terms.total_limits, terms.zone, memory.civil_offset())
    for past in memory.provider_past(name) if terms.total_limits else ():
        _take_in_total(totals, past)
    return totals


def _take_in_total(totals: TotalLedger, past: PastAttempt) -> None:
    if past.ended_at is not None:
        totals.remember(past.mailbox, past.started_at, past.ended_at, past.many)
        return
    for _ in range(past.many):
        totals.start(past.mailbox, past.started_at)
