"""What the model does with a mailbox, or a host, that an edit calls by another name.

Law: the same username at one host and port is one mailbox, however it is and was called; nothing of it is forgotten.
"""

from collections.abc import Mapping

from relay.core.health import HealthEvent
from relay.core.routing import Routing
from relay.core.words import MailboxId
from tests.contract.model_about import About


class Renaming(About):
    """Follows."""

    def join_kin(self, old: Routing, new: Routing) -> None:
        """Entries that lead to one host and port, now or one after the other."""
        for routing in (old, new):
            for name, entry in routing.providers.items():
                self.disk.places.setdefault(f"{entry.host.lower()}:{entry.port}", set()).add(name)

    def rename(self, old: Routing, new: Routing) -> dict[MailboxId, MailboxId]:
        """The health of a mailbox goes with it to the name that it has now; which name it had."""
        origins: dict[MailboxId, MailboxId] = {}
        for mailbox in new.by_mailbox:
            origin = self.origin(mailbox, old)
            if mailbox not in old.by_mailbox and origin is not None:
                origins[mailbox] = origin
        for mailbox, origin in origins.items():
            if origin in self.disk.healths or mailbox in self.disk.healths:
                self.disk.healths[mailbox] = self.health(origin)
        return origins

    def origin(self, mailbox: MailboxId, old: Routing) -> MailboxId | None:
        """One that was routed, the worst off of several; else whichever logged in last, itself of several."""
        _, *others = self.disk.kin(mailbox)
        routed = [each for each in others if each in old.by_mailbox]
        if routed:
            return max(routed, key=lambda each: (self.health(each).is_stopped, self.health(each).slow))
        names = self.disk.kin(mailbox)
        logins = [login for login in self.disk.logins if login.mailbox in names]
        last = {login.mailbox for login in logins if login.started == logins[-1].started}
        found = next((each for each in names if each in last), mailbox)
        return None if found == mailbox else found

    def known_before(
        self, before: Mapping[MailboxId, str | None], origins: Mapping[MailboxId, MailboxId]
    ) -> dict[MailboxId, str | None]:
        """The credentials of before by the names of now."""
        return {**before, **{mailbox: before.get(origin) for mailbox, origin in origins.items()}}

    def renew_hosts(self, old: Routing, new: Routing) -> None:
        """A host that was moved is tried at once; one that only has another name stays stopped."""
        for name, entry in new.providers.items():
            known = old.providers.get(name)
            place = entry.host, entry.port, entry.tls, entry.tls_ca
            is_moved = known is not None and place != (known.host, known.port, known.tls, known.tls_ca)
            if is_moved and self.host(name).is_stopped:
                self.change_provider(name, HealthEvent.CHANGED)
            same = [each for each, was in old.providers.items() if (was.host, was.port, was.tls, was.tls_ca) == place]
            stopped = [self.host(each) for each in same if self.host(each).is_stopped]
            if known is None and stopped:
                self.disk.provider_healths[name] = stopped[0]
