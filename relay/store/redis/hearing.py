"""What other nodes wrote, taken over into the memory of this one, table by table.

Law: whatever the engine keeps in memory of a table is here, or is read anew in each operation.
"""

from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType

from relay.core.suppression import SuppressionKind
from relay.core.words import MailboxId
from relay.store.engine.books import KeptBooks
from relay.store.engine.context import Context
from relay.store.engine.edits import load_routes_or_none
from relay.store.engine.kin import PLACES, load_kinship
from relay.store.engine.values import read_health
from relay.store.redis.answers.suppressions import suppressions_of
from relay.store.redis.intended import EVERY
from relay.store.redis.ledger import RedisLedger
from relay.store.redis.routed import routes_after
from relay.store.redis.tables import key_of, parts_of

Hearer = Callable[[Context, RedisLedger, Sequence[str]], None]
"""Takes over these rows of one table."""


def hearers_of(kept: KeptBooks, tell_of_routing: Callable[[], None]) -> Mapping[str, Hearer]:
    """Those beside the engine's own: of the books that keep something in memory, and of a routing put in force."""

    def hear_secrets(_context: Context, ledger: RedisLedger, names: Sequence[str]) -> None:
        rows = zip(names, ledger.rows("secrets", names), strict=True)
        kept.secrets.hear({name: None if row is None else (row[1], row[2]) for name, row in rows})
        tell_of_routing()

    def hear_routing(_context: Context, _ledger: RedisLedger, _keys: Sequence[str]) -> None:
        tell_of_routing()

    def hear_unheard(context: Context, _ledger: RedisLedger, _keys: Sequence[str]) -> None:
        kept.unheard.hear(context.database)

    return {"secrets": hear_secrets, "unheard": hear_unheard, **dict.fromkeys(OF_ROUTES, hear_routing)}


def hear(
    context: Context, ledger: RedisLedger, changed: Mapping[str, Sequence[str]], *, also: Mapping[str, Hearer]
) -> None:
    """Takes over what changed; the ledger reads it. `also`: hearers beside the engine's own."""
    if any(EVERY in keys for keys in changed.values()):  # an edit of many is heard whole
        context.replace_routes(load_routes_or_none(context.database, context.seals))
    elif any(table in changed for table in OF_ROUTES):
        context.replace_routes(routes_after(context, ledger, changed))
    for table, keys in changed.items():
        _HEARERS.get(table, _nothing)(context, ledger, keys)
    if "routing" in changed:
        _name_anew(context)
    hear_besides(context, ledger, changed, also)


def hear_besides(
    context: Context, ledger: RedisLedger, changed: Mapping[str, Sequence[str]], also: Mapping[str, Hearer]
) -> None:
    """Tells hearers beside the engine's own, once each for every table of theirs."""
    for table, keys in changed.items():
        also.get(table, _nothing)(context, ledger, keys)


def _mailboxes(context: Context, ledger: RedisLedger, keys: Sequence[str]) -> None:
    for row in ledger.named_rows("mailboxes", [int(key) for key in keys]):
        if row["health"] is not None:
            context.remembrance.learn(MailboxId(row["provider"], row["username"]), read_health(row["health"]))


def _providers(context: Context, ledger: RedisLedger, keys: Sequence[str]) -> None:
    for row in ledger.named_rows("providers", keys):
        context.remembrance.learn_of_provider(row["name"], read_health(row["health"]))


def _meta(context: Context, ledger: RedisLedger, keys: Sequence[str]) -> None:
    if PLACES in keys:
        _name_anew(context)


def _name_anew(context: Context) -> None:
    """Mailboxes may be one that were two, or are gone under one of their names."""
    context.remembrance.kinship = load_kinship(context.database, context.routes.routing)
    context.remembrance.warmups.hear()


def _suppressions(context: Context, ledger: RedisLedger, keys: Sequence[str]) -> None:
    """Of whom something was forgotten, something else may be remembered."""
    whom = dict.fromkeys((int(account), bytes.fromhex(digits)) for account, digits, _ in map(parts_of, keys))
    ledger.rows("suppressions", [key_of(*who, kind.value) for who in whom for kind in SuppressionKind])
    for number, hashed in whom:
        if suppressions_of(ledger, number, hashed):
            context.watched.add(number, hashed)
        elif context.watched.has(number, hashed):
            context.watched.discard(number, hashed)


def _warmups(context: Context, ledger: RedisLedger, keys: Sequence[str]) -> None:
    context.remembrance.warmups.hear()


def _nothing(context: Context, ledger: RedisLedger, keys: Sequence[str]) -> None:
    """Of which nothing is in the memory of the engine, or what `replace_routes` brings."""


OF_ROUTES = ("routing", "routed_accounts", "fingerprints", "paused_accounts")

_HEARERS: Mapping[str, Hearer] = MappingProxyType(
    {
        "mailboxes": _mailboxes,
        "providers": _providers,
        "meta": _meta,
        "suppressions": _suppressions,
        "warmups": _warmups,
    }
)
