"""The secrets' port: passwords and tokens by name, each for one use.

Law: a secret that nobody has bound to a use is given to nobody, and a binding is durable before it lets anything out;
no value shows in `repr`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from relay.core.secretuse import SecretUse

NAME_OCTETS: int = 255
"""The longest name; an address has 254."""


@dataclass(frozen=True, slots=True)
class StoredSecret:
    """One secret as it is kept."""

    value: str = field(repr=False)
    use: SecretUse | None
    """What it may be used for; None: nothing yet."""
    origin: str = field(repr=False)
    """Stays the same while a provider renews a token, and is another one as soon as a person sets another value."""


@dataclass(frozen=True, slots=True)
class SecretName:
    """What may be shown of a secret."""

    name: str
    use: SecretUse | None
    changed_at: int
    """When somebody set it, wall time in microseconds."""


class Secrets(Protocol):
    """What can be kept and found."""

    @property
    def changes(self) -> int:
        """Counts whatever changes; any thread."""

    def has_changed(self, name: str, since: int) -> bool:
        """Whether a secret may be another one, or otherwise bound, than when `changes` was that; any thread."""

    def has(self, name: str) -> bool:
        """Whether there is such a secret; any thread."""

    def get(self, name: str) -> StoredSecret | None:
        """A secret, from any thread and without waiting; None: there is none. CorruptValue: it does not open."""

    async def set(self, name: str, value: str, *, use: SecretUse | None = None) -> bool:
        """Keeps a value that a person gave, for this use alone (None: for the first that comes); False: it was there
        already, for this very use.
        """

    async def replace(self, name: str, *, old: str, new: str) -> bool:
        """Puts what a provider renewed where `old` is; False: another one is there, or none, and it stays so."""

    async def bind(self, uses: Mapping[str, SecretUse]) -> int:
        """Binds those of these that are bound to nothing yet, or to the same with less protection; how many."""

    async def drop(self, name: str) -> bool:
        """Forgets a secret; False: there was none."""

    async def names(self) -> Sequence[SecretName]:
        """All that there are, in order."""
