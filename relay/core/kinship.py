"""Entries of the routing that lead to the same place: a login there is one mailbox, whatever they are called.

Law: entries are kin from the moment at which both have led to one host and port, and stay so: what was sent through one
of them counts for the same login of the others, whichever of them an edit calls it by.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property

from relay.core.routing import Routing
from relay.core.words import MailboxId


@dataclass(frozen=True)
class Kinship:
    """Which entries have led where, and which of them there are now."""

    places: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """By `host:port`: the names of the entries that lead there, or once did."""
    present: frozenset[str] = frozenset()

    def under(self, routing: Routing) -> "Kinship":
        """With what a routing adds; it takes nothing away, for what was sent still counts."""
        places = dict(self.places)
        for name, provider in routing.providers.items():
            if name not in places.get(provider.endpoint, ()):
                places[provider.endpoint] = (*places.get(provider.endpoint, ()), name)
        return Kinship(places, frozenset(routing.providers))

    @cached_property
    def _others(self) -> Mapping[str, tuple[str, ...]]:
        """By entry: its kin; who has none is not in it."""
        found: dict[str, dict[str, None]] = {}
        for names in self.places.values():
            for name in names if len(names) > 1 else ():
                found.setdefault(name, {}).update(dict.fromkeys(each for each in names if each != name))
        return {name: tuple(others) for name, others in found.items()}

    def of(self, mailbox: MailboxId) -> Iterator[MailboxId]:
        """The same login through every other entry; nearly always there is none."""
        for name in self.others_of(mailbox.provider):
            yield MailboxId(name, mailbox.username)

    def others_of(self, provider: str) -> tuple[str, ...]:
        """Every other entry that leads, or led, where this one does."""
        return self._others.get(provider, ())

    def has_kin(self, provider: str) -> bool:
        """Whether other entries lead, or led, where this one does."""
        return provider in self._others

    def gone_of(self, provider: str) -> tuple[str, ...]:
        """The kin that the routing has no more: what they sent counts in this entry's totals. Entries that are there
        together have totals of their own.
        """
        return tuple(each for each in self._others.get(provider, ()) if each not in self.present)

    def heirs_of(self, provider: str) -> tuple[str, ...]:
        """In whose totals counts what an entry still has under way that the routing has no more."""
        if provider in self.present:
            return ()
        return tuple(each for each in self._others.get(provider, ()) if each in self.present)


NO_KIN = Kinship()
