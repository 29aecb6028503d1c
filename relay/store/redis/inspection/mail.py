"""Mail by itself: deliveries against their messages, their envelopes and their bodies.

Law: what a delivery that is not finished needs has to be there, and to open; what is told of it is its number.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence

from relay.errors import CorruptValue
from relay.store.engine.values import Seals, Stored
from relay.store.redis.inspection.pages import Row
from relay.store.redis.inspection.wrong import Wrong
from relay.store.redis.rowkeys import PENDING, body_key, group_key
from relay.store.redis.visit import Visit


class Mail:
    """What is known of it when its rows were gone through."""

    def __init__(self, visit: Visit, seals: Seals | None) -> None:
        """Without `seals` nothing is opened."""
        self._visit = visit
        self._seals = seals
        self.counts: Counter[Stored] = Counter()
        """Deliveries by state."""
        self.ready: dict[int, tuple[int, int]] = {}
        """What may be sent and is not under way: account and lane by delivery."""
        self.is_whole = True
        """Whether every row could be read: else what needs a body is not all known."""
        self._needed: set[int] = set()
        self._pending: set[int] = set()
        self._seqs: dict[int, str] = {}
        """Ids of messages by number."""

    def note(self, table: str, rows: Mapping[str, Row]) -> Iterator[Wrong]:
        """Takes in rows of a table, those of messages first; what is wrong with them by themselves."""
        if table == "messages":
            self._seqs |= {row["seq"]: row["id"] for row in rows.values()}
        elif table == "outbox":
            self._needed |= {row["message"] for row in rows.values()}
        elif table == "deliveries":
            yield from self._note_deliveries(list(rows.values()))

    def _note_deliveries(self, rows: list[Row]) -> Iterator[Wrong]:
        self.counts.update(Stored(row["state"]) for row in rows)
        open_ones = [row for row in rows if row["state"] <= 1]
        self._needed |= {row["message"] for row in open_ones}
        self._pending |= {row["account"] for row in open_ones}
        ready = [row for row in open_ones if row["state"] == 0 and row["due"] == 0]
        held = self._visit.ask("HMGET", group_key("claims", "holders"), *(row["id"] for row in ready)) if ready else []
        free = (row for row, holder in zip(ready, held, strict=True) if holder is None)
        self.ready |= {row["id"]: (row["account"], row["lane"]) for row in free}
        homeless = [row for row in rows if row["message"] not in self._seqs]
        for row in homeless:
            yield Wrong("a delivery belongs to no message", str(row["id"]))
        for row in open_ones:
            message = self._seqs.get(row["message"])
            if self._seals is not None and message is not None:
                try:
                    self._seals.open_envelope(row["envelope"] or b"", message, row["id"] - row["message"])
                except (CorruptValue, ValueError):
                    yield Wrong(f"the envelope of a delivery of {message} cannot be opened", str(row["id"]))

    def of_pending(self) -> Iterator[Wrong]:
        """Accounts with mail, against those that are noted to have some."""
        known = {int(each) for each in self._visit.ask("SMEMBERS", PENDING)}
        for account in sorted(self._pending - known):
            yield Wrong(
                "an account with mail is not among those that have some", str(account), (("SADD", PENDING, account),)
            )

    def of_bodies(self, there: set[int]) -> Iterator[Wrong]:
        """Bodies that are there, against those that are needed."""
        for seq in sorted(self._needed - there):
            yield Wrong("the body of a message that is not finished is missing", self._seqs.get(seq, str(seq)))
        for seq in sorted(there - self._needed):
            yield Wrong("a body is left over", str(seq), (("UNLINK", body_key(seq)),) if self.is_whole else ())
        if self._seals is not None:
            yield from self._of_sealed(self._seals, sorted(self._needed & there & set(self._seqs)))

    def _of_sealed(self, seals: Seals, seqs: Sequence[int]) -> Iterator[Wrong]:
        for seq in seqs:
            record = self._visit.ask("GET", body_key(seq))
            try:
                if record is not None:  # else it went while this look came by
                    seals.open_content(record, self._seqs[seq])
            except CorruptValue:
                yield Wrong("the body of a message cannot be opened", self._seqs[seq])
