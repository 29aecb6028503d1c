"""From the configuration's tree to the plain values that constructors take.

Law: nothing below knows the configuration; what it says is turned into their words here and nowhere else.
"""

import socket
from collections.abc import Callable, Mapping
from zoneinfo import ZoneInfo

from relay.app.certificates import CertificateFiles
from relay.config.service import ServiceConfig
from relay.config.store import OWN, shown_store
from relay.core.failuretext import Language
from relay.core.healthsettings import HealthSettings
from relay.core.limits import SECOND
from relay.core.meaning import ReplyClass
from relay.core.routing import Provider, Routing, SecretReference, Tls
from relay.core.rules import Rule
from relay.core.secretuse import SecretUse, oauth_use
from relay.core.words import MailboxId
from relay.delivery.keeper import SessionTerms
from relay.delivery.oauth_endpoint import OAuthIdentity
from relay.delivery.settings import DispatcherSettings
from relay.notify import ReportSettings
from relay.providers import load_profiles
from relay.store.needs import StoreSettings
from relay.submission import HELD, ListenerSettings, SubmissionSettings

ZONE = ZoneInfo("Europe/Rome")
"""Where the people are who read reports; the profiles say the same of their providers."""


STORE_PATIENCE: float = 0.7
"""Seconds that a client waits for a store on another machine: with what is asked before, it is told within a second
that it is away. The store on this machine's own disk is waited for: a disk that is slow is not away."""


def is_shared(config: ServiceConfig) -> bool:
    """Whether the store is one that nodes share, so that it can be away while this one runs."""
    return config.store != OWN


def hostname_of(config: ServiceConfig) -> str:
    """The relay's name; the machine's own, asked of the kernel alone, because a look-up may hang."""
    return config.hostname or socket.gethostname() or "localhost"


def store_settings(config: ServiceConfig) -> StoreSettings:
    """Of the queue."""
    return StoreSettings(
        lifetime=config.queue.lifetime,
        hold_lifetime=config.queue.hold_lifetime,
        delay_notice=config.queue.delay_notice,
        retry=config.queue.retry,
        in_doubt=config.queue.in_doubt,
        health=HealthSettings(
            probe=config.health.probe,
            second_refusal=config.health.second_refusal,
            refused_logins=config.health.refused_logins,
            slow=config.health.slow,
            block_times=block_times(),
        ),
    )


def submission_settings(config: ServiceConfig) -> SubmissionSettings:
    """Of the listeners."""
    submission = config.submission
    listeners = [
        ListenerSettings(
            name=str(listener.address),
            tls=listener.tls,
            has_plaintext_allowed=listener.plaintext == "allow",
            has_trusted_networks=listener.trust_networks,
            proxies=listener.proxy_protocol,
        )
        for listener in submission.listen
    ]
    return SubmissionSettings(
        hostname=hostname_of(config),
        listeners=tuple(listeners),
        language=Language(config.language),
        contact=config.contact,
        max_message_size=submission.max_message_size,
        max_held=max(HELD, 2 * submission.max_message_size),
        max_recipients=submission.max_recipients,
        max_connections=submission.max_connections,
        max_connections_per_ip=submission.max_connections_per_ip,
        timeout=submission.timeout,
        store_patience=STORE_PATIENCE if is_shared(config) else None,
    )


def certificate_files(config: ServiceConfig) -> CertificateFiles | None:
    """Of the listeners with TLS; None: there is none."""
    files = config.submission.tls
    listeners = tuple(str(each.address) for each in config.submission.listen if each.tls is not Tls.NONE)
    return CertificateFiles(files.certificate, files.key, listeners) if files is not None and listeners else None


def dispatcher_settings(config: ServiceConfig) -> DispatcherSettings:
    """Of delivery."""
    return DispatcherSettings(drain=config.drain)


def report_settings(config: ServiceConfig) -> ReportSettings:
    """Of bounces."""
    return ReportSettings(
        hostname_of(config),
        Language(config.language),
        ZONE,
        config.notices.sender,
        contact=config.contact,
        patience=config.queue.hold_lifetime,
    )


def session_terms(routing: Routing, name: str) -> SessionTerms:
    """Of a provider's sessions; one that is gone has the defaults until its sessions end."""
    provider = routing.providers.get(name)
    if provider is None:
        return SessionTerms()
    return SessionTerms(provider.session_messages, provider.session_idle, provider.login_limit)


def provider_of(routing: Routing, mailbox: MailboxId) -> Provider | None:
    """Where a mailbox is a login; None: no account sends through it any more."""
    return routing.providers.get(mailbox.provider) if mailbox in routing.by_mailbox else None


def oauth_identity(
    routing: Routing, mailbox: MailboxId, resolved: Callable[[SecretReference, SecretUse], str | None]
) -> OAuthIdentity | None:
    """As whom access tokens are asked for; None: its provider has no client, or the client's secret is not there."""
    provider = provider_of(routing, mailbox)
    client = None if provider is None else provider.oauth
    if provider is None or client is None or not client.token_url:
        return None
    secret = None if client.client_secret is None else resolved(client.client_secret, oauth_use(client))
    if client.client_secret is not None and secret is None:
        return None
    return OAuthIdentity(provider.name, client.token_url, client.scope, client.client_id, secret)


def has_client(routing: Routing, mailbox: MailboxId) -> bool:
    """Whether the routing names a client for it, so that all that may be absent is the client's secret."""
    provider = provider_of(routing, mailbox)
    return provider is not None and provider.oauth is not None and bool(provider.oauth.token_url)


def reply_rules() -> Mapping[str, tuple[Rule, ...]]:
    """What the replies of each profile's provider mean, before all that holds everywhere; by profile."""
    return {name: profile.rules for name, profile in load_profiles().items()}


def block_times() -> Mapping[str, int]:
    """How long each profile's provider keeps a mailbox blocked, microseconds, where that is known; by profile."""
    known = {name: profile.blocks.get(ReplyClass.ACCOUNT_BLOCKED) for name, profile in load_profiles().items()}
    return {name: time for name, time in known.items() if time is not None}


def shown(config: ServiceConfig) -> Mapping[str, object]:
    """What is said of the configuration at a start: what an admin would look for first, and no secret."""
    return {
        "hostname": hostname_of(config),
        "listen": [str(listener.address) for listener in config.submission.listen],
        "http": str(config.http.listen),
        "routing": str(config.routing),
        "data_dir": str(config.data_dir),
        "keys_dir": str(config.key_folder),
        "store": shown_store(config.store),
        "language": config.language,
        "lifetime_s": config.queue.lifetime // SECOND,
        "drain_s": config.drain // SECOND,
    }
