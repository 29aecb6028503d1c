"""Whom a TLS connection may believe: the system's authorities, and those that a provider's entry adds.

Law: a certificate is always verified, for the very name that the routing gives; nothing here can switch that off.
"""

import ssl
from collections.abc import Callable, Mapping
from types import MappingProxyType

from relay.core.meaning import Fault
from relay.core.routing import Provider

Trust = Callable[[Provider], ssl.SSLContext]
"""The context with which a provider's certificate is verified; OSError when its `tls_ca` cannot be read."""


class SystemTrust:
    """The system's authorities, plus a provider's `tls_ca`; each file is read once."""

    def __init__(self) -> None:
        self._contexts: dict[str | None, ssl.SSLContext] = {}

    def __call__(self, provider: Provider) -> ssl.SSLContext:
        """The context for a provider: TLS 1.2 or later, certificate and name verified."""
        context = self._contexts.get(provider.tls_ca)
        if context is None:
            context = ssl.create_default_context()
            context.minimum_version = ssl.TLSVersion.TLSv1_2
            if provider.tls_ca is not None:
                context.load_verify_locations(cafile=provider.tls_ca)
            self._contexts[provider.tls_ca] = context
        return context


_BY_VERIFICATION: Mapping[int, Fault] = MappingProxyType(
    {
        9: Fault.TLS_NOT_YET_VALID,
        10: Fault.TLS_EXPIRED,
        18: Fault.TLS_SELF_SIGNED,
        19: Fault.TLS_UNTRUSTED,
        62: Fault.TLS_WRONG_NAME,
        64: Fault.TLS_WRONG_NAME,
    }
)
"""X509_V_ERR_* of OpenSSL's x509_vfy.h; whatever else a verification says, nobody vouches for the certificate."""

_BY_HANDSHAKE: Mapping[str, Fault] = MappingProxyType(
    {
        "UNSUPPORTED_PROTOCOL": Fault.TLS_TOO_OLD,
        "TLSV1_ALERT_PROTOCOL_VERSION": Fault.TLS_TOO_OLD,
        "WRONG_VERSION_NUMBER": Fault.TLS_NOT_SPOKEN,
        "RECORD_LAYER_FAILURE": Fault.TLS_NOT_SPOKEN,
        "PACKET_LENGTH_TOO_LONG": Fault.TLS_NOT_SPOKEN,
        "HTTP_REQUEST": Fault.TLS_NOT_SPOKEN,
    }
)
"""Names of OpenSSL's sslerr.h, as Python's `SSLError.reason` has them."""


def fault_of(error: ssl.SSLError) -> Fault:
    """Why no encryption came about."""
    if isinstance(error, ssl.SSLCertVerificationError):
        return _BY_VERIFICATION.get(error.verify_code, Fault.TLS_UNTRUSTED)
    return _BY_HANDSHAKE.get(error.reason or "", Fault.TLS_FAILED)
