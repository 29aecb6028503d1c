"""The clerk: does what admins say about accounts, and says in a sentence what came of it.

Law: what he changes is durable, written down with who said it, and in force when he answers; no secret is ever said.
"""

from relay.admin import Access, Done, Impossible, Kept, Tried
from relay.app.clerkmeans import ClerkMeans
from relay.app.clerkspeech import REFUSED_ALREADY, Speech
from relay.app.clerktrials import PATIENCE, Trials
from relay.core.clerktext import Saying
from relay.core.routing import Auth, SecretKind
from relay.core.secretuse import Credential
from relay.core.slips import meant
from relay.core.words import AccountId
from relay.errors import PermanentError, UnknownAccount
from relay.store.ports.reading import ProviderView


class AccountClerk:
    """The clerk of this node."""

    def __init__(self, means: ClerkMeans, *, patience: float = PATIENCE) -> None:
        self._means = means
        self._speech = Speech(means)
        self._trials = Trials(means, self._speech, patience=patience)

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
        without = await self._means.why_without(known.mailbox)
        return Access(is_kept_here, without, contact, self._trials.steps(known.mailbox))

    async def pause(self, account: AccountId, *, why: str, by: str) -> Done:
        """Keeps its mail back."""
        is_new = await self._means.control.pause(account, why=why, by=by)
        saying = self._paused(account) if is_new else Saying.PAUSED_BEFORE if why else Saying.PAUSED_AS_BEFORE
        return Done(account, is_new, self._speech.say(account, saying))

    def _paused(self, account: AccountId) -> Saying:
        is_alone = len(self._means.routing().by_mailbox[self._means.account(account).mailbox]) == 1
        return Saying.PAUSED_ALONE if is_alone else Saying.PAUSED

    async def resume(self, account: AccountId, *, by: str) -> Done:
        """Lets it go again; a mailbox that is stopped stays so, and that is said."""
        is_new = await self._means.control.resume(account, by=by)
        said = self._speech.say(account, Saying.RESUMED if is_new else Saying.NOT_PAUSED)
        return Done(account, is_new, f"{said}{await self._speech.still(account)}")

    async def fixed(self, account: AccountId, *, by: str) -> Done:
        """Has its mailbox tried at once."""
        pause = await self._means.mended(self._means.account(account).mailbox)
        is_new = await self._means.control.fixed(account, by=by)
        view = await self._means.reading.account(account)
        said = self._speech.next_try(account, view, pause) if is_new else self._speech.say(account, Saying.NOT_STOPPED)
        host = await self._stopped_host(account)
        if host is not None:
            said = f"{said} {self._speech.of_host(account, host)}"
        if view is not None and view.particulars.paused is not None:
            said = f"{said} {self._speech.say(account, Saying.STILL_PAUSED)}"
        return Done(account, is_new, said)

    async def _stopped_host(self, account: AccountId) -> ProviderView | None:
        """Its provider, where nothing goes there however well its mailbox is; None: it does."""
        name = self._means.account(account).mailbox.provider
        hosts = [each for each in await self._means.reading.providers() if each.provider == name]
        return next((each for each in hosts if each.health in ("paused", "waiting")), None)

    async def test(self, account: AccountId, *, by: str) -> Tried:
        """Tries its mailbox."""
        return await self._trials.test(account, by=by)

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
        said = self._speech.say(account, Saying.KEPT)
        tested = await self._trials.in_time(account)
        if tested is None:
            return Kept(Done(account, True, f"{said} {self._speech.say(account, Saying.NOT_KNOWN_YET)}"), None)
        tried = await self._trials.told(tested, by)
        return Kept(Done(account, True, f"{said} {tried.text}"), tried)

    async def _wished(self, account: AccountId, by: str) -> Kept:
        """Who sets what is set already says that it is right by now: as with `fixed`, it is tried as soon as it may."""
        await self._means.control.fixed(account, by=by)
        said = self._speech.say(account, Saying.KEPT_BEFORE)
        view = await self._means.reading.account(account)
        if view is not None and view.particulars.login_wait is not None:
            return Kept(Done(account, False, f"{said} {self._speech.next_try(account, view)}"), None)
        tested = await self._trials.in_time(account, is_new=False)
        if tested is not None and tested.reason == REFUSED_ALREADY and view is not None and view.queued:
            return Kept(Done(account, False, f"{said} {self._speech.next_try(account, view)}"), None)
        if tested is None:
            return Kept(Done(account, False, f"{said} {self._speech.say(account, Saying.NOT_KNOWN_YET)}"), None)
        tried = await self._trials.told(tested, by)
        return Kept(Done(account, False, f"{said} {tried.text}"), tried)
