"""What submission tells of itself, for metrics and logs.

Law: nothing here names a recipient, a subject or a password; methods return at once and do not fail.
"""

from typing import Protocol

from relay.core.envelope import NewMessage
from relay.core.refusal import Reason
from relay.core.words import AccountId, MessageId, Stage


class Observer(Protocol):
    """Who listens; `peer` is a network address, `client` a name in the routing, None before a login."""

    def connected(self, listener: str, *, peer: str) -> None:
        """A connection was taken."""

    def disconnected(self, listener: str, *, peer: str) -> None:
        """A connection that was taken is gone."""

    def turned_away(self, listener: str, *, peer: str, reason: Reason) -> None:
        """A connection was refused at its start."""

    def handshake_failed(self, listener: str, *, peer: str, cause: str) -> None:
        """A connection came to no agreement on TLS, and is gone; `cause` names no address."""

    def logged_in(self, client: str, *, peer: str) -> None:
        """A client gave the right password."""

    def accepted(self, message: NewMessage, *, size: int, seconds: float, is_mended: bool) -> None:
        """A message is safe and its client was told so; `size` octets as submitted, `seconds` since its MAIL FROM.

        `is_mended`: lone LFs became CRLF.
        """

    def renamed(self, message: NewMessage, *, old: str) -> None:
        """A message still came from an `old` address of its account, and goes out as the account's own."""

    def accepted_before(self, message: MessageId, *, client: str, account: AccountId) -> None:
        """A client that cannot have read that its message was accepted sent it again, and was told so."""

    def refused(
        self,
        client: str | None,
        *,
        account: AccountId | None,
        peer: str,
        stage: Stage,
        reason: Reason,
        reply: str,
        sender: str | None = None,
        cause: str | None = None,
    ) -> None:
        """A command, a login or a message was refused; `reply` is what the client was told, `account` whose mail it
        was, where that is known, `sender` the address that it tried to send as and may not, `cause` what the store
        said.
        """

    def failed(self, error: BaseException) -> None:
        """The relay itself failed in a connection; the client was told to try again."""
