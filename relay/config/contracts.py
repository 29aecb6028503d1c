"""Accounts of providers that count all mailboxes of a domain together, against the entries that they stand in.

Law: the relay counts such a domain by its provider's `total_limits`, and keeps them as long as all its accounts are
in one entry; whoever parts them is warned, as is whoever lets two domains share what each may send.
"""

from collections.abc import Callable, Sequence

from relay.config.accounts import Worked
from relay.config.ground import Ground
from relay.config.part import Part
from relay.config.problems import Report


def check_contracts(
    parts: Sequence[Part], worked: Sequence[Worked], ground: Ground, *, report_of: Callable[[str], Report]
) -> None:
    """A warning at the first account of each domain that is not alone in its entry, or not in one entry alone."""
    counted = {name: profile.title for name, profile in ground.profiles.items() if profile.is_counted_by_domain}
    domain_of: dict[str, str] = {}
    entry_of: dict[str, str] = {}
    seen: set[tuple[str, str]] = set()
    for part, own in zip(parts, worked, strict=True):
        for sender, account in own.accounts.items() if own.providers & counted.keys() else ():
            entry, domain = account.mailbox.provider, sender.rpartition("@")[2]
            if entry not in counted or (entry, domain) in seen:
                continue
            seen.add((entry, domain))
            first, other = domain_of.setdefault(entry, domain), entry_of.setdefault(domain, entry)
            text = None
            if other != entry:
                text = (
                    f"and {domain} is at {other!r} too, which counts apart: together they may send more than it allows"
                )
            elif first != domain:
                text = (
                    f"and {first} is at {entry!r} too: the two share what each may send; give each an entry of its own"
                )
            if text is not None:
                title = counted[entry]
                mark = part.accounts[sender].marks[""]
                report_of(part.file).warning(mark, f"{title} counts all mailboxes of a domain together, {text}")
