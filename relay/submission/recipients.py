"""Whether a recipient may be written to: nothing stands against him, and his domain takes mail.

Law: who cannot be written to is refused at RCPT, while the patient is still in the room; a suppression that a header
may put aside is decided at the dot, only for clients that say so; an opt-out no header puts aside. An empty sender's
account is known at the dot, so all of it is said there.
"""

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from relay.core.limits import SECOND
from relay.core.misspelling import is_squatted, meant
from relay.core.refusal import Reason, Refusal
from relay.core.routing import Account, Routing, Suppressed
from relay.core.suppression import SuppressionKind
from relay.errors import StoreError
from relay.store.ports.suppressions import Suppressions, SuppressionView
from relay.submission.domains import Domains, Standing
from relay.submission.promptly import promptly
from relay.submission.transaction import Transaction

_REASONS = {Standing.MISSING: Reason.RECIPIENT_DOMAIN_MISSING, Standing.NULL_MX: Reason.RECIPIENT_NO_MAIL}


@dataclass(frozen=True, slots=True)
class Recipients:
    """What is asked about recipients; None: it is not."""

    suppressions: Suppressions | None = None
    domains: Domains | None = None
    patience: float | None = None
    """Seconds that the store has to answer; None: as long as it takes."""

    async def refusal(self, transaction: Transaction, address: str) -> Refusal | None:
        """Why a recipient cannot be taken at RCPT; an empty sender's account is known only at the dot."""
        account = transaction.account
        if account is None:
            return None
        standing = await self._standing(account, address)
        if isinstance(standing, Refusal):
            return standing
        if standing is not None:
            refused = _refused(transaction.routing, account, address, standing)
            if refused.reason is not Reason.RECIPIENT_SUPPRESSED or transaction.client.suppressed is Suppressed.REFUSE:
                return refused
            transaction.doubtful[address] = None
        return await self._unreachable(account, address)

    async def refusal_at_dot(self, transaction: Transaction, account: Account, *, is_put_aside: bool) -> Refusal | None:
        """Why the whole message cannot be taken; `is_put_aside`: its header asks to send all the same."""
        asked: Iterable[str] = transaction.doubtful if transaction.account is not None else transaction.recipients
        for address in asked:
            standing = await self._standing(account, address)
            if isinstance(standing, Refusal):
                return standing
            if standing is not None and not (is_put_aside and standing.kind is SuppressionKind.UNKNOWN):
                return _refused(transaction.routing, account, address, standing)
        return await self._any_unreachable(transaction, account)

    async def _any_unreachable(self, transaction: Transaction, account: Account) -> Refusal | None:
        """The first of an empty sender's recipients whose domain takes no mail; all domains are asked at once."""
        if transaction.account is not None:
            return None  # asked at RCPT
        one_of_each: dict[str, str] = {}
        for address in transaction.recipients:
            one_of_each.setdefault(address.rpartition("@")[2].lower(), address)
        found = await asyncio.gather(*(self._unreachable(account, address) for address in one_of_each.values()))
        return next((each for each in found if each is not None), None)

    async def _standing(self, account: Account, address: str) -> SuppressionView | Refusal | None:
        if self.suppressions is None or not self.suppressions.may_stand(account.sender, address):
            return None
        try:
            return await promptly(self.suppressions.standing(account.sender, address), self.patience)
        except StoreError as error:
            return Refusal(Reason.STORE_AWAY, cause=str(error))

    async def _unreachable(self, account: Account, address: str) -> Refusal | None:
        """Why his domain takes no mail, for accounts that have it looked up."""
        domain = address.rpartition("@")[2]
        if self.domains is None or account.recipient_check != "dns" or domain.startswith("["):
            return None
        guess = meant(domain)
        values = {} if guess is None else {"meant": guess}
        if is_squatted(domain):
            return Refusal(Reason.RECIPIENT_MISSPELT, values, account.sender, address)
        reason = _REASONS.get(await self.domains.standing(domain))
        return None if reason is None else Refusal(reason, values, account.sender, address)


def _refused(routing: Routing, account: Account, address: str, standing: SuppressionView) -> Refusal:
    zone = ZoneInfo(routing.provider_of(account.mailbox).timezone)
    values = {"sender": account.sender, "since": _day(standing.since, zone)}
    if standing.kind is SuppressionKind.OPTOUT or standing.until is None:
        return Refusal(Reason.RECIPIENT_OPTED_OUT, values, account.sender, address)
    values["until"] = _day(standing.until, zone)
    return Refusal(Reason.RECIPIENT_SUPPRESSED, values, account.sender, address)


def _day(at: int, zone: ZoneInfo) -> str:
    return f"{datetime.fromtimestamp(at / SECOND, UTC).astimezone(zone):%Y-%m-%d}"


NOTHING_STANDS = Recipients()
"""Of a relay that does not look."""
