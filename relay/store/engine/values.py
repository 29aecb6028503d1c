"""How values are written into columns: envelopes and routings sealed, replies and health as JSON, enums as numbers.

Law: what names a person is sealed for one place (store, message, part) and opens nowhere else.
"""

import json
from dataclasses import asdict, dataclass
from enum import IntEnum
from functools import lru_cache
from typing import Any

from relay.core.envelope import Envelope, Kind, Recipient
from relay.core.health import Health, HealthEvent, HealthState
from relay.core.lifecycle import State
from relay.core.reply import Reply
from relay.core.words import Lane
from relay.store.needs import Cipher


class Stored(IntEnum):
    """A delivery's state as a column; one that is being sent waits, and has a row in `claims`."""

    WAITING = 0
    HELD = 1
    DELIVERED = 2
    BOUNCED = 3
    CANCELLED = 4


STORED = {
    State.WAITING: Stored.WAITING,
    State.HELD: Stored.HELD,
    State.DELIVERED: Stored.DELIVERED,
    State.BOUNCED: Stored.BOUNCED,
    State.CANCELLED: Stored.CANCELLED,
}
STATES: dict[int, State] = {number: state for state, number in STORED.items()}
LANES = (Lane.EXPRESS, Lane.BULK)
KINDS = (Kind.MAIL, Kind.REPORT)
_encode = json.JSONEncoder(separators=(",", ":")).encode


@dataclass(frozen=True, slots=True)
class Seals:
    """Seals and opens the values of one store."""

    cipher: Cipher
    store_id: bytes

    def place(self, owner: str, part: str) -> bytes:
        """The associated data of a part of a message, or of the store itself."""
        return b"\0".join((self.store_id, owner.encode(), part.encode()))

    def seal_envelope(self, envelope: Envelope, message: str, ordinal: int) -> bytes:
        """An envelope with one recipient, the message's `ordinal`-th."""
        recipient = envelope.recipients[0]
        plain = _encode(
            [
                envelope.sender,
                recipient.address,
                [envelope.envid, envelope.ret, recipient.orcpt, *recipient.notify],
                envelope.needs_smtputf8 + 2 * envelope.is_8bit,
            ]
        )
        return self.cipher.seal(plain.encode(), self.place(message, f"envelope/{ordinal}"))

    def open_envelope(self, sealed: bytes, message: str, ordinal: int) -> Envelope:
        """CorruptValue: it does not open."""
        plain = self.cipher.open(sealed, self.place(message, f"envelope/{ordinal}"))
        sender, address, (envid, ret, orcpt, *notify), flags = json.loads(plain)
        recipient = Recipient(address, tuple(notify), orcpt)
        return Envelope(sender, (recipient,), envid, ret, bool(flags & 1), bool(flags & 2))

    def seal_domain(self, address: str, message: str, ordinal: int) -> bytes:
        """Where a delivery goes, kept longer than its envelope: a family's own domain names a patient too."""
        domain = address.rpartition("@")[2].lower()
        return self.cipher.seal(domain.encode("utf-8", "surrogateescape"), self.place(message, f"domain/{ordinal}"))

    def open_domain(self, sealed: bytes, message: str, ordinal: int) -> str:
        """CorruptValue: it does not open."""
        return self.cipher.open(sealed, self.place(message, f"domain/{ordinal}")).decode("utf-8", "surrogateescape")

    def seal_said(self, said: str, attempt: int) -> bytes:
        """What a provider said in its own words."""
        return self.cipher.seal(said.encode("utf-8", "surrogateescape"), self.place(str(attempt), "said"))

    def open_said(self, sealed: bytes, attempt: int) -> str:
        """CorruptValue: it does not open."""
        return self.cipher.open(sealed, self.place(str(attempt), "said")).decode("utf-8", "surrogateescape")

    def seal_content(self, content: bytes, message: str) -> bytes:
        """The record of a message's body."""
        return self.cipher.seal(content, self.place(message, "content"))

    def open_content(self, record: bytes, message: str) -> bytes:
        """CorruptValue: it does not open."""
        return self.cipher.open(record, self.place(message, "content"))

    def hash_recipient(self, address: str) -> bytes:
        """Finds a recipient without naming him; the domain's case does not matter, the rest may."""
        local, at, domain = address.rpartition("@")
        return self.cipher.keyed_hash(b"recipient", f"{local}{at}{domain.lower()}".encode("utf-8", "surrogateescape"))

    def hash_message_id(self, header: str) -> bytes:
        """Finds a message by its header Message-ID."""
        return self.cipher.keyed_hash(b"message-id", header.encode("utf-8", "surrogateescape"))


def write_reply(reply: Reply | None) -> str | None:
    """A reply as a column."""
    return None if reply is None else _encode([reply.code, reply.enhanced, reply.text])


def read_reply(text: str | None) -> Reply | None:
    """A reply from a column."""
    return None if text is None else Reply(*json.loads(text))


def write_health(health: Health) -> str:
    """A health as a column."""
    return json.dumps({name: value for name, value in asdict(health).items() if value is not None and value != ()})


@lru_cache(maxsize=1024)
def read_health(text: str | None) -> Health:
    """A health from a column; None: nothing is known. Most are equal, and then they are one object."""
    if text is None:
        return Health()
    values: dict[str, Any] = json.loads(text)
    values["state"] = HealthState(values["state"])
    if "cause" in values:
        values["cause"] = HealthEvent(values["cause"])
    if "refused" in values:
        values["refused"] = tuple((fingerprint, at) for fingerprint, at in values["refused"])
    return Health(**values)
