"""One run of a script on the server, as the link sends it.

Law: it says what is run, and nothing of what comes of it.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from relay.store.redis.failures import Deed
from relay.store.redis.scripts import Script
from relay.store.redis.wire import Command

Bytes = bytes | str | int


@dataclass(frozen=True, slots=True)
class Call:
    """One run of a script: its keys, then its arguments."""

    script: Script
    keys: Sequence[str] = ()
    args: Sequence[Bytes] = ()

    @property
    def command(self) -> Command:
        return ("EVALSHA", self.script.sha, len(self.keys), *self.keys, *self.args)

    @property
    def deed(self) -> Deed:
        return Deed(f"{self.script.name}.lua", self.keys)
