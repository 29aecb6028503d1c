"""The routes in force, brought up to date row by row: what another node edits of one account reads one here.

Law: what comes out is what a whole load would find; where a row does not open, all of it is loaded.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from relay.core.routing import Account, Routing
from relay.core.words import AccountId, MailboxId
from relay.errors import CorruptValue
from relay.store.engine.context import Context
from relay.store.engine.edits import load_routes_or_none, open_account, open_head
from relay.store.engine.routes import PausedAccount, Routes
from relay.store.engine.values import Seals
from relay.store.redis.ledger import RedisLedger
from relay.store.redis.rowkeys import group_key
from relay.store.redis.tables import parts_of

Keys = Sequence[str]


def routes_after(context: Context, ledger: RedisLedger, changed: Mapping[str, Keys]) -> Routes:
    """The routes of a context, after these rows changed."""
    if not context.routes.is_damaged:
        try:
            return _after(context, ledger, changed)
        except CorruptValue:
            pass
    return load_routes_or_none(context.database, context.seals)


def _after(context: Context, ledger: RedisLedger, changed: Mapping[str, Keys]) -> Routes:
    routes = context.routes
    version, routing = routes.version, routes.routing
    head = ledger.named_rows("routing", [int(key) for key in changed.get("routing", ())])
    for row in head:
        version, routing = row["version"], replace(open_head(context.seals, row["body"]), accounts=routing.accounts)
    if "routed_accounts" in changed:
        routing = _with_accounts(routing, ledger, changed["routed_accounts"], seals=context.seals)
    routes = replace(routes, version=version, routing=routing)
    if "fingerprints" in changed:
        routes = _with_fingerprints(routes, ledger, changed["fingerprints"])
    if "paused_accounts" in changed:
        routes = _with_paused(routes, context, ledger, keys=changed["paused_accounts"])
    return routes


def _with_accounts(routing: Routing, ledger: RedisLedger, keys: Keys, *, seals: Seals) -> Routing:
    rows = ledger.glance("routed_accounts", [int(key) for key in keys])
    found: dict[AccountId, Account] = {row["sender"]: open_account(seals, row["sender"], row["body"]) for row in rows}
    accounts = dict(routing.accounts)
    if len(rows) < len(keys):  # some are gone: whose they were, no row says any more
        named = ledger.asking.hscan(group_key("routed_accounts", "senders"))
        left = {sender.decode(errors="surrogateescape") for sender, _ in named}
        accounts = {sender: account for sender, account in accounts.items() if sender in left}
    return replace(routing, accounts={**accounts, **found})


def _with_fingerprints(routes: Routes, ledger: RedisLedger, keys: Keys) -> Routes:
    fingerprints, without = dict(routes.fingerprints), dict(routes.without)
    for key, row in zip(keys, ledger.rows("fingerprints", keys), strict=True):
        provider, username = parts_of(key)
        mailbox = MailboxId(provider, username)
        fingerprints.pop(mailbox, None)
        without.pop(mailbox, None)
        if row is not None:
            _, _, fingerprints[mailbox], since = row
            if fingerprints[mailbox] is None:
                without[mailbox] = since
    return replace(routes, fingerprints=fingerprints, without=without)


def _with_paused(routes: Routes, context: Context, ledger: RedisLedger, *, keys: Keys) -> Routes:
    paused, numbers = dict(routes.paused), [int(key) for key in keys]
    for number, row in zip(numbers, ledger.rows("paused_accounts", numbers), strict=True):
        sender = context.names.sender(number)
        paused.pop(sender, None)
        if row is not None:
            paused[sender] = PausedAccount(row[1], row[2])
    return replace(routes, paused=paused)
