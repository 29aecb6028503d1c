"""A message ready to be written: everything that names a person is encrypted before the store is asked for anything.

Law: it touches nothing else, so it may run while a commit is under way.
"""

from dataclasses import dataclass, replace

from relay.core.envelope import Envelope, NewMessage
from relay.store.engine.values import Seals


@dataclass(frozen=True, slots=True)
class Sealed:
    """A message ready to be written: everything that names a person is encrypted."""

    message: NewMessage
    record: bytes
    envelopes: tuple[Envelope, ...]
    """One for each recipient."""
    sealed: tuple[bytes, ...]
    domains: tuple[bytes, ...]
    hashes: tuple[bytes, ...]
    message_id_hash: bytes


def sealed_anew(new: Sealed, seals: Seals) -> Sealed:
    """The same, under the key that seals by now."""
    head = seals.cipher.head_of(seals.cipher.fingerprint)
    return new if new.record.startswith(head) else sealed(new.message, seals)


def sealed(message: NewMessage, seals: Seals) -> Sealed:
    """Does all the encryption of a message; touches nothing else, so it may run while a commit is under way."""
    recipients = message.envelope.recipients
    one_each = (replace(message.envelope, recipients=(recipient,)) for recipient in recipients)
    envelopes = (message.envelope,) if len(recipients) == 1 else tuple(one_each)
    return Sealed(
        message,
        seals.seal_content(message.content, message.id),
        envelopes,
        tuple(seals.seal_envelope(envelope, message.id, ordinal) for ordinal, envelope in enumerate(envelopes)),
        tuple(
            seals.seal_domain(recipient.address, message.id, ordinal) for ordinal, recipient in enumerate(recipients)
        ),
        tuple(seals.hash_recipient(recipient.address) for recipient in recipients),
        seals.hash_message_id(message.header_message_id),
    )
