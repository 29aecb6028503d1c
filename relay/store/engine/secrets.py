"""The secrets in the database: sealed there and in memory, opened one at a time when somebody asks for one.

Law: memory holds what is durable and nothing else; a value is readable in it only while it is looked at.
"""

import asyncio
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from itertools import islice
from typing import TypeVar

from relay.core.secretuse import SecretUse, objection, read_use, write_use
from relay.errors import CorruptValue
from relay.store.engine.context import Context
from relay.store.engine.ledger import Ledger
from relay.store.engine.note import Note
from relay.store.engine.statements import load_statements
from relay.store.engine.values import Seals
from relay.store.needs import Runner
from relay.store.ports.secrets import SecretName, StoredSecret

_SQL = load_statements("secrets")

T = TypeVar("T")

STEP: int = 256
"""Secrets bound in one transaction: a few milliseconds."""

Kept = tuple[bytes, int]
"""A sealed secret, and when somebody set it."""

Changes = dict[str, Kept | None]


class LedgerSecrets:
    """The port `Secrets`."""

    def __init__(self, note: Note, run: Runner, database: Ledger, seals: Seals) -> None:
        """Reads what there is; `run` is for looking through all of it."""
        self._note = note
        self._run = run
        self._seals = seals
        self._kept: dict[str, Kept] = {name: (sealed, at) for name, sealed, at in database.read(_SQL["all_secrets"])}
        self._uses: dict[str, tuple[bytes, SecretUse | None]] = {}
        """What each was bound to when it was looked at last, and which sealed value that was."""
        self._revised: dict[str, int] = {}
        """When, as `changes` counts, each changed that has changed since the start."""
        self._changes = 0

    @property
    def changes(self) -> int:
        """Counts whatever changes; any thread."""
        return self._changes

    def has_changed(self, name: str, since: int) -> bool:
        """Whether a secret may be another one than when `changes` was `since`; any thread."""
        return self._revised.get(name, 0) > since

    def has(self, name: str) -> bool:
        """Whether there is such a secret; any thread."""
        return name in self._kept

    def get(self, name: str) -> StoredSecret | None:
        """A secret."""
        kept = self._kept.get(name)
        if kept is None:
            return None
        secret = open_secret(self._seals, name, kept[0])
        self._uses[name] = (kept[0], secret.use)
        return secret

    async def set(self, name: str, value: str, *, use: SecretUse | None = None) -> bool:
        """Keeps a value that a person gave."""

        def work(context: Context) -> tuple[bool, Changes]:
            row = context.database.read_one(_SQL["secret"], (name,))
            known = None if row is None else _open_or_none(context.seals, name, row[0])
            if known is not None and known.value == value and known.use == use:
                return False, {}
            at = context.clock.wall()
            origin = known.origin if known is not None and known.value == value else _origin(context, value, at)
            context.changed()
            return True, {name: _write(context, name, StoredSecret(value, use, origin), at)}

        return await self._changed(work)

    async def replace(self, name: str, *, old: str, new: str) -> bool:
        """Compares and sets."""

        def work(context: Context) -> tuple[bool, Changes]:
            row = context.database.read_one(_SQL["secret"], (name,))
            known = None if row is None else open_secret(context.seals, name, row[0])
            if row is None or known is None or known.value != old:
                return False, {}
            return True, {name: _write(context, name, replace(known, value=new), row[1])}

        return await self._changed(work)

    async def bind(self, uses: Mapping[str, SecretUse]) -> int:
        """Binds what is bound to nothing yet, or to the same with less protection."""
        wanted = iter(await self._run(lambda: self._unbound(uses)))
        bound = 0
        while some := list(islice(wanted, STEP)):
            bound += await self._changed(partial(_bind, uses={name: uses[name] for name in some}))
        return bound

    async def drop(self, name: str) -> bool:
        """Forgets a secret."""

        def work(context: Context) -> tuple[bool, Changes]:
            if not context.database.write(_SQL["drop_secret"], (name,)):
                return False, {}
            context.changed()
            return True, {name: None}

        return await self._changed(work)

    async def names(self) -> Sequence[SecretName]:
        """All that there are."""
        return await self._run(self._listed)

    def resealed(self, changes: Changes) -> None:
        """The same values under another key are durable."""
        for name, kept in changes.items():
            if kept is not None and name in self._kept:
                self._kept[name] = kept

    def hear(self, changes: Changes) -> None:
        """Another node wrote these; None: it dropped one."""
        self._changes += bool(changes)
        for name, kept in changes.items():
            self._take_in(name, kept)

    async def _changed(self, work: Callable[[Context], tuple[T, Changes]]) -> T:
        """Whoever asked may be gone meanwhile: memory learns what became durable all the same."""
        return await asyncio.shield(asyncio.ensure_future(self._noted(work)))

    async def _noted(self, work: Callable[[Context], tuple[T, Changes]]) -> T:
        outcome, changes = await self._note(work)
        self._changes += bool(changes)
        for name, kept in changes.items():
            self._take_in(name, kept)
        return outcome

    def _take_in(self, name: str, kept: Kept | None) -> None:
        self._revised[name] = self._changes
        if kept is None:
            self._kept.pop(name, None)
            self._uses.pop(name, None)
        else:
            self._kept[name] = kept

    def _unbound(self, uses: Mapping[str, SecretUse]) -> list[str]:
        """Those that may have to be bound; whether they have is looked at once more when they are."""
        return [name for name, use in uses.items() if name in self._kept and _is_free(self._use_of(name), use)]

    def _use_of(self, name: str) -> SecretUse | None:
        kept, known = self._kept.get(name), self._uses.get(name)
        if kept is not None and known is not None and known[0] is kept[0]:
            return known[1]
        secret = None if kept is None else _open_or_none(self._seals, name, kept[0])
        if kept is not None:
            self._uses[name] = (kept[0], None if secret is None else secret.use)
        return None if secret is None else secret.use

    def _listed(self) -> list[SecretName]:
        return [SecretName(name, self._use_of(name), at) for name, (_, at) in sorted(self._kept.items())]


def open_secret(seals: Seals, name: str, sealed: bytes) -> StoredSecret:
    """CorruptValue: it does not open."""
    try:
        value, written, origin = json.loads(seals.cipher.open(sealed, seals.place(name, "secret")))
        return StoredSecret(value, None if written is None else read_use(written), origin)
    except (ValueError, TypeError):
        raise CorruptValue("a stored secret is not as it was written") from None


def _open_or_none(seals: Seals, name: str, sealed: bytes) -> StoredSecret | None:
    """Where one that is damaged must not stop the others."""
    try:
        return open_secret(seals, name, sealed)
    except CorruptValue:
        return None


def seal_secret(seals: Seals, name: str, secret: StoredSecret) -> bytes:
    """A secret as a column."""
    written = None if secret.use is None else write_use(secret.use)
    plain = json.dumps([secret.value, written, secret.origin])
    return seals.cipher.seal(plain.encode(), seals.place(name, "secret"))


def _write(context: Context, name: str, secret: StoredSecret, at: int) -> Kept:
    sealed = seal_secret(context.seals, name, secret)
    context.database.write(_SQL["set_secret"], (name, sealed, at))
    return sealed, at


def _bind(context: Context, uses: Mapping[str, SecretUse]) -> tuple[int, Changes]:
    changes: Changes = {}
    for name, use in uses.items():
        row = context.database.read_one(_SQL["secret"], (name,))
        if row is not None:
            known = _open_or_none(context.seals, name, row[0])
            if known is not None and _is_free(known.use, use):
                changes[name] = _write(context, name, replace(known, use=use), row[1])
    return len(changes), changes


def _is_free(bound: SecretUse | None, asked: SecretUse) -> bool:
    return bound is None or (objection(bound, asked) is None and asked.is_stronger_than(bound))


def _origin(context: Context, value: str, at: int) -> str:
    """Of a value that a person set now."""
    return context.seals.cipher.keyed_hash(b"secret origin", f"{at}:{value}".encode()).hex()
