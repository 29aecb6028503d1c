"""The routing's port: the applied routing lives in the store with a version; files are its editor.

Law: a routing equal to the applied one, by content, makes no new version.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

from relay.core.routing import Routing
from relay.core.words import MailboxId


@dataclass(frozen=True, slots=True)
class AppliedRouting:
    """A routing in force. `fingerprints`: keyed hash of each mailbox's credential and route; None: no credentials."""

    version: int
    routing: Routing
    fingerprints: Mapping[MailboxId, str | None] = field(default_factory=dict)


class RoutingStore(Protocol):
    """Where the routing in force is kept."""

    async def apply(self, routing: Routing, fingerprints: Mapping[MailboxId, str | None]) -> int:
        """Puts a routing in force for what waits too, and returns its version.

        Waiting and held deliveries follow their account, in order; attempts under way keep their route; a removed
        account's mail is held as `no-account`, one whose fingerprint is None as `no-credentials`; a mailbox whose
        fingerprint changed is tried at once.
        """

    async def applied(self) -> AppliedRouting | None:
        """The routing in force; None: none was ever applied."""
