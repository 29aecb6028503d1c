"""Whether the store is there: said in the readiness and the log when it goes, and when it is back.

Law: one line when it goes and one when it is back, however many ask it meanwhile.
"""

from relay.admin import Part, Readiness
from relay.errors import StoreUnavailable
from relay.observe import Log


class Presence:
    """Hears how each operation of the store ended."""

    def __init__(self, readiness: Readiness, log: Log) -> None:
        self._readiness = readiness
        self._log = log

    def missed(self, error: StoreUnavailable) -> None:
        """It could not be reached."""
        if self._readiness.set(Part.STORE, str(error)):
            self._log.trouble(what=Part.STORE, text=str(error))

    def answered(self) -> None:
        """It did what it was asked."""
        if self._readiness.clear(Part.STORE):
            self._log.recovered_from(what=Part.STORE)
