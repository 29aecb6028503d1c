"""The attempts under way: what was begun and is not settled yet, and who of them is broken off.

Law: what has passed the gate is broken off only when the drain is over, for its reply is worth hearing.
"""

from relay.core.envelope import Claim
from relay.delivery.attempt import Attempt
from relay.delivery.observer import Observer


class UnderWay:
    """Knows them from their start until they are settled."""

    def __init__(self, observe: Observer) -> None:
        self._observe = observe
        self._attempts: dict[int, Attempt] = {}
        self._cut_short = 0

    def __len__(self) -> int:
        return len(self._attempts)

    @property
    def cut_short(self) -> int:
        """Attempts that did not end in the time to drain."""
        return self._cut_short

    def begin(self, attempt: Attempt) -> None:
        """It starts."""
        self._attempts[attempt.claim.attempt] = attempt

    def end(self, attempt: Attempt) -> None:
        """It is settled."""
        del self._attempts[attempt.claim.attempt]

    def cut(self) -> None:
        """The drain is over: none goes on."""
        for attempt in self._attempts.values():
            self._cut_short += attempt.abort()

    def cut_before_gate(self) -> None:
        """Who has not come to the gate by now does not pass it any more."""
        for attempt in self._attempts.values():
            if not attempt.is_gated:
                self._cut_short += attempt.abort()

    def break_off_unheld(self) -> None:
        """What this node does not hold any more: somebody else may send it."""
        for attempt in self._attempts.values():
            if not attempt.is_gated and not attempt.is_held:
                attempt.abort()

    def lose(self, claim: Claim) -> None:
        """No longer ours: broken off before the gate; after it the reply is worth hearing, for delivered is a fact."""
        self._observe.claim_lost(claim)
        attempt = self._attempts.get(claim.attempt)
        if attempt is not None and not attempt.is_gated:
            attempt.abort()
