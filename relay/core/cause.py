"""What a report says of one reason: why, and what its reader can do.

Law: both are there in every language; how to reach support is the only thing left to fill in.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from relay.core.failuretext import Language


@dataclass(frozen=True, slots=True)
class Cause:
    """Why a delivery failed, and what its sender can do, where `{contact}` stands for how to reach support.

    `status` is its code (RFC 3463) where no reply gave one.
    """

    status: str
    why: Mapping[Language, str]
    advice: Mapping[Language, str]


EXPIRED = "4.4.7"
"""Delivery time expired (RFC 3463, 3.5)."""


def cause(status: str, english: tuple[str, str], italian: tuple[str, str]) -> Cause:
    """Of its why and advice in each language."""
    why = {Language.ENGLISH: english[0], Language.ITALIAN: italian[0]}
    advice = {Language.ENGLISH: english[1], Language.ITALIAN: italian[1]}
    return Cause(status, MappingProxyType(why), MappingProxyType(advice))
