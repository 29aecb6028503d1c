"""Putting a routing in force on Redis: the engine's edit, in parts where it is one of many accounts.

Law: as relay/store/engine/applying.py; other nodes see all of an edit or nothing of it, and what it leaves for
afterwards is done before anything else is decided.
"""

from collections.abc import Mapping
from dataclasses import replace

from relay.core.limits import SECOND
from relay.core.routing import Routing
from relay.core.words import MailboxId
from relay.errors import RelayError
from relay.store.engine.applying import Applying
from relay.store.engine.context import Context
from relay.store.engine.edits import Edit
from relay.store.ports.routing import AppliedRouting
from relay.store.redis.editing import MANY, Staging
from relay.store.redis.opened import Opened
from relay.store.redis.operations import Operations
from relay.store.redis.rowkeys import STATE

LONG_HELD: int = 30 * SECOND
"""How long an edit of many keeps the pen from part to part at most: a part is milliseconds, a node may be slow."""


class RedisApplying:
    """Changes the routing in force, from one node."""

    def __init__(
        self, context: Context, applying: Applying, opened: Opened, *, operations: Operations, node: str
    ) -> None:
        self._context = context
        self._applying = applying
        self._opened = opened
        self._operations = operations
        self._node = node

    def edit(self, routing: Routing, fingerprints: Mapping[MailboxId, str | None]) -> Edit:
        """What a routing would change."""
        return self._applying.edit(routing, fingerprints)

    def apply(self, edit: Edit, base: AppliedRouting | None, *, revision: int) -> int:
        """Puts a routing in force. StaleRouting: what is in force is not `base`.

        `revision`: what this operation has heard of.
        """
        if edit.base is not self._context.routes:
            edit = self.edit(edit.routes.routing, edit.routes.fingerprints)
        schedule = self._opened.schedule
        is_large = max(map(len, (edit.moved, edit.mailboxes, edit.fingerprints))) > MANY
        schedule.look_ahead(edit.fingerprints)
        if is_large:
            schedule.leave()
        before, version = self._context.routes.version, self._applying.apply(edit, base)
        if is_large:
            self._prepare(revision)
        if version != before:
            self._opened.ledger.act("routing.version", version, self._node)
        return version

    def applied(self) -> AppliedRouting | None:
        """The routing in force, and who put it there."""
        found, by = self._applying.applied(), self._opened.ledger.asking.hget(STATE, "routing_by")
        return None if found is None else replace(found, by=None if by is None else by.decode())

    def do_what_is_left(self, revision: int) -> None:
        """What an edit of many left is done at once; where that fails, by whoever takes the pen next."""
        try:
            self._operations.begin(revision, held=LONG_HELD)
            self._operations.let_go()
        except RelayError:
            return

    def _prepare(self, revision: int) -> None:
        """An edit of many: what it writes is laid beside what is in force, and what it leaves for afterwards too."""
        staging = Staging(self._operations, revision, LONG_HELD)
        staging.tables(self._opened.ledger)
        self._opened.ledger.intended.swaps += staging.deeds(self._opened.schedule.left())
