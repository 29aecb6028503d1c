"""What replies have in common that differ only in what names persons, hosts and sessions.

Law: equal likeness is equal words, to anybody who does not look for collisions; nothing can be read back from it.
"""

from hashlib import blake2b

from relay.core.normal import normalised
from relay.core.reply import Reply

LIKENESS_BYTES: int = 8
"""Compared within one mailbox or provider and some hours: a few thousand at most."""


def likeness_of(reply: Reply) -> bytes:
    """The same for the same code and the same words."""
    said = f"{reply.code} {reply.enhanced or ''} {normalised(reply.text).lower()}"
    return blake2b(said.encode(errors="surrogateescape"), digest_size=LIKENESS_BYTES).digest()
