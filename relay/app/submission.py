"""The parts of the service that take mail: the server for clients, and the certificate that it shows them.

Law: as for all parts: each gets plain values, ports and callables.
"""

from relay.app import settings
from relay.app.certificates import CertificateKeeper
from relay.app.machine import RunIn, randomness
from relay.app.means import Means
from relay.app.observation import SubmissionObserver
from relay.app.routing import RoutingKeeper
from relay.store.ports import Store
from relay.store.ports.books import Books
from relay.submission import Authenticator, Dns, Domains, Enquiries, Recipients, SubmissionServer, read_certificate
from relay.vault import expiry_of

HASHES: int = 2
"""Threads that hash passwords: each takes a core and 19 MB."""

ID_BYTES: int = 10
"""80 bits of chance make 20 characters: no two messages share an id, and nobody guesses one."""


def server(means: Means, store: Store, books: Books, keeper: RoutingKeeper) -> SubmissionServer:
    """Takes mail from clients."""
    authenticator = Authenticator(
        keeper.routing,
        keeper.secrets.resolved,
        executor=means.threads.pool("hashes", HASHES),
        key=randomness(32),
        clock=means.clock.monotonic,
    )
    keeper.on_change(authenticator.forget)
    return SubmissionServer(
        store,
        keeper.routing,
        settings=settings.submission_settings(means.config),
        authenticator=authenticator,
        new_id=lambda: randomness(ID_BYTES).hex(),
        wall_clock=means.clock.wall_seconds,
        observe=SubmissionObserver(means.log, means.metrics, clock=means.clock.monotonic),
        enquiries=Enquiries(store.pause_of, books.foresight, _recipients(means, books), books.unheard),
    )


def _recipients(means: Means, books: Books) -> Recipients:
    """Says whom an account does not write to, and which domains take no mail."""
    dns = Dns(means.config.submission.nameservers)
    return Recipients(books.suppressions, Domains(dns, means.clock.monotonic))


def certificate_keeper(means: Means) -> CertificateKeeper | None:
    """Keeps the certificate that clients are shown; None: no listener has TLS."""
    files = settings.certificate_files(means.config)
    if files is None:
        return None
    for listener in files.listeners:
        means.metrics.handshake_failed(listener, 0)  # a series that begins at one shows no increase
    return CertificateKeeper(
        files,
        lambda certificate, key: read_certificate(certificate, key, expiry_of),
        run=RunIn(means.threads.pool("certificates", 1)),
        log=means.log,
        readiness=means.readiness,
    )
