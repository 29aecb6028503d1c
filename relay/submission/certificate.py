"""The certificate that listeners with TLS show to clients, read from its files.

Law: certificate and key are read together and fit each other, or are refused with a sentence that says what is wrong;
TLS 1.2 is the oldest that is spoken.
"""

import ssl
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from relay.errors import ConfigError

ExpiryOf = Callable[[bytes], float]
"""When the first certificate of a PEM file ends, in seconds since 1970. ValueError: there is none."""


class CertificateTrouble(ConfigError):
    """certificate and key cannot be used"""

    def __init__(self, text: str | None = None, *, is_of_key: bool = False) -> None:
        """`is_of_key`: the key has to be mended, not the certificate."""
        super().__init__(text)
        self.is_of_key = is_of_key


@dataclass(frozen=True, slots=True)
class Certificate:
    """A certificate ready to be shown; `expires_at` in seconds since 1970."""

    context: ssl.SSLContext = field(repr=False)
    expires_at: float


def read_certificate(certificate: Path, key: Path, expiry_of: ExpiryOf) -> Certificate:
    """What the two PEM files hold. CertificateTrouble."""
    for path in (certificate, key):
        try:
            path.read_bytes()
        except OSError as error:
            text = f"{path} cannot be read: {(error.strerror or 'unknown error').lower()}"
            raise CertificateTrouble(text, is_of_key=path is key) from None
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.options |= ssl.OP_NO_RENEGOTIATION  # a client could have us compute for ever
    try:
        context.load_cert_chain(certificate, key, password=_no_password)
        return Certificate(context, expiry_of(certificate.read_bytes()))
    except (OSError, ValueError) as error:
        raise _trouble(error, certificate, key) from None


def _no_password() -> str:
    """Without it OpenSSL would ask at the terminal, and a service would wait there for ever."""
    raise ValueError("encrypted")


def _trouble(error: OSError | ValueError, certificate: Path, key: Path) -> CertificateTrouble:
    if isinstance(error, ssl.SSLError) and error.reason == "KEY_VALUES_MISMATCH":
        return CertificateTrouble(f"{key} is not the key of {certificate}", is_of_key=True)
    if isinstance(error, ValueError) and str(error) == "encrypted":
        text = f"{key} is encrypted with a password; the relay needs it without one"
        return CertificateTrouble(text, is_of_key=True)
    reason = error.reason if isinstance(error, ssl.SSLError) else None
    detail = f" ({reason.lower().replace('_', ' ')})" if reason else ""
    return CertificateTrouble(f"{certificate} and {key} are not a certificate with its key in PEM{detail}")
