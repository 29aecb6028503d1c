"""The routing's port: the applied routing lives in the store with a version; files are its editor.

Law: a routing equal to the applied one, by content, makes no new version.
"""

from collections.abc import Collection, Mapping
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
    by: str | None = None
    """The node that put this version in force; None: there is one alone, or it is not known."""


NONE_APPLIED = AppliedRouting(0, Routing())
"""What is in force before anything ever was."""


class RoutingStore(Protocol):
    """Where the routing in force is kept."""

    async def apply(self, routing: Routing, fingerprints: Mapping[MailboxId, str | None]) -> int:
        """Puts a routing in force for what waits too, and returns its version.

        Waiting and held deliveries follow their account, in order; attempts under way keep their route; a removed
        account's mail is held as `no-account`, one whose fingerprint is None as `no-credentials`; a mailbox whose
        fingerprint changed is tried at once.
        """

    async def apply_on(
        self, base: AppliedRouting, routing: Routing, fingerprints: Mapping[MailboxId, str | None]
    ) -> int:
        """As `apply`, if the routing in force and its fingerprints are still these. StaleRouting: they are not."""

    async def applied(self) -> AppliedRouting | None:
        """The routing in force; None: none was ever applied."""

    def leave(self, mailboxes: Collection[MailboxId]) -> None:
        """From now on `take` names no session of these to this node, which cannot log in as them: others do."""
