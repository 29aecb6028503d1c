"""Whom a TLS connection may believe: the system's authorities, and those that a provider's entry adds.

Law: a certificate is always verified, for the very name that the routing gives; nothing here can switch that off.
"""

import ssl
from collections.abc import Callable

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
