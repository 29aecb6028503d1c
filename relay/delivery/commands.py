"""The commands of a transaction as bytes, in the terms that a provider offered in its answer to EHLO.

Law: addresses go out in the very bytes that were accepted, and nothing in them can end a command or begin another.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace

from relay.core.content import stuffed
from relay.core.envelope import Envelope, Recipient
from relay.core.meaning import Failure
from relay.core.reply import Reply
from relay.delivery.international import is_international
from relay.errors import AddressError

_UNSPEAKABLE = re.compile(rb"[\x00-\x1f\x7f]")


@dataclass(frozen=True, slots=True)
class Obstacle:
    """Why a message is not even tried; `told` is in the form of a reply, so that a report can quote it."""

    failure: Failure
    told: Reply


@dataclass(frozen=True, slots=True)
class Offer:
    """What a provider can, as far as we use it; `size` in bytes, None: it names no bound."""

    has_pipelining: bool = False
    has_8bit: bool = False
    has_smtputf8: bool = False
    has_dsn: bool = False
    has_size: bool = False
    size: int | None = None

    def obstacle(self, envelope: Envelope, size: int) -> Obstacle | None:
        """What makes this message impossible here, known without asking (RFC 1870, 6.1; RFC 6531, 3.1)."""
        if self.size is not None and size > self.size:
            told = f"not sent: the mail has {size} bytes, the provider takes at most {self.size}"
            return Obstacle(Failure.TOO_LARGE, Reply(552, "5.3.4", told))
        if not envelope.needs_smtputf8 or self.has_smtputf8:
            return None
        if is_international(envelope):
            told = "not sent: an address has letters outside ASCII, which the provider does not take (SMTPUTF8)"
            return Obstacle(Failure.NOT_OFFERED, Reply(553, "5.6.7", told))
        told = "not sent: the header has letters outside ASCII, which the provider does not take (SMTPUTF8)"
        return Obstacle(Failure.NOT_OFFERED, Reply(554, "5.6.9", told))

    def bare(self) -> "Offer":
        """Without what only adds parameters to MAIL and RCPT that a message can do without."""
        return replace(self, has_size=False, has_8bit=False, has_dsn=False)

    def passes_on(self, envelope: Envelope) -> bool:
        """Whether the provider is told which reports the sender wants, and sends them (RFC 3461, 5.2.2)."""
        return self.has_dsn and bool(envelope.recipients[0].notify)


def read_offer(extensions: Mapping[str, str]) -> Offer:
    """Reads the extensions of an answer to EHLO, names in lower case; `SIZE 0` and nonsense name no bound."""
    size = extensions.get("size", "").strip()
    is_bound = size.isascii() and size.isdigit() and len(size) <= 20 and int(size) > 0
    return Offer(
        has_pipelining="pipelining" in extensions,
        has_8bit="8bitmime" in extensions,
        has_smtputf8="smtputf8" in extensions,
        has_dsn="dsn" in extensions,
        has_size="size" in extensions,
        size=int(size) if is_bound else None,
    )


def mail_command(envelope: Envelope, size: int, offer: Offer) -> bytes:
    """MAIL with the parameters that were offered (RFC 1870, 6152, 6531, 3461)."""
    parameters = ""
    if offer.has_size:
        parameters += f" SIZE={size}"
    if envelope.is_8bit and offer.has_8bit:
        parameters += " BODY=8BITMIME"
    if envelope.needs_smtputf8:
        parameters += " SMTPUTF8"
    if offer.has_dsn:
        parameters += f" RET={envelope.ret}" if envelope.ret else ""
        parameters += f" ENVID={envelope.envid}" if envelope.envid else ""
    return _command("MAIL FROM:<", envelope.sender, parameters)


def rcpt_command(recipient: Recipient, offer: Offer) -> bytes:
    """RCPT with the DSN parameters where they were offered (RFC 3461)."""
    parameters = ""
    if offer.has_dsn:
        parameters += f" NOTIFY={','.join(recipient.notify)}" if recipient.notify else ""
        parameters += f" ORCPT={recipient.orcpt}" if recipient.orcpt else ""
    return _command("RCPT TO:<", recipient.address, parameters)


def data_of(content: bytes) -> bytes:
    """A message in wire form with its dots doubled (RFC 5321, 4.5.2) and its last line ended."""
    data = stuffed(content)
    return data if data.endswith(b"\r\n") or not data else data + b"\r\n"


def _command(verb: str, address: str, parameters: str) -> bytes:
    line = f"{verb}{address}>{parameters}".encode("utf-8", "surrogateescape")
    if _UNSPEAKABLE.search(line):
        raise AddressError("an address or parameter holds a control character")
    return line + b"\r\n"
