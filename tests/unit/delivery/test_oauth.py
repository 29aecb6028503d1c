"""Access tokens: asked for once by however many, renewed early, durable before use, and each trouble its own."""

import asyncio
import gc
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import pytest

from relay.core.meaning import Fault, ReplyClass
from relay.core.words import MailboxId
from relay.delivery.oauth import EARLY, REQUESTS_AT_ONCE, REST, ROUNDS, SERVED_LATELY, SPARE, OAuthTokens
from relay.delivery.oauth_answers import Blame, Grant, Refusal
from relay.delivery.oauth_endpoint import OAuthIdentity
from relay.delivery.tokens import NoRefreshTokens, NoToken, RefreshTokens
from tests.fakes.tokens import FakeRefreshTokens

ANNA, BRUNO = MailboxId("outlook", "anna@hotmail.it"), MailboxId("outlook", "bruno@hotmail.it")
CLIENT = OAuthIdentity("outlook", "https://login.example/token", "smtp offline_access", "id", "client-secret")
HOUR = 3600.0
TIME = Refusal(Blame.TIME, Fault.OAUTH_UNREACHABLE, "http 503")
REVOKED = Refusal(Blame.GRANT, Fault.OAUTH_CONSENT, "invalid_grant")
NOT_KNOWN = Refusal(Blame.CLIENT, Fault.OAUTH_CLIENT, "invalid_client AADSTS7000215")
EITHER = Refusal(Blame.CLIENT_OR_GRANT, Fault.OAUTH_CLIENT, "unauthorized_client")


@dataclass
class World:
    """Tokens with a server that a test scripts: what is not scripted is granted, and renewed."""

    refresh: FakeRefreshTokens = field(default_factory=lambda: FakeRefreshTokens(ANNA, BRUNO))
    script: list[Grant | Refusal] = field(default_factory=list)
    client: OAuthIdentity | None = CLIENT
    now: float = 1_000_000.0
    chance: float = 0.0
    seconds: float = HOUR
    is_rotating: bool = True
    asked: list[tuple[OAuthIdentity, str]] = field(default_factory=list)
    refusals: list[tuple[MailboxId, Refusal]] = field(default_factory=list)
    at_once: int = 0
    most_at_once: int = 0
    has_come: asyncio.Queue[str] = field(default_factory=asyncio.Queue)
    may_answer: asyncio.Event = field(default_factory=asyncio.Event)

    def __post_init__(self) -> None:
        self.may_answer.set()
        self.tokens = self.with_tokens_of(self.refresh)

    def with_tokens_of(self, refresh: RefreshTokens) -> OAuthTokens:
        return OAuthTokens(
            lambda mailbox: self.client,
            refresh,
            self._ask,
            clock=lambda: self.now,
            chance=lambda: self.chance,
            observe=lambda mailbox, refusal: self.refusals.append((mailbox, refusal)),
        )

    async def _ask(self, identity: OAuthIdentity, refresh_token: str) -> Grant | Refusal:
        self.asked.append((identity, refresh_token))
        number = len(self.asked)
        self.at_once += 1
        self.most_at_once = max(self.most_at_once, self.at_once)
        self.has_come.put_nowait(identity.provider)
        await asyncio.sleep(0)
        await self.may_answer.wait()
        self.at_once -= 1
        if self.script:
            return self.script.pop(0)
        return Grant(f"access-{number}", self.seconds, f"refresh-{number}" if self.is_rotating else None)

    @property
    def shown(self) -> list[str]:
        return [refresh_token for _, refresh_token in self.asked]

    async def trouble(self, mailbox: MailboxId = ANNA) -> NoToken:
        with pytest.raises(NoToken) as caught:
            await self.tokens(mailbox)
        return caught.value


def told(trouble: NoToken) -> tuple[ReplyClass, Fault, bool]:
    return trouble.meaning, trouble.fault, trouble.is_provider


PASSING = (ReplyClass.AUTH_TEMPORARY, Fault.OAUTH_UNREACHABLE, False)
CONSENT = (ReplyClass.AUTH_METHOD, Fault.OAUTH_CONSENT, False)
CLIENT_TROUBLE = (ReplyClass.AUTH_METHOD, Fault.OAUTH_CLIENT, True)


# how long a token serves


async def test_a_token_is_shown_until_it_is_renewed_early() -> None:
    it = World(is_rotating=False)
    assert await it.tokens(ANNA) == "access-1"
    it.now += HOUR * (1 - EARLY[0]) - 1
    assert await it.tokens(ANNA) == "access-1"
    it.now += 1
    assert await it.tokens(ANNA) == "access-2"
    assert it.shown == ["refresh-0-anna@hotmail.it"] * 2


async def test_chance_decides_how_early() -> None:
    """What was granted in one burst is not renewed in one."""
    it = World(chance=0.999999)
    await it.tokens(ANNA)
    it.now += HOUR * (1 - EARLY[1]) - 1
    assert await it.tokens(ANNA) == "access-1"
    it.now += 2
    assert await it.tokens(ANNA) == "access-2"


async def test_a_token_that_lives_shortly_is_not_shown_at_its_end() -> None:
    it = World(seconds=SPARE * 2)
    await it.tokens(ANNA)
    it.now += SPARE
    assert await it.tokens(ANNA) == "access-2"


async def test_a_server_that_is_out_of_order_while_a_token_lives_stops_nobody() -> None:
    it = World()
    await it.tokens(ANNA)
    it.now += HOUR * (1 - EARLY[0])
    it.script = [TIME]
    assert await it.tokens(ANNA) == "access-1"
    it.now = 1_000_000 + HOUR - SPARE
    it.script = [TIME]
    assert told(await it.trouble()) == PASSING
    it.now += REST
    assert await it.tokens(ANNA) == "access-4"


async def test_a_permission_that_is_gone_ends_a_token_that_still_lives() -> None:
    it = World()
    await it.tokens(ANNA)
    it.now += HOUR * (1 - EARLY[0])
    it.script = [REVOKED]
    assert told(await it.trouble()) == CONSENT
    it.now = 1_000_000
    it.script = [REVOKED]
    assert told(await it.trouble()) == CONSENT, "nor is it shown again"


async def test_a_token_that_the_provider_refused_is_not_shown_again() -> None:
    it = World()
    token = await it.tokens(ANNA)
    it.tokens.refused(ANNA, token)
    assert await it.tokens(ANNA) == "access-2"
    it.tokens.refused(ANNA, token)  # a late word about one that is gone already
    it.tokens.refused(BRUNO, token)
    assert await it.tokens(ANNA) == "access-2"


async def test_a_refused_token_is_not_kept_alive_by_a_server_that_is_away() -> None:
    it = World()
    token = await it.tokens(ANNA)
    it.now += HOUR * (1 - EARLY[0])
    it.may_answer.clear()
    await it.has_come.get()
    waiting = asyncio.ensure_future(it.trouble())
    await it.has_come.get()
    it.tokens.refused(ANNA, token)
    it.script = [TIME]
    it.may_answer.set()
    assert told(await waiting) == PASSING


async def test_tokens_of_mailboxes_that_send_nothing_are_forgotten() -> None:
    it = World()
    await it.tokens(ANNA)
    it.now += 2 * HOUR
    await it.tokens(BRUNO)
    assert list(it.tokens._held) == [BRUNO]


async def test_who_is_renewed_stands_in_nobodys_way_to_be_forgotten() -> None:
    carla = MailboxId("outlook", "carla@hotmail.it")
    it = World(FakeRefreshTokens(ANNA, BRUNO, carla))
    await it.tokens(ANNA)
    await it.tokens(BRUNO)
    it.now += HOUR - 60
    await it.tokens(ANNA)
    it.now += 60
    await it.tokens(carla)
    assert list(it.tokens._held) == [ANNA, carla]


# one request at a time


async def test_fifty_logins_at_once_are_one_request() -> None:
    it = World()
    assert await asyncio.gather(*(it.tokens(ANNA) for _ in range(50))) == ["access-1"] * 50
    assert len(it.asked) == 1


async def test_fifty_logins_at_once_share_a_refusal() -> None:
    it = World(script=[TIME])
    found = await asyncio.gather(*(it.tokens(ANNA) for _ in range(50)), return_exceptions=True)
    assert {type(each) for each in found} == {NoToken}
    assert len(it.asked) == 1


async def test_who_gives_up_takes_nothing_from_the_others() -> None:
    it = World()
    it.may_answer.clear()
    first, second = (asyncio.ensure_future(it.tokens(ANNA)) for _ in range(2))
    await it.has_come.get()
    first.cancel()
    await asyncio.wait({first})
    assert first.cancelled()
    it.may_answer.set()
    assert await second == "access-1"
    assert len(it.asked) == 1


async def test_what_nobody_waits_for_any_more_is_still_kept() -> None:
    """The provider has renewed the refresh token: forgetting the new one would end the permission."""
    it = World()
    it.may_answer.clear()
    only = asyncio.ensure_future(it.tokens(ANNA))
    await it.has_come.get()
    only.cancel()
    it.may_answer.set()
    await it.tokens.close()
    await it.tokens.close()
    assert it.refresh.kept[ANNA] == "refresh-1"
    assert await it.tokens(ANNA) == "access-1"


async def test_a_refusal_that_nobody_waits_for_any_more_is_no_stray_error() -> None:
    complaints: list[dict[str, object]] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: complaints.append(context))
    it = World(script=[REVOKED])
    it.may_answer.clear()
    only = asyncio.ensure_future(it.tokens(ANNA))
    await it.has_come.get()
    only.cancel()
    await asyncio.wait({only})
    it.may_answer.set()
    await it.tokens.close()
    del only  # its traceback would hold the request
    await asyncio.sleep(0)
    gc.collect()
    assert complaints == []
    assert it.refusals == [(ANNA, REVOKED)]


async def test_a_provider_is_asked_for_few_mailboxes_at_once() -> None:
    many = [MailboxId("outlook", f"d{number}@hotmail.it") for number in range(REQUESTS_AT_ONCE * 3)]
    it = World(FakeRefreshTokens(*many))
    await asyncio.gather(*map(it.tokens, many))
    assert (len(it.asked), it.most_at_once) == (len(many), REQUESTS_AT_ONCE)


async def test_one_provider_that_hangs_leaves_the_others_alone() -> None:
    hanging = [MailboxId("outlook", f"d{number}@hotmail.it") for number in range(REQUESTS_AT_ONCE * 2)]
    other = MailboxId("google", "carla@studio.it")
    it = World(FakeRefreshTokens(*hanging, other))
    it.may_answer.clear()
    waiting = [asyncio.ensure_future(it.tokens(mailbox)) for mailbox in hanging]
    for _ in range(REQUESTS_AT_ONCE):
        await it.has_come.get()
    it.client = replace(CLIENT, provider="google")
    late = asyncio.ensure_future(it.tokens(other))
    assert await it.has_come.get() == "google"
    it.may_answer.set()
    await asyncio.gather(late, *waiting)


# renewed refresh tokens


async def test_a_renewed_refresh_token_is_durable_before_the_access_token_is_used() -> None:
    it = World()
    order: list[str] = []
    it.refresh.before_replace = lambda: order.append("stored")
    await it.tokens(ANNA)
    order.append("used")
    assert order == ["stored", "used"]
    assert it.refresh.log == [(ANNA, "refresh-1")]
    it.tokens.refused(ANNA, "access-1")
    await it.tokens(ANNA)
    assert it.shown == ["refresh-0-anna@hotmail.it", "refresh-1"]


async def test_where_it_cannot_be_stored_nobody_logs_in_and_nothing_is_lost() -> None:
    it = World()

    def away() -> None:
        it.refresh.is_away = True

    it.refresh.before_replace = away
    assert told(await it.trouble()) == (ReplyClass.AUTH_TEMPORARY, Fault.OAUTH_UNSAVED, False)
    assert told(await it.trouble()) == (ReplyClass.AUTH_TEMPORARY, Fault.OAUTH_UNSAVED, False)
    it.refresh.before_replace = lambda: None
    it.refresh.is_away = False
    assert await it.tokens(ANNA) == "access-1"
    assert it.refresh.kept[ANNA] == "refresh-1"
    assert len(it.asked) == 1, "what was granted is used, and not asked for again"


async def test_what_a_person_sets_meanwhile_is_not_overwritten_and_counts() -> None:
    it = World()

    def set_by_hand() -> None:
        it.refresh.before_replace = lambda: None
        it.refresh.set(ANNA, "by-hand")

    it.refresh.before_replace = set_by_hand
    assert await it.tokens(ANNA) == "access-2"
    assert it.shown == ["refresh-0-anna@hotmail.it", "by-hand"]
    assert it.refresh.log == [(ANNA, "refresh-2")]


async def test_what_was_granted_and_not_stored_is_dropped_when_a_person_sets_another() -> None:
    it = World()

    def away() -> None:
        it.refresh.is_away = True

    it.refresh.before_replace = away
    await it.trouble()
    it.refresh.before_replace, it.refresh.is_away = (lambda: None), False
    it.refresh.set(ANNA, "by-hand")
    assert await it.tokens(ANNA) == "access-2"
    assert it.shown[-1] == "by-hand"


async def test_a_new_refresh_token_counts_at_the_next_login() -> None:
    it = World()
    await it.tokens(ANNA)
    it.refresh.set(ANNA, "by-hand")
    assert await it.tokens(ANNA) == "access-2"
    assert it.shown[-1] == "by-hand"


async def test_a_refresh_token_that_another_node_renewed_is_no_lost_permission() -> None:
    it = World()

    class Renewed(FakeRefreshTokens):
        async def get(self, mailbox: MailboxId) -> str | None:
            found = await super().get(mailbox)
            self.set(mailbox, "renewed-elsewhere")
            return found

    it.refresh = Renewed(ANNA)
    it.tokens = it.with_tokens_of(it.refresh)
    it.script = [REVOKED]
    assert await it.tokens(ANNA) == "access-2"
    assert it.shown == ["refresh-0-anna@hotmail.it", "renewed-elsewhere"]


async def test_refresh_tokens_that_change_at_every_look_are_not_followed_for_ever() -> None:
    it = World()
    it.refresh.before_replace = lambda: it.refresh.set(ANNA, f"by-hand-{len(it.asked)}")
    assert (await it.trouble()).meaning is ReplyClass.AUTH_TEMPORARY
    assert len(it.asked) == ROUNDS


# nobody has connected it


async def test_without_a_refresh_token_nobody_is_asked() -> None:
    it = World()
    it.refresh.set(ANNA, None)
    assert told(await it.trouble()) == (ReplyClass.AUTH_METHOD, Fault.NO_TOKEN, False)
    assert it.asked == []
    it.tokens = it.with_tokens_of(NoRefreshTokens())
    assert told(await it.trouble(BRUNO)) == (ReplyClass.AUTH_METHOD, Fault.NO_TOKEN, False)
    assert not await NoRefreshTokens().replace(BRUNO, old="a", new="b")


async def test_a_connection_that_is_taken_away_ends_the_token_too() -> None:
    it = World()
    await it.tokens(ANNA)
    it.refresh.set(ANNA, None)
    assert (await it.trouble()).fault is Fault.NO_TOKEN
    it.refresh.set(ANNA, "refresh-1")
    assert await it.tokens(ANNA) == "access-2"


async def test_without_a_client_it_is_the_providers_entry_that_an_admin_mends() -> None:
    it = World(client=None)
    assert told(await it.trouble()) == CLIENT_TROUBLE
    assert it.asked == []


async def test_a_store_that_is_away_is_nobodys_lost_permission() -> None:
    it = World()
    it.refresh.is_away = True
    assert told(await it.trouble()) == (ReplyClass.AUTH_TEMPORARY, Fault.OAUTH_UNSAVED, False)


# whose trouble it is


async def test_a_lost_permission_is_one_doctors() -> None:
    it = World(script=[REVOKED])
    assert told(await it.trouble(ANNA)) == CONSENT
    assert await it.tokens(BRUNO) == "access-2"
    assert it.refusals == [(ANNA, REVOKED)]


async def test_a_wrong_client_secret_is_no_doctors() -> None:
    it = World(script=[NOT_KNOWN, NOT_KNOWN])
    assert told(await it.trouble(ANNA)) == CLIENT_TROUBLE
    assert told(await it.trouble(BRUNO)) == CLIENT_TROUBLE
    it.client = replace(CLIENT, client_secret="the-right-one")
    assert await it.tokens(ANNA) == "access-3", "and after it is mended nobody waits"


async def test_a_wrong_client_secret_stops_nobody_whose_token_lives() -> None:
    it = World()
    await it.tokens(ANNA)
    it.now += HOUR * (1 - EARLY[0])
    it.script = [NOT_KNOWN]
    assert await it.tokens(ANNA) == "access-1"
    assert it.refusals == [(ANNA, NOT_KNOWN)], "but it is said"


async def test_a_client_that_others_were_served_with_is_in_order() -> None:
    it = World()
    await it.tokens(BRUNO)
    it.script = [EITHER]
    assert told(await it.trouble(ANNA)) == CONSENT
    it.now += SERVED_LATELY
    it.script = [EITHER]
    assert told(await it.trouble(ANNA)) == CLIENT_TROUBLE


async def test_a_client_that_was_changed_since_is_not_known_to_be_in_order() -> None:
    it = World()
    await it.tokens(BRUNO)
    it.client = replace(CLIENT, client_id="another")
    it.script = [EITHER]
    assert told(await it.trouble(ANNA)) == CLIENT_TROUBLE


# not asking too often


async def test_after_an_answer_that_was_none_a_mailbox_rests() -> None:
    it = World(script=[TIME])
    assert told(await it.trouble()) == PASSING
    it.now += REST - 1
    assert told(await it.trouble()) == PASSING
    assert len(it.asked) == 1
    assert await it.tokens(BRUNO) == "access-2"
    it.now += 1
    assert await it.tokens(ANNA) == "access-3"
    assert it.tokens._rests == {}


async def test_a_pause_that_the_server_asks_for_is_everybodys() -> None:
    it = World(script=[replace(TIME, said="http 429", retry_after=120.0)])
    await it.trouble(ANNA)
    it.now += 119
    assert told(await it.trouble(BRUNO)) == PASSING
    assert len(it.asked) == 1
    it.now += 1
    assert await it.tokens(BRUNO) == "access-2"


UNREAD = Refusal(Blame.TIME, Fault.OAUTH_UNREAD, "http 200 without a token")
THROTTLED = replace(TIME, said="http 429", retry_after=120.0)


@pytest.mark.parametrize("passing", [TIME, UNREAD, THROTTLED], ids=lambda refusal: refusal.said)
async def test_a_refresh_token_that_a_person_sets_is_shown_at_once_after_a_passing_failure(passing: Refusal) -> None:
    """The old token's failure is not presented as the new one's."""
    it = World(script=[passing])
    await it.trouble()
    it.refresh.set(ANNA, "fresh")
    assert await it.tokens(ANNA) == "access-2"
    assert it.shown[-1] == "fresh"


@pytest.mark.parametrize("passing", [TIME, UNREAD, THROTTLED], ids=lambda refusal: refusal.said)
async def test_a_refresh_token_that_a_person_sets_is_shown_once_while_the_server_rests(passing: Refusal) -> None:
    it = World(script=[passing, passing, passing])
    await it.trouble()
    for number, fresh in enumerate(("fresh", "fresher"), 2):
        it.refresh.set(ANNA, fresh)
        for _ in range(3):
            await it.trouble()
        assert len(it.asked) == number


async def test_a_mailbox_that_is_connected_while_everybody_rests_is_shown_at_once() -> None:
    it = World(refresh=FakeRefreshTokens(BRUNO), script=[THROTTLED])
    assert (await it.trouble(ANNA)).fault is Fault.NO_TOKEN
    await it.trouble(BRUNO)
    it.refresh.set(ANNA, "first")
    assert await it.tokens(ANNA) == "access-2"


async def test_a_permission_that_is_given_anew_while_everybody_rests_is_shown_at_once() -> None:
    it = World(script=[REVOKED, THROTTLED])
    await it.trouble(ANNA)
    await it.trouble(BRUNO)
    it.refresh.set(ANNA, "fresh")
    assert await it.tokens(ANNA) == "access-3"


async def test_another_token_for_a_mailbox_that_works_is_shown_while_everybody_rests() -> None:
    it = World(script=[Grant("access-of-anna", HOUR), THROTTLED])
    await it.tokens(ANNA)
    await it.trouble(BRUNO)
    it.refresh.set(ANNA, "fresh")
    assert await it.tokens(ANNA) == "access-3"


async def test_what_somebody_says_is_mended_is_shown_once_more_at_once() -> None:
    it = World(script=[UNREAD, UNREAD])
    await it.trouble()
    assert await it.tokens.mended(ANNA) == 0
    await it.trouble()
    await it.trouble()
    assert len(it.asked) == 2


async def test_a_pause_that_the_server_asks_for_is_kept_whoever_says_that_it_is_mended() -> None:
    it = World(script=[THROTTLED])
    await it.trouble()
    it.now += 20
    assert await it.tokens.mended(ANNA) == 100
    await it.trouble()
    assert len(it.asked) == 1
    it.refresh.set(ANNA, "fresh")
    assert await it.tokens.mended(ANNA) == 0, "a new one is shown at once"
    it.now += 100
    assert await it.tokens.mended(BRUNO) == 0


async def test_what_nobody_connected_or_can_be_asked_for_has_nothing_to_wait_for() -> None:
    it = World(refresh=FakeRefreshTokens(BRUNO), script=[THROTTLED])
    await it.trouble(BRUNO)
    assert await it.tokens.mended(ANNA) == 0
    it.refresh.is_away = True
    assert await it.tokens.mended(BRUNO) == 0
    it.client = None
    assert await it.tokens.mended(BRUNO) == 0


async def test_nonsense_is_tried_again_and_keeps_its_name_while_it_rests() -> None:
    it = World(script=[UNREAD])
    for _ in range(2):
        assert told(await it.trouble()) == (ReplyClass.AUTH_TEMPORARY, Fault.OAUTH_UNREAD, False)
    assert len(it.asked) == 1


# secrets


async def test_no_token_shows_in_anything_that_may_be_printed() -> None:
    it = World(is_rotating=True)
    await it.tokens(ANNA)
    way = it.tokens._held[ANNA]
    it.script = [REVOKED]
    it.tokens.refused(ANNA, "access-1")
    trouble = await it.trouble()
    printed: Sequence[object] = [way, way.way.identity, trouble, *it.refusals]
    for shown in (f"{each!r} {each}" for each in printed):
        assert "access-" not in shown
        assert "refresh-" not in shown
        assert "client-secret" not in shown
