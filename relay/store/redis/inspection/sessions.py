"""Sessions on the server: how many each mailbox counts, against which node has them.

Law: a mailbox whose sessions are counted has them at one node, and a node has no mailbox that has none.
"""

from collections.abc import Iterator

import msgpack

from relay.core.words import MailboxId
from relay.store.redis.inspection.wrong import Wrong
from relay.store.redis.keys import mailbox_of, member, of_mailbox
from relay.store.redis.rowkeys import OWNERS, owned_key
from relay.store.redis.visit import Visit

TOGETHER: int = 250
"""Mailboxes that are asked about in one round trip: what is asked of one comes at nearly one moment."""

FEWER = "a mailbox counts fewer sessions than none"
NOBODYS = "a mailbox counts sessions, and no node has them"
NONE = "a node has sessions of a mailbox that counts none"
UNLISTED = "a node has sessions of a mailbox, and does not know it"


class Sessions:
    """Those of all mailboxes."""

    def __init__(self, visit: Visit) -> None:
        self._visit = visit
        self._noted: set[MailboxId] = set()

    def note(self, line: str) -> None:
        """The key of a mailbox that counts something."""
        tag, _, username = line.partition("}:line:")
        self._noted.add(MailboxId(tag.partition("{")[2], username))

    def wrongs(self) -> Iterator[Wrong]:
        """Where what is counted is not what nodes have."""
        owned = {mailbox_of(each.decode(errors="surrogateescape")) for each in self._visit.ask("HKEYS", OWNERS)}
        boxes, self._noted = sorted(self._noted | owned), set()
        for start in range(0, len(boxes), TOGETHER):
            yield from self._of_some(boxes[start : start + TOGETHER])

    def _of_some(self, boxes: list[MailboxId]) -> Iterator[Wrong]:
        found = self._visit.ask_all([
            command
            for box in boxes
            for command in (("HGET", of_mailbox(box, "line"), "state"), ("HGET", OWNERS, member(box)))
        ])  # fmt: skip
        for box, packed, owner in zip(boxes, found[::2], found[1::2], strict=True):
            _, _, sessions, opening, *_ = (0, 0, 0, 0) if packed is None else msgpack.unpackb(packed, raw=True)
            if sessions < 0 or opening < 0:
                yield Wrong(FEWER, "", key=member(box))
            elif sessions > 0 and owner is None:
                yield Wrong(NOBODYS, "", key=member(box))
            elif owner is not None:
                yield from self._of_owner(box, owner.decode(), sessions)

    def _of_owner(self, box: MailboxId, node: str, sessions: int) -> Iterator[Wrong]:
        drop, name = ("SREM", owned_key(node), member(box)), member(box)
        if sessions == 0:
            yield Wrong(NONE, "", (("HDEL", OWNERS, name), drop), key=name)
        elif not self._visit.ask("SISMEMBER", owned_key(node), name):
            yield Wrong(UNLISTED, "", (("SADD", owned_key(node), name),), key=name)
