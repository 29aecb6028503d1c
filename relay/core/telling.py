"""What is done about a notice: by which road it goes, and whether anybody at all hears of it.

Law: nobody is told through the mailbox that is ill or through a provider that is stopped; where somebody has to be told
and there is no road to him, that is said to whoever runs the relay.
"""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

from relay.core.circle import Addressee, Circle, Reader
from relay.core.routing import Account, Routing
from relay.core.words import MailboxId


class NoRoad(StrEnum):
    """Why no mail can be sent to whoever has to be told."""

    NO_SENDER = "no-sender"
    """`notices.from` is not set."""
    NO_ACCOUNT = "no-account"
    """It is no account of the routing."""
    ILL = "ill"
    """It sends through the very mailbox, or provider, that is the trouble."""
    STOPPED = "stopped"
    """Its own mailbox or provider is stopped too; later there may be a road."""
    NO_ADDRESS = "no-address"
    """Nobody knows the address of whoever has to be told."""
    REFUSED = "refused"
    """His provider refused the mail, or it did not leave in time."""
    BOUNCE_UNTOLD = "bounce-untold"
    """A sender was not told that his mail failed: two reports were refused, or there is no way for one."""


@dataclass(frozen=True, slots=True)
class Trouble:
    """What is ill: a mailbox, or with `mailbox` None a whole provider, or nothing that carries mail."""

    provider: str | None = None
    mailbox: MailboxId | None = None

    def has(self, mailbox: MailboxId) -> bool:
        """Whether mail through this mailbox would pass through what is ill."""
        return self.mailbox == mailbox if self.mailbox is not None else self.provider == mailbox.provider


def carrier(
    routing: Routing, notices_from: str | None, trouble: Trouble, is_stopped: Callable[[MailboxId], bool]
) -> Account | NoRoad:
    """The account through which a notice leaves; `is_stopped`: nothing goes through that mailbox, or its provider."""
    if not notices_from:
        return NoRoad.NO_SENDER
    account = routing.account_of(notices_from)
    if account is None:
        return NoRoad.NO_ACCOUNT
    if trouble.has(account.mailbox):
        return NoRoad.ILL
    return NoRoad.STOPPED if is_stopped(account.mailbox) else account


@dataclass(frozen=True, slots=True)
class Telling:
    """What is done about a notice: mails to people through an account, and the webhook of ops."""

    people: tuple[Addressee, ...] = ()
    through: Account | None = None
    to_webhook: bool = False
    unsendable: NoRoad | None = None
    """Somebody is not told by mail: shown in readiness, and said to ops."""

    @property
    def is_told(self) -> bool:
        """Whether anybody at all hears of it."""
        return bool(self.people) or self.to_webhook


def telling(people: Circle, road: Account | NoRoad, *, has_webhook: bool) -> Telling:
    """Who is told, by which road. Ops need no mail where they have a webhook."""
    wanted = tuple(each for each in people.people if not (each.reader is Reader.OPS and has_webhook))
    if wanted and isinstance(road, NoRoad):
        return Telling(to_webhook=has_webhook, unsendable=road)
    lacks = bool(people.unheard) or not (wanted or has_webhook)
    through = None if isinstance(road, NoRoad) or not wanted else road
    return Telling(wanted, through, has_webhook, NoRoad.NO_ADDRESS if lacks else None)
