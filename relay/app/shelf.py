"""The shelf that stored secrets are taken from: empty-handed until the store is open, and careful after it.

Law: what is bound to one use is given to no other, and the reason says what is different and what to do.
"""

from relay.config.references import Cause, Unresolved, nothing_seen
from relay.core.secretuse import SecretUse, UseKind, objection
from relay.errors import CorruptValue
from relay.store.ports.secrets import Secrets


class SecretShelf:
    """The stored secrets as references see them; any thread may look, but for `bind`."""

    def __init__(self, secrets: Secrets | None = None) -> None:
        self._secrets = secrets
        self._wishes: dict[str, SecretUse] = {}
        """Uses that a secret was asked for before it was bound, or with more protection than it is bound to."""

    def open(self, secrets: Secrets) -> None:
        """From here on there is something to look into."""
        self._secrets = secrets

    def __call__(self, name: str, use: SecretUse) -> str | Unresolved | None:
        """A secret for one use; None: there is none."""
        if self._secrets is None:
            return nothing_seen(name, use)
        try:
            found = self._secrets.get(name)
        except CorruptValue:
            return Unresolved(f"secret:{name} cannot be read back from the store: set it again")
        if found is None:
            return None
        reason = objection(found.use, use)
        if found.use is None or (reason is None and use.is_stronger_than(found.use)):
            self._wishes.setdefault(name, use)
        if reason is None:
            return found.value
        return Unresolved(f"secret:{name} is kept back: {reason}; {_remedy(use)}", Cause.KEPT_BACK)

    def is_there(self, name: str, use: SecretUse) -> str | Unresolved | None:
        """Whether there is such a secret, without opening it; None: there is none."""
        if self._secrets is not None and not self._secrets.has(name):
            return None
        return nothing_seen(name, use)

    def origin_of(self, name: str) -> str:
        """Part of `Shelf`."""
        found = None if self._secrets is None else self._secrets.get(name)
        return "" if found is None else found.origin

    @property
    def changes(self) -> int:
        """Counts what has changed; a mark for `has_changed`."""
        return 0 if self._secrets is None else self._secrets.changes

    def has_changed(self, name: str, since: int) -> bool:
        """Part of `Shelf`."""
        return self._secrets is None or self._secrets.has_changed(name, since)

    async def bind(self) -> bool:
        """Binds, durably, what was asked for and bound to nothing; whether there was any."""
        wishes, self._wishes = self._wishes, {}
        return bool(self._secrets is not None and wishes and await self._secrets.bind(wishes))


def _remedy(use: SecretUse) -> str:
    if use.kind is UseKind.MAILBOX:
        return "if that is right, set it again for this account (relay account set-password)"
    return "if that is right, set it again (relay secret set), or give this use a secret of its own"
