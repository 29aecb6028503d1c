"""The routing in force: where each account's mail goes now, or why it goes nowhere.

Law: what waits belongs to an account; the mailbox is looked up when it moves, so an edit moves what waits, in order.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field

from relay.core.limits import MINUTE
from relay.core.routing import Routing
from relay.core.routing_json import read_routing, write_routing
from relay.core.words import AccountId, MailboxId
from relay.store.sqlite.database import Database
from relay.store.sqlite.statements import load_statements
from relay.store.sqlite.values import Seals

_SQL = load_statements("routing")

DEFAULT_LINGER: int = 2 * MINUTE
"""For a provider that is not in the routing any more."""

DEFAULT_FINAL: int = 10 * MINUTE
"""As long as a provider that is not in the routing any more may take for its last reply."""

KEPT_ROUTINGS: int = 10
"""Old versions stay for an admin who wants to go back, but not for ever: they hold secrets."""

NO_ACCOUNT = "no-account"
NO_CREDENTIALS = "no-credentials"


@dataclass(slots=True)
class Routes:
    """The routing in force and the fingerprints of its mailboxes."""

    version: int = 0
    """0: none was ever applied."""
    routing: Routing = field(default_factory=Routing)
    fingerprints: Mapping[MailboxId, str | None] = field(default_factory=dict)

    def mailbox_of(self, account: AccountId) -> MailboxId | None:
        """Where an account's mail goes; None: nowhere (see `trouble_of`)."""
        known = self.routing.accounts.get(account)
        if known is None or self.fingerprints.get(known.mailbox, "") is None:
            return None
        return known.mailbox

    def trouble_of(self, account: AccountId) -> str | None:
        """Why an account's mail goes nowhere."""
        known = self.routing.accounts.get(account)
        if known is None:
            return NO_ACCOUNT
        return NO_CREDENTIALS if self.fingerprints.get(known.mailbox, "") is None else None

    def linger_of(self, mailbox: MailboxId) -> int:
        """How long after a lost connection the provider may still count, microseconds."""
        provider = self.routing.providers.get(mailbox.provider)
        return DEFAULT_LINGER if provider is None else provider.linger

    def final_of(self, mailbox: MailboxId) -> int:
        """How long the reply to the final dot may take, microseconds."""
        provider = self.routing.providers.get(mailbox.provider)
        return DEFAULT_FINAL if provider is None else provider.timeouts.final

    def longest_linger(self) -> int:
        """The longest linger of any provider."""
        return max((provider.linger for provider in self.routing.providers.values()), default=DEFAULT_LINGER)


def load_routes(database: Database, seals: Seals) -> Routes:
    """The routing in force as it was written."""
    row = database.read_one(_SQL["get_routing"])
    if row is None:
        return Routes()
    version, sealed = row
    routing, fingerprints = json.loads(seals.cipher.open(sealed, seals.place("", f"routing/{version}")))
    return Routes(version, read_routing(routing), {MailboxId(*pair): value for *pair, value in fingerprints})


def save_routes(database: Database, seals: Seals, routes: Routes, *, at: int, is_new: bool) -> None:
    """Writes a routing; `is_new`: as a new version, else in place of the present one."""
    fingerprints = [[*mailbox, value] for mailbox, value in routes.fingerprints.items()]
    body = json.dumps([write_routing(routes.routing), fingerprints]).encode()
    sealed = seals.cipher.seal(body, seals.place("", f"routing/{routes.version}"))
    if is_new:
        database.write(_SQL["add_routing"], (routes.version, at, sealed))
        database.write(_SQL["drop_old_routings"], (routes.version - KEPT_ROUTINGS,))
    else:
        database.write(_SQL["set_routing"], (sealed, routes.version))
