"""Tokens that remember: a source of access tokens, and a keeper of refresh tokens that can fail and be set by hand."""

from relay.core.words import MailboxId
from relay.delivery.tokens import NoToken
from relay.errors import StoreUnavailable


class FakeTokens:
    """Gives each mailbox the same token, or says why there is none; remembers which were refused."""

    def __init__(self, token: str | None = None, trouble: NoToken | None = None) -> None:
        """`token` None: one that names the mailbox."""
        self._token = token
        self._trouble = trouble
        self.asked: list[MailboxId] = []
        self.turned_down: list[tuple[MailboxId, str]] = []

    async def __call__(self, mailbox: MailboxId) -> str:
        self.asked.append(mailbox)
        if self._trouble is not None:
            raise self._trouble
        return f"token of {mailbox.username}" if self._token is None else self._token

    def refused(self, mailbox: MailboxId, token: str) -> None:
        self.turned_down.append((mailbox, token))


class FakeRefreshTokens:
    """Keeps refresh tokens in memory; `log` has every durable change, in order."""

    def __init__(self, *mailboxes: MailboxId) -> None:
        self.kept = {mailbox: f"refresh-0-{mailbox.username}" for mailbox in mailboxes}
        self.log: list[tuple[MailboxId, str]] = []
        self.is_away = False
        self.before_replace = lambda: None
        """Called before a change is looked at: what somebody else does at that moment."""

    def set(self, mailbox: MailboxId, token: str | None) -> None:
        """What a person does who connects a mailbox, or (None) takes the connection away."""
        if token is None:
            self.kept.pop(mailbox, None)
        else:
            self.kept[mailbox] = token

    async def get(self, mailbox: MailboxId) -> str | None:
        self._refuse_if_away()
        return self.kept.get(mailbox)

    async def replace(self, mailbox: MailboxId, *, old: str, new: str) -> bool:
        self.before_replace()
        self._refuse_if_away()
        if self.kept.get(mailbox) != old:
            return False
        self.kept[mailbox] = new
        self.log.append((mailbox, new))
        return True

    def _refuse_if_away(self) -> None:
        if self.is_away:
            raise StoreUnavailable
