"""The foresight's port: when a message that came in now would leave.

Law: it is the schedule run ahead; asking changes nothing.
"""

from typing import Protocol

from relay.core.words import AccountId


class Foresight(Protocol):
    """What can be asked before a message is accepted."""

    async def departure(self, account: AccountId, client: str, *, wants_express: bool) -> int | None:
        """When it would leave if nothing else happens, wall time in microseconds; None: not before somebody acts.

        Of what is stopped the probe is its departure where time heals it: a quota, a pace, a block whose time is known,
        what somebody has just said to be mended. Where he has to act first, no probe is.
        """
