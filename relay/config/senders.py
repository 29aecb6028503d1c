"""Addresses that an account sends as, held against what its provider's profile says of senders.

Law: these are warnings alone: what is authorised at the provider nobody here can see, and a running relay goes on.
"""

from collections.abc import Collection

from relay.config.part import Entry
from relay.config.problems import Report
from relay.core.meaning import ReplyClass
from relay.core.routing import Account
from relay.providers import Profile


def check_senders(account: Account, profile: Profile | None, entry: Entry, report: Report) -> None:
    """Warns of its own address, which its old ones become, and of aliases that its mailbox may not send as."""
    if profile is None:
        return
    for address in dict.fromkeys((account.sender, *account.aliases)):
        text = _trouble(address, account, profile)
        if text is not None:
            mark = entry.marks[""] if address == account.sender else entry.mark(f"address {address}")
            report.warning(mark, text)


def _trouble(address: str, account: Account, profile: Profile) -> str | None:
    """What is wrong with sending as this address, by which rule, and what to do; None: nothing that is known."""
    own = _own_addresses(account.mailbox.username, profile)
    rule, title = profile.sender.rule, profile.title
    if rule == "own-domains":
        domains = profile.sender.domains or tuple(each.rpartition("@")[2] for each in own)
        if not domains or address.rpartition("@")[2] in domains:
            return None
        return f"{title} takes only senders of {_spoken(domains)} and refuses {address}: {_instead(address, account)}"
    if not own or address in own:
        return None
    mailbox = _spoken(own)
    if rule == "own-address-only":
        return f"{title} lets this mailbox send only as {mailbox} and refuses {address}: {_instead(address, account)}"
    if rule == "rewrites":
        return f"{title} puts {mailbox} in the place of {address}, and patients see that: {_instead(address, account)}"
    if rule == "authorised-aliases" and profile.login != "smtp-credentials":
        step = profile.steps.get(ReplyClass.SENDER_REFUSED, {}).get("en", "have it authorised there")
        return f"{title} refuses {address} unless it is authorised for the mailbox {mailbox}: {step}"
    return None


def _own_addresses(username: str, profile: Profile) -> tuple[str, ...]:
    """Those of the mailbox itself; a login that is no address is one at each of the provider's domains."""
    return (username,) if "@" in username else tuple(f"{username}@{domain}".lower() for domain in profile.domains)


def _instead(address: str, account: Account) -> str:
    if address == account.sender:
        return "send it through a mailbox of its own, or make the mailbox's address the account, which `replaces` it"
    return f"move it from `aliases` to `replaces`, and mail from it leaves as {account.sender}"


def _spoken(words: Collection[str]) -> str:
    *first, last = words
    return f"{', '.join(first)} or {last}" if first else last
