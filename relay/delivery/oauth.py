"""Access tokens for mailboxes with `auth: oauth2`: kept in memory, renewed early, one request at a time for each.

Law: a renewed refresh token is durable before the access token that came with it is used; a refresh token that somebody
has set goes before whatever is under way, and is shown once before any rest; who gives up waiting takes nothing from
those who still wait.
"""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace

from relay.core.meaning import Fault, ReplyClass
from relay.core.words import MailboxId
from relay.delivery.oauth_answers import Blame, Grant, Refusal
from relay.delivery.oauth_endpoint import OAuthIdentity
from relay.delivery.tokens import NoToken, RefreshTokens
from relay.errors import RelayError

REQUESTS_AT_ONCE: int = 4
"""Of one provider: more at once is what authorization servers answer with 429."""

EARLY: tuple[float, float] = (0.2, 0.4)
"""A token is renewed when between so much and so much of its life is left, chance decides: what was granted in one
burst is not asked for again in one, and a server that is out of order meanwhile stops nobody."""

SPARE: float = 30.0
"""Seconds that a token must still live to be shown: the login itself takes time."""

REST: float = 10.0
"""Seconds after an answer that was none until a mailbox asks again."""

SERVED_LATELY: float = 3600.0
"""Seconds for which a client that was served is taken to be in order."""

ROUNDS: int = 3
"""So often a refresh token may be another one when it is looked at again."""

Ask = Callable[[OAuthIdentity, str], Awaitable[Grant | Refusal]]
"""Shows a refresh token; never raises."""


@dataclass(frozen=True, slots=True)
class _Way:
    """With what a token is asked for, and as whom."""

    identity: OAuthIdentity
    refresh_token: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class _Held:
    """An access token, and with what the next one is asked for."""

    way: _Way
    token: str = field(repr=False)
    renew_at: float
    ends_at: float


@dataclass(frozen=True, slots=True)
class _Unsaved:
    """What was granted while its refresh token could not be stored."""

    asked: _Way
    held: _Held


@dataclass(frozen=True, slots=True)
class _Rest:
    """Why nothing is asked until then."""

    until: float
    fault: Fault


class OAuthTokens:
    """The source of access tokens. `clock` counts seconds, also while the machine sleeps; `chance` gives 0 to 1."""

    def __init__(
        self,
        identity_of: Callable[[MailboxId], OAuthIdentity | None],
        refresh_tokens: RefreshTokens,
        ask: Ask,
        *,
        clock: Callable[[], float],
        chance: Callable[[], float],
        observe: Callable[[MailboxId, Refusal], None] = lambda mailbox, refusal: None,
    ) -> None:
        """`identity_of` gives the client in force; None: there is none. `observe` hears of every refusal."""
        self._identity_of = identity_of
        self._refresh_tokens = refresh_tokens
        self._ask = ask
        self._clock = clock
        self._chance = chance
        self._observe = observe
        self._flights: dict[MailboxId, asyncio.Task[str]] = {}
        self._held: dict[MailboxId, _Held] = {}
        self._unsaved: dict[MailboxId, _Unsaved] = {}
        self._rests: dict[MailboxId | OAuthIdentity, _Rest] = {}
        self._fruitless: dict[MailboxId, _Way | None] = {}
        """With what a mailbox got no token last; None: it had nothing to show."""
        self._served: dict[str, tuple[OAuthIdentity, float]] = {}
        self._turns: dict[str, asyncio.Semaphore] = {}

    async def __call__(self, mailbox: MailboxId) -> str:
        """The access token that this mailbox logs in with now; NoToken when there is none."""
        flight = self._flights.get(mailbox)
        if flight is None:
            flight = self._flights[mailbox] = asyncio.create_task(self._obtain(mailbox))
            flight.add_done_callback(lambda done: self._landed(mailbox, done))
        return await asyncio.shield(flight)

    def refused(self, mailbox: MailboxId, token: str) -> None:
        """The provider did not take this token: the next login shows another one."""
        held = self._held.get(mailbox)
        if held is not None and held.token == token:
            del self._held[mailbox]

    async def mended(self, mailbox: MailboxId) -> float:
        """Somebody says that it works again: what it showed last is shown once more, though it rests. Seconds until
        then: a pause that the server asks for is kept, but for a refresh token that it has not seen.
        """
        self._rests.pop(mailbox, None)
        identity = self._identity_of(mailbox)
        rest = None if identity is None else self._rests.get(identity)
        if identity is None or rest is None:
            return 0.0
        try:
            found = await self._refresh_tokens.get(mailbox)
        except RelayError:
            return 0.0
        if found is None or self._is_set_since(mailbox, _Way(identity, found)):
            return 0.0
        return max(0.0, rest.until - self._clock())

    async def close(self) -> None:
        """Waits for what is under way: a refresh token that is renewed now would be lost."""
        if self._flights:
            await asyncio.wait(self._flights.values())

    def _landed(self, mailbox: MailboxId, flight: "asyncio.Task[str]") -> None:
        """Looks at the error too, because everybody who waited for it may have given up."""
        del self._flights[mailbox]
        if not flight.cancelled():
            flight.exception()

    # ------------------------------------------------------------------------------------------------ one at a time
    async def _obtain(self, mailbox: MailboxId) -> str:
        for _ in range(ROUNDS):
            way = _Way(refresh_token=await self._refresh_token(mailbox), identity=self._identity(mailbox))
            held = self._held.get(mailbox)
            if held is None or held.way != way:
                held = None
            elif self._clock() < held.renew_at:
                return held.token
            try:
                token = await self._renew(mailbox, way)
            except NoToken as trouble:
                if held is None or not self._still_serves(mailbox, held, trouble):
                    raise
                return held.token
            if token is not None:
                return token
        raise NoToken(fault=Fault.OAUTH_UNREACHABLE)

    def _still_serves(self, mailbox: MailboxId, held: _Held, trouble: NoToken) -> bool:
        """A token that was to be renewed early may be shown once more where nothing is wrong with the permission."""
        is_permitted = trouble.meaning is ReplyClass.AUTH_TEMPORARY or trouble.is_provider
        return is_permitted and self._held.get(mailbox) is held and self._clock() < held.ends_at

    async def _refresh_token(self, mailbox: MailboxId) -> str:
        try:
            found = await self._refresh_tokens.get(mailbox)
        except RelayError:
            raise NoToken(fault=Fault.OAUTH_UNSAVED) from None
        if found is None:
            self._held.pop(mailbox, None)
            self._fruitless[mailbox] = None
            raise NoToken(ReplyClass.AUTH_METHOD, Fault.NO_TOKEN)
        return found

    def _identity(self, mailbox: MailboxId) -> OAuthIdentity:
        identity = self._identity_of(mailbox)
        if identity is None:
            raise NoToken(ReplyClass.AUTH_METHOD, Fault.OAUTH_CLIENT, is_provider=True)
        return identity

    async def _renew(self, mailbox: MailboxId, way: _Way) -> str | None:
        """A new access token; None: the refresh token is another one by now."""
        unsaved = self._unsaved.pop(mailbox, None)
        if unsaved is not None and unsaved.asked == way:
            return await self._keep(mailbox, way, unsaved.held)
        answer = await self._answer(mailbox, way)
        if isinstance(answer, Grant):
            return await self._keep(mailbox, way, self._granted(way, answer))
        self._observe(mailbox, answer)
        if answer.blame is not Blame.TIME and await self._refresh_token(mailbox) != way.refresh_token:
            return None
        raise self._trouble(mailbox, way, answer)

    async def _answer(self, mailbox: MailboxId, way: _Way) -> Grant | Refusal:
        turn = self._turns.setdefault(way.identity.provider, asyncio.Semaphore(REQUESTS_AT_ONCE))
        async with turn:
            rest = self._rest_of(mailbox, way)
            self._fruitless[mailbox] = way
            if rest is not None:
                raise NoToken(fault=rest.fault)
            return await self._ask(way.identity, way.refresh_token)

    def _rest_of(self, mailbox: MailboxId, way: _Way) -> _Rest | None:
        """What keeps this from being asked now. What a person has set since is asked once: they wait to hear of it, and
        as many as people set bear on no server.
        """
        if self._is_set_since(mailbox, way):
            return None
        rests = (self._rests.get(whose) for whose in (mailbox, way.identity))
        return next((rest for rest in rests if rest is not None and self._clock() < rest.until), None)

    def _is_set_since(self, mailbox: MailboxId, way: _Way) -> bool:
        """Whether another refresh token was there when this mailbox last got a token, or none."""
        if mailbox in self._fruitless:
            last = self._fruitless[mailbox]
            return last is None or last.refresh_token != way.refresh_token
        held = self._held.get(mailbox)
        return held is not None and held.way.refresh_token != way.refresh_token

    async def _keep(self, mailbox: MailboxId, way: _Way, held: _Held) -> str | None:
        if held.way != way:
            try:
                is_kept = await self._refresh_tokens.replace(mailbox, old=way.refresh_token, new=held.way.refresh_token)
            except RelayError:
                self._unsaved[mailbox] = _Unsaved(way, held)
                raise NoToken(fault=Fault.OAUTH_UNSAVED) from None
            if not is_kept:
                return None
        self._fruitless.pop(mailbox, None)
        self._held.pop(mailbox, None)
        self._held[mailbox] = held
        return held.token

    # ------------------------------------------------------------------------------------------------------ judging
    def _granted(self, way: _Way, grant: Grant) -> _Held:
        now = self._clock()
        self._served[way.identity.provider] = way.identity, now
        for whose in [whose for whose, rest in self._rests.items() if rest.until <= now]:
            del self._rests[whose]
        self._forget_the_oldest(now)
        least, most = EARLY
        left = grant.seconds * (least + (most - least) * self._chance())
        next_way = replace(way, refresh_token=grant.refresh_token or way.refresh_token)
        ends_at = now + grant.seconds - SPARE
        return _Held(next_way, grant.access_token, min(now + grant.seconds - left, ends_at), ends_at)

    def _forget_the_oldest(self, now: float) -> None:
        """Tokens of mailboxes that have sent nothing for their whole life."""
        for mailbox, held in list(self._held.items()):
            if held.ends_at > now:
                return
            del self._held[mailbox]

    def _trouble(self, mailbox: MailboxId, way: _Way, refusal: Refusal) -> NoToken:
        if refusal.blame is Blame.TIME:
            self._rest(mailbox, way.identity, refusal)
            return NoToken(fault=refusal.fault)
        is_in_order = refusal.blame is Blame.CLIENT_OR_GRANT and self._is_in_order(way.identity)
        if refusal.blame is not Blame.GRANT and not is_in_order:
            return NoToken(ReplyClass.AUTH_METHOD, refusal.fault, is_provider=True)
        self._held.pop(mailbox, None)
        return NoToken(ReplyClass.AUTH_METHOD, Fault.OAUTH_CONSENT if is_in_order else refusal.fault)

    def _rest(self, mailbox: MailboxId, identity: OAuthIdentity, refusal: Refusal) -> None:
        """A pause that the server asks for is everybody's; one that it does not is this mailbox's."""
        whose = mailbox if refusal.retry_after is None else identity
        self._rests[whose] = _Rest(self._clock() + (refusal.retry_after or REST), refusal.fault)

    def _is_in_order(self, identity: OAuthIdentity) -> bool:
        served, at = self._served.get(identity.provider, (None, 0.0))
        return served == identity and self._clock() - at < SERVED_LATELY
