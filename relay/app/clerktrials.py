"""The clerk's trials: has a mailbox tried, and says in a sentence what is right or wrong with it and what to do.

Law: nobody is told that his password is wrong where many are refused at once; each trial is one line and one count.
"""

import asyncio
from dataclasses import replace

from relay.admin import Tried
from relay.app.clerkmeans import ClerkMeans
from relay.app.clerkspeech import REFUSED_ALREADY, Speech
from relay.core.meaning import ReplyClass
from relay.core.outages import AUTH_OUTAGE
from relay.core.tested import Finding, Tested
from relay.core.testedtext import told
from relay.core.words import AccountId, MailboxId, Stage
from relay.providers import Profile, load_profiles, next_steps

PATIENCE: float = 20.0
"""Seconds in which a new password shows whether it works: the doctor is on the telephone."""

AGAIN: float = 1.0
"""Seconds until it is tried again while the mail itself, or somebody else, is trying it."""

MENDABLE = frozenset(
    {"auth-rejected", "auth-method", "account-blocked", "sender-refused", "sender-mailbox-full", "policy-refused"}
)
"""Reasons for which a provider's profile knows what its owner does."""

SIGN_IN = ("no-token", "oauth-consent", "oauth-password-changed", "oauth-sign-in")
"""Reasons that end as a refused way of logging in does: the owner signs in with his provider."""

PASSING = frozenset({"session", "other-node", "testing"})
"""Why it may not be tried this very moment, and may in the next."""

WITHOUT = "no-credentials"
"""The reason of a mailbox that has nothing to log in with; why not is known more closely."""


class Trials:
    """Tries mailboxes for whoever waits at the telephone."""

    def __init__(self, means: ClerkMeans, speech: Speech, *, patience: float) -> None:
        self._means = means
        self._speech = speech
        self._patience = patience
        self._profiles = load_profiles()

    async def test(self, account: AccountId, *, by: str) -> Tried:
        """Tries its mailbox; what keeps its mail back all the same is said too."""
        tested = await self._means.trying.test(account, self._means.account(account).mailbox)
        if not tested.is_good:
            return await self.told(await self._as_seen_from_above(tested), by)
        still = await self._speech.still(account)
        tried = await self.told(tested, by, is_all_well=not still)
        return replace(tried, text=f"{tried.text}{still}")

    async def in_time(self, account: AccountId, *, is_new: bool = True) -> Tested | None:
        """None: nobody knows yet. A trial that takes longer goes on to its end all the same."""
        means, tested = self._means, None
        until = means.clock() + self._patience
        while (left := until - means.clock()) > 0:
            trial = asyncio.ensure_future(means.trying.test(account, means.account(account).mailbox))
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

    async def told(self, tested: Tested, by: str, *, is_all_well: bool = True) -> Tried:
        """In words; it is written down and counted."""
        means = self._means
        means.log.account_tested(account=tested.account, finding=tested.finding, reason=tested.reason, by=by)
        means.metrics.tested(tested.mailbox.provider, tested.finding)
        until = None if tested.until is None else self._speech.time(tested.until)
        why = await means.why_without(tested.mailbox) if tested.reason == WITHOUT else None
        said = told(
            tested, language=means.language, do=self._step(tested), until=until, is_all_well=is_all_well, why=why
        )
        return Tried(tested, said)

    def _step(self, tested: Tested) -> str | None:
        """What the owner does next, as the provider's profile knows it."""
        if tested.reason not in MENDABLE or tested.is_provider:
            return None
        return self._in_words(self._profile_of(tested.mailbox), tested.reason)

    def steps(self, mailbox: MailboxId) -> dict[str, str]:
        """By reason: what the owner does at this provider; empty: it has no profile."""
        profile = self._profile_of(mailbox)
        if profile is None:
            return {}
        steps = {reason: self._in_words(profile, reason) for reason in sorted(MENDABLE)}
        steps |= dict.fromkeys(SIGN_IN, steps["auth-method"] if ReplyClass.AUTH_METHOD in profile.steps else None)
        return {reason: step for reason, step in steps.items() if step is not None}

    def _profile_of(self, mailbox: MailboxId) -> Profile | None:
        provider = self._means.routing().providers.get(mailbox.provider)
        return None if provider is None or provider.profile is None else self._profiles.get(provider.profile)

    def _in_words(self, profile: Profile | None, reason: str) -> str | None:
        steps = next_steps(profile, reason)
        return None if steps is None else steps[self._means.language.value]
