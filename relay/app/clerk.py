"""The clerk: does what admins say about accounts, and says in a sentence what came of it.

Law: what he changes is durable, written down with who said it, and in force when he answers; no secret is ever said.
"""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta, tzinfo
from typing import Protocol

from relay.admin import Access, Done, Impossible, Kept, Tried
from relay.core.clerktext import Saying, say
from relay.core.failuretext import Language
from relay.core.limits import SECOND
from relay.core.outages import AUTH_OUTAGE
from relay.core.routing import Account, Auth, Routing, SecretKind
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

RETIRED = "retired"
"""The health of an account whose last day is over."""

DAYS = {Language.ENGLISH: "%Y-%m-%d", Language.ITALIAN: "%d/%m/%Y"}
"""How people write a day."""

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
    why_without: Callable[[MailboxId], Awaitable[str | None]]
    """Why a mailbox has nothing to log in with; None: it has."""
    contact: str
    log: Log
    language: Language
    zone: tzinfo
    wall: Callable[[], int]
    """Microseconds since 1970."""
    clock: Callable[[], float]
    """Seconds, never set back."""
    mended: Callable[[MailboxId], Awaitable[float]]
    """Lets go what an authorization server's failures keep from being asked; seconds until it may be all the same."""


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

    async def access(self, account: AccountId) -> Access:
        """How its mailbox comes by what it logs in with."""
        routing, contact = self._means.routing(), self._means.contact
        known = routing.accounts.get(account)
        if known is None:
            return Access(contact=contact)
        provider, reference = routing.providers.get(known.mailbox.provider), routing.password_of(known.mailbox)
        needs_one = provider is not None and provider.auth is not Auth.NONE
        is_kept_here = needs_one and reference is not None and reference.kind is SecretKind.STORED
        return Access(is_kept_here, await self._means.why_without(known.mailbox), contact)

    async def pause(self, account: AccountId, *, why: str, by: str) -> Done:
        """Keeps its mail back."""
        is_new = await self._means.control.pause(account, why=why, by=by)
        return Done(account, is_new, self._say(account, self._paused(account) if is_new else Saying.PAUSED_BEFORE))

    def _paused(self, account: AccountId) -> Saying:
        is_alone = len(self._means.routing().by_mailbox[self._account(account).mailbox]) == 1
        return Saying.PAUSED_ALONE if is_alone else Saying.PAUSED

    async def resume(self, account: AccountId, *, by: str) -> Done:
        """Lets it go again; a mailbox that is stopped stays so, and that is said."""
        is_new = await self._means.control.resume(account, by=by)
        said = self._say(account, Saying.RESUMED if is_new else Saying.NOT_PAUSED)
        return Done(account, is_new, f"{said}{await self._still_said(account)}")

    async def fixed(self, account: AccountId, *, by: str) -> Done:
        """Has its mailbox tried at once."""
        pause = await self._means.mended(self._account(account).mailbox)
        is_new = await self._means.control.fixed(account, by=by)
        view = await self._means.reading.account(account)
        said = self._next_try(account, view, pause) if is_new else self._say(account, Saying.NOT_STOPPED)
        host = await self._stopped_host(account)
        if host is not None:
            said = f"{said} {self._say(account, Saying.PROVIDER_STOPPED, host)}"
        if view is not None and view.particulars.paused is not None:
            said = f"{said} {self._say(account, Saying.STILL_PAUSED)}"
        return Done(account, is_new, said)

    async def _stopped_host(self, account: AccountId) -> str | None:
        """Why nothing goes to its provider, however well its mailbox is; None: it does."""
        name = self._account(account).mailbox.provider
        hosts = [each for each in await self._means.reading.providers() if each.provider == name]
        return next((each.reason or each.health for each in hosts if each.health in ("paused", "waiting")), None)

    def _next_try(self, account: AccountId, view: AccountView | None, pause: float = 0.0) -> str:
        """When a mailbox that is said to be mended is tried, and why not sooner: at once, inside every limit. `pause`:
        seconds for which its authorization server wants to be left alone.
        """
        if pause > 0:
            return self._say(account, Saying.FIXED_UNASKED, self._time(self._means.wall() + int(pause * SECOND)))
        wait = None if view is None else view.particulars.login_wait
        if wait is not None:
            saying = Saying.FIXED_LATER if wait.budget == REFUSED_ALREADY else Saying.FIXED_SPENT
            return self._say(account, saying, self._time(wait.until))
        if view is None or view.queued:
            tried_at = None if view is None else view.particulars.tried_at
            is_soon = tried_at is not None and tried_at > self._means.wall()
            soon = self._time(tried_at) if tried_at is not None and is_soon else None
            return self._say(account, Saying.FIXED if soon is None else Saying.FIXED_SOON, soon)
        return self._say(account, Saying.FIXED_IDLE)

    async def test(self, account: AccountId, *, by: str) -> Tried:
        """Tries its mailbox."""
        tested = await self._means.trying.test(account, self._account(account).mailbox)
        if not tested.is_good:
            return self._tried(await self._as_seen_from_above(tested), by)
        still = await self._still_said(account)
        tried = self._tried(tested, by, is_all_well=not still)
        return replace(tried, text=f"{tried.text}{still}")

    async def _still_said(self, account: AccountId) -> str:
        """What keeps its mail back although the mailbox works; empty: nothing."""
        view = await self._means.reading.account(account)
        if view is None:
            return ""
        if view.particulars.paused is not None:
            return f" {self._say(account, Saying.STILL_PAUSED)}"
        if view.health == RETIRED and view.particulars.retires is not None:
            return f" {self._retired(account, view.particulars.retires)}"
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
        if not kept.is_new:
            return await self._wished(account, by)
        said = self._say(account, Saying.KEPT)
        tested = await self._test_in_time(account)
        if tested is None:
            return Kept(Done(account, True, f"{said} {self._say(account, Saying.NOT_KNOWN_YET)}"), None)
        tried = self._tried(tested, by)
        return Kept(Done(account, True, f"{said} {tried.text}"), tried)

    async def _wished(self, account: AccountId, by: str) -> Kept:
        """Who sets what is set already says that it is right by now: as with `fixed`, it is tried as soon as it may."""
        await self._means.control.fixed(account, by=by)
        said = self._say(account, Saying.KEPT_BEFORE)
        view = await self._means.reading.account(account)
        if view is not None and view.particulars.login_wait is not None:
            return Kept(Done(account, False, f"{said} {self._next_try(account, view)}"), None)
        tested = await self._test_in_time(account, is_new=False)
        if tested is not None and tested.reason == REFUSED_ALREADY and view is not None and view.queued:
            return Kept(Done(account, False, f"{said} {self._next_try(account, view)}"), None)
        if tested is None:
            return Kept(Done(account, False, f"{said} {self._say(account, Saying.NOT_KNOWN_YET)}"), None)
        tried = self._tried(tested, by)
        return Kept(Done(account, False, f"{said} {tried.text}"), tried)

    async def _test_in_time(self, account: AccountId, *, is_new: bool = True) -> Tested | None:
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
                found = await self._as_mail_found(tested) if is_new else tested
                return await self._as_seen_from_above(found)
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

    def _retired(self, account: AccountId, last: date) -> str:
        said = self._say(account, Saying.STILL_RETIRED, f"{last + timedelta(days=1):{DAYS[self._means.language]}}")
        return f"{said} {self._means.contact}".rstrip()

    def _tried(self, tested: Tested, by: str, *, is_all_well: bool = True) -> Tried:
        means = self._means
        means.log.account_tested(account=tested.account, finding=tested.finding, reason=tested.reason, by=by)
        until = None if tested.until is None else self._time(tested.until)
        return Tried(
            tested, told(tested, language=means.language, do=self._step(tested), until=until, is_all_well=is_all_well)
        )

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
