"""The provider's own count: rolling windows per user, in recipients.

Law: an instant still counts at exactly `seconds` after it (closed windows), and what is refused is not counted.
This is the other side of the relay's limiter and shares nothing with it.
"""

from collections import deque
from collections.abc import Iterable

from relay.sandbox.settings import Window


class Windows:
    """What every user has sent lately, one queue of instants per user and window; times in seconds."""

    def __init__(self, windows: Iterable[Window]) -> None:
        self._windows = tuple(windows)
        self._instants: dict[str, list[deque[float]]] = {}

    def has_room(self, user: str, many: int, *, now: float) -> bool:
        """Whether `many` more recipients keep every window."""
        return all(
            self._used(queue, window, now) + many <= window.count
            for queue, window in zip(self._of(user), self._windows, strict=True)
        )

    def count(self, user: str, many: int, *, now: float) -> None:
        """Counts `many` recipients at `now`."""
        for queue, window in zip(self._of(user), self._windows, strict=True):
            queue.extend([now] * min(many, window.count))

    def _of(self, user: str) -> list[deque[float]]:
        queues = self._instants.get(user)
        if queues is None:
            queues = self._instants[user] = [deque() for _ in self._windows]
        return queues

    @staticmethod
    def _used(queue: deque[float], window: Window, now: float) -> int:
        oldest = now - window.seconds
        while queue and queue[0] < oldest:
            queue.popleft()
        return len(queue)
