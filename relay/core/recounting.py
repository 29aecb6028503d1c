"""What is counted again when terms change: the slots and logins of a mailbox, the totals of a provider.

Law: under the new terms all counts that is on record, under every name of a mailbox; what is ready stays ready.
"""

from relay.core.kinship import Kinship
from relay.core.limits import Instant
from relay.core.loading import load_totals, recount
from relay.core.round import Round
from relay.core.words import MailboxId


def recount_mailbox(round_: Round, mailbox: MailboxId, now: Instant) -> None:
    """The mailbox's terms changed."""
    _recount_kin(round_, mailbox, now)
    line = round_.lines.get(mailbox)
    if line is None:
        return
    line.terms = round_.memory.mailbox_terms(mailbox)
    line.standing = round_.memory.mailbox_standing(mailbox)
    recount(round_.memory, line)
    line.turn, line.is_in_wanting = None, False
    round_.refresh(line, now)


def _recount_kin(round_: Round, mailbox: MailboxId, now: Instant) -> None:
    """What is on record of it may be other than it was, and counts under its other names too."""
    for name in round_.kinship.of(mailbox):
        if name in round_.lines:
            recount(round_.memory, round_.lines[name])
            round_.refresh(round_.lines[name], now)


def recount_provider(round_: Round, name: str) -> None:
    """The provider's terms changed: its totals are counted again."""
    provider = round_.providers.get(name)
    if provider is None:
        return
    provider.terms = round_.memory.provider_terms(name)
    provider.standing = round_.memory.provider_standing(name)
    provider.totals = load_totals(round_.memory, name, provider.terms)


def set_kinship(round_: Round, kinship: Kinship, now: Instant) -> None:
    """Which mailboxes are one, under several names: whatever has kin is counted again."""
    round_.kinship = kinship
    for name in filter(kinship.has_kin, round_.providers):
        recount_provider(round_, name)
    for mailbox in [each for each in round_.lines if kinship.has_kin(each.provider)]:
        recount_mailbox(round_, mailbox, now)


def set_civil_offset(round_: Round, offset: int, now: Instant) -> None:
    """Takes over a corrected civil clock (civil minus relay time, microseconds) for calendar days."""
    for line in round_.lines.values():
        line.ledger.set_offset(offset)
    for provider in round_.providers.values():
        provider.totals.set_offset(offset)
    for line in round_.lines.values():
        round_.refresh(line, now)
