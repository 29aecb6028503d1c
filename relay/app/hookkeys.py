"""The keys that sign what goes to the webhook of ops, looked up beside the loop and kept for a while.

Law: a secret that cannot be used is said in readiness, and what it would have signed is sent all the same.
"""

from collections.abc import Callable, Sequence

from relay.admin import Readiness
from relay.config.notices import UNSIGNED, keys_of
from relay.config.references import Resolve, Unresolved
from relay.core.routing import SecretReference
from relay.store.needs import Runner

SECRET = "ops-webhook-secret"
"""What readiness calls notices that cannot be signed."""

KEPT: float = 60.0
"""Seconds until they are looked up anew although nobody said that they changed: a file may be another one."""


class HookKeys:
    """Finds the keys; `run` runs what blocks, `clock` gives seconds from some moment on."""

    def __init__(
        self,
        reference: SecretReference | None,
        resolve: Resolve,
        *,
        run: Runner,
        readiness: Readiness,
        clock: Callable[[], float],
    ) -> None:
        """`reference` None: nothing is signed."""
        self._reference = reference
        self._resolve = resolve
        self._run = run
        self._readiness = readiness
        self._clock = clock
        self._kept: Sequence[bytes] | None = None
        self._until = 0.0
        self._changes = 0

    def forget(self) -> None:
        """The secret may be another one."""
        self._kept = None
        self._changes += 1

    async def __call__(self) -> Sequence[bytes]:
        """The keys of now; none: what is sent is not signed."""
        reference = self._reference
        if reference is None:
            return ()
        if self._kept is not None and self._clock() < self._until:
            return self._kept
        changes = self._changes
        found = await self._run(lambda: keys_of(reference, self._resolve))
        if isinstance(found, Unresolved):
            self._readiness.set(SECRET, f"{found.reason}: {UNSIGNED}")
            return ()
        self._readiness.clear(SECRET)
        if changes == self._changes:
            self._kept, self._until = found, self._clock() + KEPT
        return found
