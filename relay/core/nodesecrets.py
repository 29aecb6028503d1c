"""Whose secret counts where several nodes have one routing, and each looks up `env:` and `file:` for itself.

Law: a secret that changed on a node is the newest and counts; one that is only another one there, or is not there,
takes nothing from the others: that node leaves its mailbox to them. A node that logs in as nobody has no say in what
is in force already. One that was merely another one stays so when nobody has the right one any more.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType

from relay.core.routing import Provider, Routing, SecretKind, SecretReference
from relay.core.words import MailboxId

Prints = Mapping[MailboxId, str | None]
"""Fingerprints of credentials; None: there are none."""

MARK: int = 16
"""Letters of a fingerprint that tell it from the one before: 64 bits."""

LEFT: str = "!"
"""Before the mark of one that was another one than what was in force when this node looked last."""

OF_ONE_NODE = frozenset({SecretKind.ENV, SecretKind.FILE})
"""Secrets that each node looks up for itself; a stored one, or one in the routing, is the same everywhere."""


class Lack(StrEnum):
    """Why a node cannot log in as a mailbox."""

    MISSING = "missing"
    OTHER = "other"
    """What it has is not what is in force."""


@dataclass(frozen=True, slots=True)
class Weighed:
    """What is to be in force, and whom this node leaves to others."""

    prints: Prints
    unable: Mapping[MailboxId, Lack] = field(default_factory=dict)


def weigh(
    routing: Routing,
    own: Prints,
    *,
    old: Routing,
    in_force: Prints,
    before: Mapping[MailboxId, str],
    lacking: Collection[str] = (),
    nobodys: Prints = MappingProxyType({}),
    delivers: bool = True,
) -> Weighed:
    """What a node makes of its `own` secrets, beside those `in_force` for the `old` routing.

    `before`: marks of what it had when it looked last, as far as it knows; `lacking`: providers whose client has no
    secret here; `nobodys`: what was in force and no node has; while it is, nothing is to be; `delivers`: whether this
    node logs in as anybody.
    """
    prints, unable = dict(own), dict[MailboxId, Lack]()
    for mailbox, value in own.items():
        known = in_force.get(mailbox, value)
        if value == known or not is_of_one_node(routing, mailbox):
            continue
        is_rerouted = _is_rerouted(old, routing, mailbox)
        if not delivers:
            prints[mailbox] = value if is_rerouted and value is not None else known
            continue
        if is_rerouted:
            continue
        is_there = value is not None and mailbox.provider not in lacking
        mark = before.get(mailbox)
        if is_there and (_has_changed(value, mark) or (known is None and not _was_left(mark))):
            continue
        is_nobodys = known is not None and nobodys.get(mailbox) == known
        prints[mailbox] = None if is_nobodys else known
        if is_there or not is_nobodys:
            unable[mailbox] = Lack.OTHER if is_there else Lack.MISSING
    return Weighed(prints, unable)


def nobodys(own: Collection[MailboxId], others: Iterable[Collection[MailboxId]]) -> frozenset[MailboxId]:
    """Of those that a node lacks, what every other one lacks as well."""
    return frozenset(own).intersection(*others)


def marks(
    routing: Routing,
    own: Prints,
    before: Mapping[MailboxId, str],
    *,
    lacking: Collection[str] = (),
    unable: Mapping[MailboxId, Lack] = MappingProxyType({}),
) -> dict[MailboxId, str]:
    """What a node remembers of its own secrets, and which it left unused; of one that is not there now, what it was."""
    found = dict[MailboxId, str]()
    for mailbox, value in own.items():
        is_there = value is not None and mailbox.provider not in lacking
        mark = before.get(mailbox)
        if value is not None and is_there:
            mark = (LEFT if unable.get(mailbox) is Lack.OTHER else "") + value[:MARK]
        if mark is not None and is_of_one_node(routing, mailbox):
            found[mailbox] = mark
    return found


def is_of_one_node(routing: Routing, mailbox: MailboxId) -> bool:
    """Whether what it logs in with may differ from node to node."""
    client = routing.provider_of(mailbox).oauth
    named = (routing.password_of(mailbox), None if client is None else client.client_secret)
    return any(reference is not None and reference.kind in OF_ONE_NODE for reference in named)


def _has_changed(value: str | None, mark: str | None) -> bool:
    return value is not None and mark is not None and value[:MARK] != mark.removeprefix(LEFT)


def _was_left(mark: str | None) -> bool:
    return mark is not None and mark.startswith(LEFT)


def _is_rerouted(old: Routing, new: Routing, mailbox: MailboxId) -> bool:
    """Whether an edit has it log in elsewhere, or with what another reference names."""
    return _way(old, mailbox) != _way(new, mailbox)


def _way(routing: Routing, mailbox: MailboxId) -> tuple[SecretReference | None, object]:
    provider: Provider | None = routing.providers.get(mailbox.provider)
    if provider is None:
        return None, None
    way = (provider.endpoint, provider.tls, provider.tls_ca, provider.auth, provider.oauth)
    return (routing.password_of(mailbox) if mailbox in routing.by_mailbox else None), way
