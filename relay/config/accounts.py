"""Accounts with their plan worked in, a file at a time: `work_in(part, ground) -> Worked`.

Law: account goes before plan; limits are added, never replaced; every spelling of an address is the same mailbox.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from relay.config.entries import DEFAULT_ON_PAUSED
from relay.config.ground import Ground
from relay.config.part import Entry, Part
from relay.config.problems import Problem, Report
from relay.config.senders import check_senders
from relay.core.routing import Account, Owner, SecretKind, SecretReference
from relay.core.words import MailboxId, Plan

_ADDED = {"plan", "provider", "username", "limits", "owner", "on_paused", "aliases"}


@dataclass(frozen=True, slots=True)
class Worked:
    """The accounts of one part, the providers that they name, the addresses that find them, and what is wrong."""

    accounts: dict[str, Account]
    providers: frozenset[str]
    addresses: dict[str, str]
    references: tuple[tuple[str, SecretReference], ...]
    """Accounts with a password that is kept elsewhere."""
    without: tuple[str, ...]
    """Accounts with no password."""
    problems: tuple[Problem, ...]


def work_in(part: Part, ground: Ground) -> Worked:
    """Gives each account of a part its plan's defaults and its mailbox."""
    report = Report(part.file)
    accounts: dict[str, Account] = {}
    addresses: dict[str, str] = {}
    for sender, entry in part.accounts.items():
        account = _account(sender, entry, ground, report)
        if account is None:
            continue
        accounts[sender] = account
        _check_own(account, entry, report)
        check_senders(account, ground.profiles.get(account.mailbox.provider), entry, report)
        for address in (sender, *account.aliases, *account.replaces):
            other = addresses.setdefault(address, sender)
            if other != sender:
                report.error(entry.mark(f"address {address}"), f"the address {address!r} belongs to account {other!r}")
    providers = frozenset(account.mailbox.provider for account in accounts.values())
    return Worked(
        accounts,
        providers,
        addresses,
        references=tuple(
            (sender, account.password)
            for sender, account in accounts.items()
            if account.password is not None and account.password.kind is not SecretKind.LITERAL
        ),
        without=tuple(sender for sender, account in accounts.items() if account.password is None),
        problems=tuple(report.problems),
    )


def _check_own(account: Account, entry: Entry, report: Report) -> None:
    """An address of its own is no old one, and no road to its owner while it is stopped."""
    own = {account.sender, *account.aliases}
    for old in account.replaces:
        if old in own:
            report.error(entry.mark(f"address {old}"), f"{old} is this account's own address: it replaces nothing")
    email = account.owner.email
    if email and email.lower() in {*own, *account.replaces, account.mailbox.username}:
        text = f"{email} is this mailbox itself: no notice reaches its owner while it is stopped"
        report.warning(entry.mark("owner"), text)


def _account(sender: str, entry: Entry, ground: Ground, report: Report) -> Account | None:
    values = entry.values
    if values is None:
        return None
    plan = values.get("plan", Plan.PERSONAL)
    shared = ground.plans.get(plan, {})
    if shared is None:
        return None
    username = _canonical(values.get("username", sender))
    provider = _provider_of(sender, username, {**shared, **values}, ground)
    if provider is None:
        report.error(
            entry.marks[""], f"no provider: name one with `provider:`; none here is known to serve {username!r}"
        )
        return None
    if provider not in ground.providers:
        if "provider" in values:  # else the plan was blamed
            report.error(entry.mark("provider"), ground.unknown(provider))
        return None
    return Account(**_fields(sender, plan, shared, values, MailboxId(provider, username)))


def _fields(
    sender: str, plan: Plan, shared: Mapping[str, Any], values: Mapping[str, Any], mailbox: MailboxId
) -> dict[str, Any]:
    both = {**shared, **values}
    fields = {key: value for key, value in both.items() if key not in _ADDED}
    paused = both.get("on_paused", DEFAULT_ON_PAUSED)
    if "replaces" in both:
        fields["replaces"] = {old.lower(): until for old, until in both["replaces"].items()}
    return fields | {
        "sender": sender,
        "plan": plan,
        "mailbox": mailbox,
        "limits": tuple(dict.fromkeys((*shared.get("limits", ()), *values.get("limits", ())))),
        "aliases": tuple(dict.fromkeys(alias.lower() for alias in values.get("aliases", ()))),
        "owner": Owner(**both.get("owner", {})),
        "on_paused": paused.action,
        "on_paused_after": paused.after,
    }


def _provider_of(sender: str, username: str, both: Mapping[str, Any], ground: Ground) -> str | None:
    if "provider" in both:
        return str(both["provider"])
    return ground.domains.get((username if "@" in username else sender).rpartition("@")[2].lower())


def _canonical(username: str) -> str:
    """Addresses ignore case, so that two spellings have one limit; other logins are taken as they are."""
    return username.lower() if "@" in username else username
