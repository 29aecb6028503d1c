"""Who may have a password hashed next: hashes are few at once, and somebody floods the relay with logins.

Law: whose password was right before goes first; of the others each address has its turn, however many wait behind
another one; how many wait is bounded, and the address with the most waiting gives way.
"""

import asyncio
from collections import deque

_Waiting = deque["asyncio.Future[bool]"]


class Turns:
    """Turns to use something of which there are `at_once`; `waiting_most` of each kind may wait."""

    def __init__(self, at_once: int, *, waiting_most: int) -> None:
        self._free = at_once
        self._most = waiting_most
        self._first: _Waiting = deque()
        self._by_address: dict[str, _Waiting] = {}
        """In the order of their next turn."""

    async def take(self, address: str, *, is_first: bool) -> bool:
        """Waits for a turn, to be given back; False: too many wait."""
        if self._free:
            self._free -= 1
            return True
        future: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        if not (self._line_up_first(future) if is_first else self._line_up(address, future)):
            return False
        try:
            return await future
        except asyncio.CancelledError:
            if future.done() and not future.cancelled() and future.result():
                self.give_back()
            raise

    def give_back(self) -> None:
        """The next one that still waits has the turn."""
        while (future := self._first.popleft() if self._first else self._next()) is not None:
            if not future.done():
                future.set_result(True)
                return
        self._free += 1

    def _next(self) -> "asyncio.Future[bool] | None":
        """The next of the address whose turn it is; the address goes to the end."""
        if not self._by_address:
            return None
        address = next(iter(self._by_address))
        waiting = self._by_address.pop(address)
        future = waiting.popleft()
        if waiting:
            self._by_address[address] = waiting
        return future

    def _line_up_first(self, future: "asyncio.Future[bool]") -> bool:
        if len(self._first) >= self._most:
            return False
        self._first.append(future)
        return True

    def _line_up(self, address: str, future: "asyncio.Future[bool]") -> bool:
        if sum(map(len, self._by_address.values())) >= self._most and not self._make_room(address):
            return False
        self._by_address.setdefault(address, deque()).append(future)
        return True

    def _make_room(self, address: str) -> bool:
        """Sends away the last of the address with the most waiting, unless that is this one."""
        longest = max(self._by_address, key=lambda one: len(self._by_address[one]))
        if len(self._by_address[longest]) <= len(self._by_address.get(address, ())) + 1:
            return False
        last = self._by_address[longest].pop()
        if not last.done():
            last.set_result(False)
        return True
