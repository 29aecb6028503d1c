"""A clerk who remembers what he was told, for some accounts that a test names."""

from relay.admin import Access, Done, Impossible, Kept, Tried
from relay.core import tested as findings
from relay.core.secretuse import Credential
from relay.core.tested import Finding
from relay.core.words import AccountId, MailboxId, Stage
from relay.store.ports.riddles import SaidVerbatim

BOX = MailboxId("lab", "anna@d.test")
WORKS = findings.Tested("anna@d.test", BOX, Finding.WORKS, stage=Stage.RCPT)


class FakeClerk:
    """Everything is done at once."""

    def __init__(self) -> None:
        self.known = {"anna@d.test": "anna@d.test", "old@d.test": "anna@d.test", "bruno@d.test": "bruno@d.test"}
        self.told: list[tuple[str, ...]] = []
        self.tested = WORKS
        self.refusal: str | None = None
        self.trouble: Exception | None = None
        self.is_slow = False
        self.is_changed = True
        self.has = Access()

    def find(self, address: str) -> AccountId | None:
        return self.known.get(address.lower())

    def like(self, address: str) -> str | None:
        return "anna@d.test" if address.lower() == "ana@d.test" else None

    async def access(self, account: AccountId) -> Access:
        return self.has

    def _done(self, *told: str) -> Done:
        if self.trouble is not None:
            raise self.trouble
        self.told.append(told)
        return Done(told[1], self.is_changed, f"{told[0]} is done.")

    async def pause(self, account: AccountId, *, why: str, by: str) -> Done:
        return self._done("pause", account, why, by)

    async def resume(self, account: AccountId, *, by: str) -> Done:
        return self._done("resume", account, by)

    async def fixed(self, account: AccountId, *, by: str) -> Done:
        return self._done("fixed", account, by)

    async def test(self, account: AccountId, *, by: str) -> Tried:
        self._done("test", account, by)
        return Tried(self.tested, "All is well.")

    async def set_secret(self, account: AccountId, value: str, *, kind: Credential, by: str) -> Kept:
        if self.refusal is not None:
            raise Impossible(self.refusal)
        done = self._done("password", account, value, kind.value, by)
        return Kept(done, None if self.is_slow else Tried(self.tested, "All is well."))


class FakeHealths:
    """A history of a mailbox."""

    def __init__(self) -> None:
        self.changes: list[object] = []

    async def of_mailbox(self, mailbox: MailboxId, *, most: int = 100):
        return self.changes[:most]


class FakeRiddles:
    """Replies that no rule understands."""

    def __init__(self) -> None:
        self.riddles: list[object] = []
        self.verbatim: dict[str, list[SaidVerbatim]] = {}
        self.trouble: Exception | None = None

    async def said(self, message: str) -> list[SaidVerbatim]:
        return self.verbatim.get(message, [])

    async def all(self, *, provider: str | None = None, most: int = 1_000):
        if self.trouble is not None:
            raise self.trouble
        return [each for each in self.riddles if provider in (None, each.provider)][:most]  # type: ignore[attr-defined]
