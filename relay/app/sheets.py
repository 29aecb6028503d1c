"""For whom a notice is written and what he has to know, from the routing, the profiles and the configuration.

Law: the doctor's name and telephone number are for the vendor and himself alone, and stand in no notice of ops.
"""

from collections.abc import Callable, Mapping
from zoneinfo import ZoneInfo

from relay.app.settings import ZONE
from relay.core.circle import Addressee, Reader, owner_of
from relay.core.failuretext import Language
from relay.core.meaning import ReplyClass
from relay.core.notice import Notice
from relay.core.notices import Sheet
from relay.core.routing import Account, Owner, Routing
from relay.providers import Profile


class Sheets:
    """Makes the sheet of a notice for a reader."""

    def __init__(
        self,
        routing: Callable[[], Routing],
        profiles: Mapping[str, Profile],
        *,
        language: Language,
        contact: str,
        kept_days: int,
    ) -> None:
        self._routing = routing
        self._profiles = profiles
        self._language = language
        self._contact = contact
        self._kept_days = kept_days

    def __call__(self, notice: Notice, addressee: Addressee) -> Sheet:
        """What this reader has to know."""
        routing = self._routing()
        provider = routing.providers.get(notice.provider or "")
        profile = None if provider is None else self._profiles.get(provider.profile or "")
        account = routing.accounts.get(addressee.accounts[0]) if addressee.accounts else None
        owner = Owner() if account is None or addressee.reader is Reader.OPS else account.owner
        return Sheet(
            addressee.reader,
            self._language,
            ZONE if provider is None else ZoneInfo(provider.timezone),
            (notice.provider or "-") if profile is None else profile.title,
            accounts=addressee.accounts,
            steps=self._steps(profile, notice.reason),
            contact=self._contact,
            owner=owner.name,
            phone=owner.phone,
            has_to_call=_has_to_call(addressee, account, notice),
            wants_ticket=profile is not None and profile.takes_tickets,
            kept_days=self._kept_days,
        )

    def _steps(self, profile: Profile | None, reason: str | None) -> str:
        """What the profile itself knows; the notice has words of its own for what holds everywhere."""
        if profile is None or reason not in set(ReplyClass):
            return ""
        return profile.steps.get(ReplyClass(reason), {}).get(self._language, "")


def _has_to_call(addressee: Addressee, account: Account | None, notice: Notice) -> bool:
    """Whether the vendor is told in the place of a doctor, who cannot be written to."""
    if account is None or addressee.reader is not Reader.VENDOR or owner_of(account.plan) is not Reader.DOCTOR:
        return False
    own = {account.sender, *account.aliases, account.mailbox.username}
    email = account.owner.email.lower()
    return notice.mailbox is not None and (not email or email in {each.lower() for each in own})
