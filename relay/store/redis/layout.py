"""The layout of keys that this relay knows, and whether the store at hand has it.

Law: a store that a newer relay wrote, that is not the one of before, or that is nobody's is not written to.
"""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass

from relay.errors import StoreBroken, StoreMoved, StoreReplaced, StoreTooNew
from relay.store.redis.facts import answered
from relay.store.redis.failures import Deed
from relay.store.redis.rowkeys import META, OURS
from relay.store.redis.scripts import load_script, script_names
from relay.store.redis.wire import Reply, Wire

LAYOUT = 1
"""Raised when older relays could no longer read what is written."""

BATCH = 1_000
"""Keys that one SCAN looks at; it does so in less than a millisecond."""

SHOWN = 12
"""Digits of a version of the scripts: enough to tell it from any other."""


@dataclass(frozen=True, slots=True)
class Identity:
    """`store_id`: the store that this node has worked with, None before the first; `scripts`: their version."""

    scripts: str
    store_id: str | None = None
    is_mover: bool = False
    """Whether it moves stores: it alone may open one that was moved away, or is not all there yet."""


def scripts_version() -> str:
    """Tells the scripts of this relay from those of another version."""
    shas = "".join(load_script(name).sha for name in script_names())
    return hashlib.sha1(shas.encode(), usedforsecurity=False).hexdigest()[:SHOWN]


def check_layout(wire: Wire, identity: Identity, new_id: Callable[[], str], *, until: int) -> str:
    """The id of the store, which is marked as a store if it was empty and none was known.

    StoreTooNew, StoreReplaced, StoreMoved, StoreBroken: it is not one that this node may write to.
    """
    reply = _mark(wire, identity, "", until)
    if not reply:
        if identity.store_id is not None:
            raise StoreReplaced(
                f"{wire.host} has no store in it, and store {identity.store_id} was there before: bring its data back "
                "(its append-only files), or begin anew with an empty data_dir"
            )
        _refuse_foreign(wire, until)
        reply = _mark(wire, identity, new_id(), until)
    return _accepted(reply, wire, identity)


def _mark(wire: Wire, identity: Identity, new_id: str, until: int) -> Reply:
    """By its text, not its sha: this is the first script of a connection, and small."""
    script = load_script("layout")
    deed = Deed("layout.lua", [META])
    known = (identity.store_id or "", int(identity.is_mover))
    command = ("EVAL", script.text, 1, META, LAYOUT, identity.scripts, new_id, *known)
    [reply] = answered(wire.ask_all([command], until=until, deeds=[deed]))
    return reply


def _accepted(reply: Reply, wire: Wire, identity: Identity) -> str:
    fields: list[str] = [each.decode(errors="replace") for each in reply]
    layout, store_id, scripts, barred = fields
    if not (layout.isascii() and layout.isdigit() and store_id):
        raise StoreBroken(f"{wire.host}: {META} says nothing of a layout and an id; it was not written by a relay")
    if int(layout) > LAYOUT:
        raise StoreTooNew(
            f"this store was written by a newer relay (layout {layout}; this one knows {LAYOUT}, and the scripts of "
            f"the other are {scripts}): start a relay at least as new as the newest node"
        )
    if int(layout) < LAYOUT:
        raise StoreBroken(f"this store has layout {layout}, which this relay (layout {LAYOUT}) no longer knows")
    if identity.store_id is not None and store_id != identity.store_id:
        raise StoreReplaced(
            f"{wire.host} has store {store_id} in it, and this relay has mail of store {identity.store_id}: "
            "`store` leads elsewhere, or another store was restored there"
        )
    if barred and not identity.is_mover:
        raise StoreMoved(f"{wire.host}: {barred}")
    return store_id


def _refuse_foreign(wire: Wire, until: int) -> None:
    """StoreBroken: something else keeps keys under our name, and would be mixed with mail."""
    if not wire.ask("DBSIZE", until=until):
        return
    cursor: int | bytes = b"0"
    while True:
        cursor, keys = wire.ask("SCAN", cursor, "MATCH", OURS, "COUNT", BATCH, until=until)
        foreign = [key.decode(errors="replace") for key in keys if key != META.encode()]
        if foreign:
            break
        if cursor == b"0":
            return
    if wire.ask("HEXISTS", META, "layout", until=until):
        return  # another node has made it meanwhile
    raise StoreBroken(
        f"{wire.host} holds keys under relay: but no store of a relay (as {foreign[0][:80]}): "
        "give the relay a database of its own (the number at the end of `store`), or take them away"
    )
