"""The clerk: does what admins say about accounts, and says in a sentence what came of it.

Law: what he changes is durable, written down with who said it, and in force when he answers; no secret is ever said.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, tzinfo
from typing import Protocol

from relay.admin import Done, Impossible, Kept, Tried
from relay.core.clerktext import Saying, say
from relay.core.failuretext import Language
from relay.core.limits import SECOND
from relay.core.outages import AUTH_OUTAGE
from relay.core.routing import Account, Routing
from relay.core.secretuse import Credential
from relay.core.slips import meant
from relay.core.tested import Finding, Tested
from relay.core.testedtext import told
from relay.core.words import AccountId, MailboxId, Stage
from relay.errors import PermanentError, UnknownAccount
from relay.observe import Log
from relay.providers import load_profiles, next_steps
from relay.store.ports.control import Control
from relay.store.ports.reading import AccountView, Reading

PATIENCE: float = 20.0
"""Seconds in which a new password shows whether it works: the doctor is on the telephone."""

AGAIN: float = 1.0
"""Seconds until it is tried again while the mail itself, or somebody else, is trying it."""

MENDABLE = frozenset(
    {"auth-rejected", "auth-method", "account-blocked", "sender-refused", "sender-mailbox-full", "policy-refused"}
)
"""Reasons for which a provider's profile knows what its owner does."""

REFUSED_ALREADY = "refused-logins"

PASSING = frozenset({"session", "testing"})
"""Why it may not be tried this very moment, and may in the next."""


class Trying(Protocol):
    """Who tries mailboxes."""

    async def test(self, account: AccountId, mailbox: MailboxId) -> Tested: ...


class WasSet(Protocol):
    """What became of a password."""

    @property
    def is_new(self) -> bool: ...


class Keeping(Protocol):
    """Who keeps passwords; a PermanentError of his says in a sentence why he does not."""

    async def set(self, account: AccountId, value: str, *, kind: Credential) -> WasSet: ...


@dataclass(frozen=True, slots=True)
class ClerkMeans:
    """What he works with."""

    routing: Callable[[], Routing]
    control: Control
    reading: Reading
    trying: Trying
    keeping: Keeping | None
    """None: passwords are kept elsewhere."""
    log: Log
    language: Language
    zone: tzinfo
    wall: Callable[[], int]
    """Microseconds since 1970."""
    clock: Callable[[], float]
    """Seconds, never set back."""


class AccountClerk:
    """The clerk of this node."""

    def __init__(self, means: ClerkMeans, *, patience: float = PATIENCE) -> None:
        self._means = means
        self._patience = patience
        self._profiles = load_profiles()

    def find(self, address: str) -> AccountId | None:
        """The account that sends as this address."""
        account = self._means.routing().account_of(address)
        return None if account is None else account.sender

    def like(self, address: str) -> str | None:
        """An address that was perhaps meant."""
        return meant(address, self._means.routing().by_address.__contains__)

    async def pause(self, account: AccountId, *, why: str, by: str) -> Done:
        """Keeps its mail back."""
        is_new = await self._means.control.pause(account, why=why, by=by)
        return Done(account, is_new, self._say(account, Saying.PAUSED if is_new else Saying.PAUSED_BEFORE))

    async def resume(self, account: AccountId, *, by: str) -> Done:
        """Lets it go again; a mailbox that is stopped stays so, and that is said."""
        is_new = await self._means.control.resume(account, by=by)
        said = self._say(account, Saying.RESUMED if is_new else Saying.NOT_PAUSED)
        return Done(account, is_new, f"{said}{await self._still_said(account)}")

    async def fixed(self, account: AccountId, *, by: str) -> Done:
        """Has its mailbox tried at once."""
        is_new = await self._means.control.fixed(account, by=by)
        said = self._say(account, Saying.FIXED if is_new else Saying.NOT_STOPPED)
        view = await self._means.reading.account(account)
        if view is not None and view.particulars.paused is not None:
            said = f"{said} {self._say(account, Saying.STILL_PAUSED)}"
        return Done(account, is_new, said)

    async def test(self, account: AccountId, *, by: str) -> Tried:
        """Tries its mailbox."""
        tested = await self._means.trying.test(account, self._account(account).mailbox)
        tried = self._tried(await self._as_seen_from_above(tested), by)
        return replace(tried, text=f"{tried.text}{await self._still_said(account)}") if tested.is_good else tried

    async def _still_said(self, account: AccountId) -> str:
        """What keeps its mail back although the mailbox works; empty: nothing."""
        view = await self._means.reading.account(account)
        if view is None:
            return ""
        if view.particulars.paused is not None:
            return f" {self._say(account, Saying.STILL_PAUSED)}"
        still = _still(view)
        return "" if still is None else f" {self._say(account, still, view.reason)}"

    async def set_secret(self, account: AccountId, value: str, *, kind: Credential, by: str) -> Kept:
        """Keeps what its mailbox logs in with, and tries it, within its patience."""
        means = self._means
        if means.keeping is None:
            raise Impossible
        try:
            kept = await means.keeping.set(account, value, kind=kind)
        except UnknownAccount:
            raise
        except PermanentError as error:
            raise Impossible(str(error)) from None
        await means.control.note(account, "password-set", by=by)
        said = self._say(account, Saying.KEPT if kept.is_new else Saying.KEPT_BEFORE)
        tested = await self._test_in_time(account)
        if tested is None:
            return Kept(Done(account, kept.is_new, f"{said} {self._say(account, Saying.NOT_KNOWN_YET)}"), None)
        tried = self._tried(tested, by)
        return Kept(Done(account, kept.is_new, f"{said} {tried.text}"), tried)

    async def _test_in_time(self, account: AccountId) -> Tested | None:
        """None: nobody knows yet. A trial that takes longer goes on to its end all the same."""
        means, tested = self._means, None
        until = means.clock() + self._patience
        while (left := until - means.clock()) > 0:
            trial = asyncio.ensure_future(means.trying.test(account, self._account(account).mailbox))
            await asyncio.wait({trial}, timeout=left)
            if not trial.done():
                trial.cancel()
                return None
            tested = trial.result()
            if tested.finding is not Finding.NOT_NOW or tested.reason not in PASSING:
                return await self._as_seen_from_above(await self._as_mail_found(tested))
            await asyncio.sleep(min(AGAIN, max(0.0, until - means.clock())))
        return tested

    async def _as_seen_from_above(self, tested: Tested) -> Tested:
        """Where many mailboxes are refused at once, it is their provider: nobody is told that his password is wrong."""
        if tested.finding is not Finding.LOGIN_FAILED or tested.is_provider:
            return tested
        view = await self._means.reading.account(tested.account)
        if view is None or view.reason != AUTH_OUTAGE:
            return tested
        return replace(tested, reason=AUTH_OUTAGE, is_provider=True)

    async def _as_mail_found(self, tested: Tested) -> Tested:
        """Where mail that waited was quicker to try the new password, what came of that is the answer."""
        if tested.reason != REFUSED_ALREADY:
            return tested
        view = await self._means.reading.account(tested.account)
        if view is None or view.reason is None:
            return tested
        return replace(tested, finding=Finding.LOGIN_FAILED, reason=view.reason, stage=Stage.AUTH, until=None)

    def _tried(self, tested: Tested, by: str) -> Tried:
        means = self._means
        means.log.account_tested(account=tested.account, finding=tested.finding, reason=tested.reason, by=by)
        until = None if tested.until is None else self._time(tested.until)
        return Tried(tested, told(tested, language=means.language, do=self._step(tested), until=until))

    def _step(self, tested: Tested) -> str | None:
        """What the owner does next, as the provider's profile knows it."""
        if tested.reason not in MENDABLE or tested.is_provider:
            return None
        provider = self._means.routing().providers.get(tested.mailbox.provider)
        profile = None if provider is None or provider.profile is None else self._profiles.get(provider.profile)
        steps = next_steps(profile, tested.reason)
        return None if steps is None else steps[self._means.language.value]

    def _time(self, at: int) -> str:
        """Time of the clerk's zone, which is named, with the day where it is another one."""
        means = self._means
        local, now = (datetime.fromtimestamp(each / SECOND, means.zone) for each in (at, means.wall()))
        return f"{local:%H:%M %Z}" if local.date() == now.date() else f"{local:%d/%m %H:%M %Z}"

    def _say(self, account: AccountId, saying: Saying, reason: str | None = None) -> str:
        mailbox = self._account(account).mailbox
        return say(
            saying, language=self._means.language, sender=account, login=mailbox.username,
            provider=mailbox.provider, reason=reason,
        )  # fmt: skip

    def _account(self, sender: AccountId) -> Account:
        account = self._means.routing().accounts.get(sender)
        if account is None:
            raise UnknownAccount
        return account


def _still(view: AccountView) -> Saying | None:
    """What keeps its mail back all the same."""
    if view.health in ("paused", "waiting", "doubted"):
        return Saying.STILL_STOPPED
    is_provider = view.since is not None and view.health == "ok" and view.reason is not None
    return Saying.PROVIDER_STOPPED if is_provider else None
