"""`relay`, with the refresh tokens of its mailboxes in the file that REFRESH_TOKENS names: user name to token, as JSON.

Law: all else is the relay as it is; what it renews is in the file before `replace` returns.
"""

import json
import os
from pathlib import Path
from typing import Any

from relay.app import tokens
from relay.cli import main as relay
from relay.core.words import MailboxId
from relay.delivery.oauth import OAuthTokens

PROGRAM = "from tests.integration.connected import main; main()"


class FileRefreshTokens:
    """Refresh tokens in a file that a test edits."""

    def __init__(self, file: Path) -> None:
        self._file = file

    def read(self) -> dict[str, str]:
        found: dict[str, str] = json.loads(self._file.read_text())
        return found

    async def get(self, mailbox: MailboxId) -> str | None:
        return self.read().get(mailbox.username)

    async def replace(self, mailbox: MailboxId, *, old: str, new: str) -> bool:
        found = self.read()
        if found.get(mailbox.username) != old:
            return False
        self.write({**found, mailbox.username: new})
        return True

    def write(self, found: dict[str, str]) -> None:
        beside = self._file.with_suffix(".new")
        beside.write_text(json.dumps(found))
        beside.replace(self._file)


def main() -> None:
    """Runs it."""
    kept, source = FileRefreshTokens(Path(os.environ["REFRESH_TOKENS"])), tokens.token_source

    def connected(*arguments: Any, **named: Any) -> OAuthTokens:
        return source(*arguments, **{**named, "refresh_tokens": kept})

    vars(tokens)["token_source"] = connected
    relay()
