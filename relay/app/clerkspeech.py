"""How the clerk says things: what an admin is told, in his language, with times as people here write them.

Law: what keeps mail back although it seems mended is said with it; nobody is told of a try that does not come.
"""

from datetime import date, datetime, timedelta

from relay.app.clerkmeans import ClerkMeans
from relay.core.clerktext import Saying, say
from relay.core.failuretext import Language
from relay.core.limits import MINUTE, SECOND
from relay.core.words import AccountId
from relay.store.ports.reading import AccountView, ProviderView

REFUSED_ALREADY = "refused-logins"

RETIRED = "retired"
"""The health of an account whose last day is over."""

DAYS = {Language.ENGLISH: "%Y-%m-%d", Language.ITALIAN: "%d/%m/%Y"}
"""How people write a day."""


class Speech:
    """Finds the words."""

    def __init__(self, means: ClerkMeans) -> None:
        self._means = means

    def say(self, account: AccountId, saying: Saying, reason: str | None = None, at: str = "") -> str:
        """A sentence about an account of the routing. UnknownAccount."""
        mailbox = self._means.account(account).mailbox
        return say(
            saying, language=self._means.language, sender=account, login=mailbox.username,
            provider=mailbox.provider, reason=reason, at=at,
        )  # fmt: skip

    def time(self, at: int) -> str:
        """Time of the clerk's zone, which is named, with the day where it is another one; never before `at` itself."""
        means, minute = self._means, -(-at // MINUTE) * MINUTE
        local, now = (datetime.fromtimestamp(each / SECOND, means.zone) for each in (minute, means.wall()))
        return f"{local:%H:%M %Z}" if local.date() == now.date() else f"{local:%d/%m %H:%M %Z}"

    def next_try(self, account: AccountId, view: AccountView | None, pause: float = 0.0) -> str:
        """When a mailbox that is said to be mended is tried, and why not sooner: at once, inside every limit. `pause`:
        seconds for which its authorization server wants to be left alone.
        """
        if pause > 0:
            return self.say(account, Saying.FIXED_UNASKED, self.time(self._means.wall() + int(pause * SECOND)))
        wait = None if view is None else view.particulars.login_wait
        if wait is not None:
            saying = Saying.FIXED_LATER if wait.budget == REFUSED_ALREADY else Saying.FIXED_SPENT
            return self.say(account, saying, self.time(wait.until))
        if view is None or view.queued:
            tried_at = None if view is None else view.particulars.tried_at
            is_soon = tried_at is not None and tried_at > self._means.wall()
            soon = self.time(tried_at) if tried_at is not None and is_soon else None
            return self.say(account, Saying.FIXED if soon is None else Saying.FIXED_SOON, soon)
        return self.say(account, Saying.FIXED_IDLE)

    def of_host(self, account: AccountId, host: ProviderView) -> str:
        """That its provider is stopped, and when that is tried."""
        reason = host.reason or host.health
        if host.eta is None:
            return self.say(account, Saying.PROVIDER_STOPPED, reason)
        if host.eta <= self._means.wall():
            return self.say(account, Saying.PROVIDER_NOW, reason)
        return self.say(account, Saying.PROVIDER_LATER, reason, self.time(host.eta))

    async def still(self, account: AccountId) -> str:
        """What keeps its mail back although the mailbox works; empty: nothing."""
        view = await self._means.reading.account(account)
        if view is None:
            return ""
        if view.particulars.paused is not None:
            return f" {self.say(account, Saying.STILL_PAUSED)}"
        if view.health == RETIRED and view.particulars.retires is not None:
            return f" {self._retired(account, view.particulars.retires)}"
        still = _still(view)
        return "" if still is None else f" {self.say(account, still, view.reason)}"

    def _retired(self, account: AccountId, last: date) -> str:
        said = self.say(account, Saying.STILL_RETIRED, f"{last + timedelta(days=1):{DAYS[self._means.language]}}")
        return f"{said} {self._means.contact}".rstrip()


def _still(view: AccountView) -> Saying | None:
    """What keeps its mail back all the same."""
    if view.health in ("paused", "waiting", "doubted"):
        return Saying.STILL_STOPPED
    is_provider = view.since is not None and view.health == "ok" and view.reason is not None
    return Saying.PROVIDER_STOPPED if is_provider else None
