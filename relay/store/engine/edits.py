"""What an edited routing changes, found out beside the loop: at 100,000 accounts comparing them all takes its time.

Law: an edit is computed against one routing in force and is good for that one alone.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from relay.core.routing import Account, Routing
from relay.core.routing_json import read_account, read_routing, write_account, write_routing
from relay.core.words import AccountId, MailboxId
from relay.errors import CorruptValue
from relay.store.engine.ledger import Ledger
from relay.store.engine.routes import Fingerprints, PausedAccount, Routes
from relay.store.engine.statements import load_statements
from relay.store.engine.values import Seals

_SQL = load_statements("routing")
_CONTROL = load_statements("control")

Write = tuple[str, Sequence[tuple[object, ...]]]
"""A statement, and the rows to run it with."""


@dataclass(frozen=True, slots=True)
class Edit:
    """From the routes in force to others: what has to be looked at again, and what has to be written."""

    base: Routes
    routes: Routes
    moved: Mapping[AccountId, MailboxId | None]
    """Accounts whose way may be another one, and where it went so far."""
    providers: tuple[str, ...]
    """Providers with other terms."""
    elsewhere: tuple[str, ...]
    """Providers at another host or port, or with other TLS."""
    mailboxes: tuple[MailboxId, ...]
    """Mailboxes with other terms."""
    fingerprints: Mapping[MailboxId, str | None]
    """Mailboxes with another credential or route; who has none any more is put into `routes` as it is put in force."""
    writes: tuple[Write, ...]

    @property
    def is_empty(self) -> bool:
        """Whether nothing changes at all."""
        return self.routes is self.base


def edit_of(base: Routes, routing: Routing, fingerprints: Fingerprints, *, seals: Seals) -> Edit:
    """What changes; pure, and takes as long as the routing is."""
    old, before = base.routing, base.fingerprints
    edited = list(_edited(old, routing))
    is_new = not base.version or bool(edited) or _head(old) != _head(routing)
    if not is_new and fingerprints == before:
        return Edit(base, base, {}, (), (), (), {}, ())
    without = {mailbox: since for mailbox, since in base.without.items() if fingerprints.get(mailbox, "") is None}
    routes = Routes(base.version + is_new, routing, dict(fingerprints), without, base.paused)
    names = {**old.providers, **routing.providers}
    providers = tuple(name for name in names if old.providers.get(name) != routing.providers.get(name))
    mailboxes = {mailbox: None for mailbox in routing.by_mailbox if mailbox.provider in providers} if providers else {}
    printed = {mailbox: value for mailbox, value in fingerprints.items() if _differs(before, mailbox, value)}
    dropped = [mailbox for mailbox in before if mailbox not in fingerprints]
    moved = dict.fromkeys([*edited, *_rerouted(old, before, fingerprints, [*printed, *dropped])])
    for account in moved:
        known = (each.accounts[account].mailbox for each in (old, routing) if account in each.accounts)
        mailboxes.update(dict.fromkeys(known))
    return Edit(
        base=base,
        routes=routes,
        moved={account: base.mailbox_of(account) for account in moved},
        providers=providers,
        elsewhere=tuple(name for name in providers if _place(old, name) != _place(routing, name)),
        mailboxes=tuple(mailboxes),
        fingerprints=printed,
        writes=(
            *_clearing(base),
            *_head_writes(routes, seals),
            *_account_writes(edited, routing, seals),
            (_SQL["set_fingerprint"], [(*mailbox, value) for mailbox, value in printed.items()]),
            (_SQL["drop_fingerprint"], [tuple(mailbox) for mailbox in dropped]),
        ),
    )


def load_routes(database: Ledger, seals: Seals) -> Routes:
    """The routing in force as it was written. CorruptValue: it does not open."""
    row = database.read_one(_SQL["get_routing"])
    if row is None:
        return Routes()
    head = open_head(seals, row[1])
    accounts = {sender: open_account(seals, sender, body) for sender, body in database.read(_SQL["get_accounts"])}
    rows = database.read(_SQL["get_fingerprints"])
    fingerprints = {MailboxId(provider, username): value for provider, username, value, _ in rows}
    without = {MailboxId(provider, username): since for provider, username, value, since in rows if value is None}
    return Routes(row[0], replace(head, accounts=accounts), fingerprints, without, load_paused(database))


def open_head(seals: Seals, body: bytes) -> Routing:
    """All of a routing but its accounts. CorruptValue: it does not open."""
    return read_routing(seals.cipher.open(body, seals.place("", "routing")))


def open_account(seals: Seals, sender: AccountId, body: bytes) -> Account:
    """One account. CorruptValue: it does not open."""
    return read_account(seals.cipher.open(body, seals.place(sender, "account")))


def load_paused(database: Ledger) -> dict[AccountId, PausedAccount]:
    """Accounts that a person has paused."""
    return {sender: PausedAccount(since, why) for sender, since, why in database.read(_CONTROL["paused_accounts"])}


def load_routes_or_none(database: Ledger, seals: Seals) -> Routes:
    """As `load_routes`; what does not open is nothing that goes anywhere, until the files are applied again."""
    try:
        return load_routes(database, seals)
    except CorruptValue:
        return Routes(paused=load_paused(database), is_damaged=True)


def _clearing(base: Routes) -> Iterator[Write]:
    """What was damaged goes before what is whole is written."""
    if base.is_damaged:
        yield _SQL["drop_accounts"], [()]
        yield _SQL["drop_fingerprints"], [()]


def _place(routing: Routing, name: str) -> tuple[object, ...] | None:
    """Where a provider is reached, and how."""
    provider = routing.providers.get(name)
    return None if provider is None else (provider.host, provider.port, provider.tls, provider.tls_ca)


def _head(routing: Routing) -> Routing:
    """A routing without its accounts."""
    return Routing(routing.clients, routing.providers)


def _edited(old: Routing, new: Routing) -> Iterator[AccountId]:
    """Accounts that are not what they were."""
    for account, known in new.accounts.items():
        before = old.accounts.get(account)
        if before is not known and before != known:
            yield account
    for account in old.accounts:
        if account not in new.accounts:
            yield account


def _rerouted(
    old: Routing, before: Fingerprints, now: Fingerprints, others: Iterable[MailboxId]
) -> Iterator[AccountId]:
    """Accounts whose mailbox, one of these, lost its credentials or got some."""
    for mailbox in others:
        if (before.get(mailbox, "") is None) != (now.get(mailbox, "") is None):
            for account in old.by_mailbox.get(mailbox, ()):
                yield account.sender


def _differs(before: Fingerprints, mailbox: MailboxId, value: str | None) -> bool:
    return mailbox not in before or before[mailbox] != value


def _head_writes(routes: Routes, seals: Seals) -> Iterator[Write]:
    """Clients and providers, whole: they are few, and they hold secrets."""
    sealed = seals.cipher.seal(write_routing(_head(routes.routing)).encode(), seals.place("", "routing"))
    yield _SQL["set_routing"], [(routes.version, sealed)]


def _account_writes(edited: list[AccountId], routing: Routing, seals: Seals) -> Iterator[Write]:
    kept = [(sender, routing.accounts[sender]) for sender in edited if sender in routing.accounts]
    yield (
        _SQL["set_account"],
        [
            (sender, seals.cipher.seal(write_account(account).encode(), seals.place(sender, "account")))
            for sender, account in kept
        ],
    )
    yield _SQL["drop_account"], [(sender,) for sender in edited if sender not in routing.accounts]
