"""An envelope with letters outside ASCII, made fit for the providers that know only ASCII, as far as that is possible.

Law: only a domain is rewritten, and only into the form of the same name that the DNS itself uses (A-label, RFC 5890);
what is before the @ stays the very bytes that were accepted.
"""

import re
from dataclasses import replace

import idna

from relay.core.envelope import Envelope, Recipient

_BEYOND_ASCII = re.compile(r"[^\x00-\x7f]")


def is_international(envelope: Envelope) -> bool:
    """Whether one of its two addresses has letters outside ASCII."""
    return not (envelope.sender.isascii() and envelope.recipients[0].address.isascii())


def has_international_header(content: bytes) -> bool:
    """Whether the header of a message has bytes outside ASCII."""
    end = content.find(b"\r\n\r\n")
    return not content[: end if end >= 0 else len(content)].isascii()


def simplified(envelope: Envelope, content: bytes) -> Envelope:
    """The envelope that needs SMTPUTF8 (RFC 6531) only if nothing else serves.

    It is needed for an address whose local part is outside ASCII, and for a header outside ASCII that the client itself
    declared; not for a domain alone, and not for a header that was sent undeclared, which passes as it is.
    """
    if not (envelope.needs_smtputf8 or is_international(envelope)):
        return envelope
    if envelope.needs_smtputf8 and has_international_header(content):
        return envelope
    sender, recipient = _with_ascii_domain(envelope.sender), _ascii_recipient(envelope.recipients[0])
    if sender.isascii() and recipient.address.isascii():
        return replace(envelope, sender=sender, recipients=(recipient,), needs_smtputf8=False)
    return replace(envelope, needs_smtputf8=True)


def _with_ascii_domain(address: str) -> str:
    local, at, domain = address.rpartition("@")
    if domain.isascii() or not local.isascii():
        return address
    try:
        return local + at + idna.encode(domain, uts46=True).decode("ascii")
    except idna.IDNAError:
        return address


def _ascii_recipient(recipient: Recipient) -> Recipient:
    """ORCPT without SMTPUTF8 spells out what is not ASCII (RFC 6533, 3)."""
    orcpt = recipient.orcpt
    if orcpt is not None:
        orcpt = _BEYOND_ASCII.sub(lambda match: f"\\x{{{ord(match[0]):X}}}", orcpt)
    return replace(recipient, address=_with_ascii_domain(recipient.address), orcpt=orcpt)
