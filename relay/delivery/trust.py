"""Whom a TLS connection may believe: the system's authorities, and those that a provider's entry adds.

Law: a certificate is always verified, for the very name that the routing gives; nothing here can switch that off.
"""

import ssl
from collections.abc import Callable, Mapping
from pathlib import Path
from types import MappingProxyType

from relay.core.meaning import Fault
from relay.core.routing import Provider

Trust = Callable[[Provider], ssl.SSLContext]
"""The context with which a provider's certificate is verified; OSError when its `tls_ca` cannot be read."""


_Signature = tuple[int, int, int]
"""Of a file: when it was written, its size, which one it is."""


class SystemTrust:
    """The system's authorities, plus a provider's `tls_ca`; a file is read again when it changes."""

    def __init__(self) -> None:
        self._contexts: dict[str | None, tuple[_Signature | None, ssl.SSLContext]] = {}

    def __call__(self, provider: Provider) -> ssl.SSLContext:
        """The context for a provider: TLS 1.2 or later, certificate and name verified; OSError as `Trust` says."""
        file = provider.tls_ca
        signature = None if file is None else _signature(file)
        known = self._contexts.get(file)
        if known is not None and known[0] == signature:
            return known[1]
        context = ssl.create_default_context()
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        if file is not None:
            context.load_verify_locations(cafile=file)
        self._contexts[file] = signature, context
        return context


def _signature(file: str) -> _Signature:
    status = Path(file).stat()
    return status.st_mtime_ns, status.st_size, status.st_ino


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
        return _BY_VERIFICATION.get(getattr(error, "verify_code", 0), Fault.TLS_UNTRUSTED)
    return _BY_HANDSHAKE.get(getattr(error, "reason", None) or "", Fault.TLS_FAILED)
