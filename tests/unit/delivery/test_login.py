"""Opening a session: one mechanism, one mailbox, never in clear where that is not allowed, and no doubt who failed."""

import asyncio
import ssl
from base64 import b64decode, b64encode
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import pytest

from relay.core.envelope import Envelope, LoginFailure, Recipient, Verdict
from relay.core.limits import SECOND, Limit
from relay.core.meaning import Fault, ReplyClass
from relay.core.routing import Auth, OAuthClient, Provider, Timeouts, Tls
from relay.core.words import MailboxId, Stage
from relay.delivery.login import ADDRESSES_TRIED
from relay.delivery.smtp import Route, SmtpUpstream
from relay.delivery.tokens import NoToken, TokenSource
from relay.delivery.upstream import LoginFailed
from tests.fakes.network import NetworkLoop, on_virtual_time
from tests.fakes.peer import OFFER, Act, Answer, Flood, Peer, Trickle, ehlo
from tests.fakes.tokens import FakeTokens

pytestmark = pytest.mark.timeout(120)

MAILBOX = MailboxId("lab", "dottore@example.it")
PROVIDER = Provider("lab", "127.0.0.1", 2526, tls=Tls.NONE)
PLAIN = b64encode(b"\0dottore@example.it\0segreta").decode()


@dataclass
class World:
    """What the upstream is made of, as a test wants it."""

    provider: Provider = PROVIDER
    secret: str | None = "segreta"
    names: Mapping[str, Sequence[str]] = field(default_factory=dict)
    looked_up: list[tuple[str, str]] = field(default_factory=list)
    is_routed: bool = True
    tokens: TokenSource | None = None

    def upstream(self) -> SmtpUpstream:
        return SmtpUpstream(
            "relay.example.it", self._route, resolve=self._resolve, trust=self._trust, tokens=self.tokens
        )

    def _route(self, mailbox: MailboxId) -> Route | None:
        return Route(self.provider, self.secret) if self.is_routed else None

    async def _resolve(self, provider: str, host: str) -> Sequence[str]:
        self.looked_up.append((provider, host))
        if host not in self.names:
            raise OSError("no such name")
        return self.names[host]

    def _trust(self, provider: Provider) -> ssl.SSLContext:
        raise FileNotFoundError(provider.tls_ca)


def failure(peer: Peer | None, world: World | None = None) -> tuple[LoginFailure, NetworkLoop]:
    """Why a session with this peer could not be opened."""

    async def main(loop: NetworkLoop) -> tuple[LoginFailure, NetworkLoop]:
        if peer is not None:
            loop.peers["127.0.0.1"] = peer
        with pytest.raises(LoginFailed) as caught:
            await (world or World()).upstream().open(MAILBOX)
        for pipe in loop.pipes:
            assert pipe.is_closing(), "a login that failed left a connection open"
        return caught.value.failure, loop

    return on_virtual_time(main)


# a healthy provider


def test_a_session_is_logged_in_and_then_carries_mail() -> None:
    async def main(loop: NetworkLoop) -> None:
        peer = loop.peers["127.0.0.1"] = Peer()
        session = await World().upstream().open(MAILBOX)
        assert peer.commands == [b"EHLO relay.example.it", f"AUTH PLAIN {PLAIN}".encode()]
        assert session.is_usable

        async def gate() -> bool:
            return True

        envelope = Envelope("dottore@example.it", (Recipient("p@example.org"),))
        assert (await session.transmit(envelope, b"x\r\n", gate)).verdict is Verdict.DELIVERED
        assert peer.commands[2] == b"MAIL FROM:<dottore@example.it> SIZE=3"

    on_virtual_time(main)


def test_a_knock_says_ehlo_and_quit_and_shows_no_password() -> None:
    async def main(loop: NetworkLoop) -> None:
        peer = loop.peers["127.0.0.1"] = Peer()
        await World().upstream().knock(MAILBOX)
        assert peer.verbs() == ["EHLO", "QUIT"]
        assert all(pipe.is_closing() for pipe in loop.pipes)

    on_virtual_time(main)


def test_a_knock_that_is_not_answered_well_says_what_was_refused() -> None:
    async def main(loop: NetworkLoop) -> None:
        loop.peers["127.0.0.1"] = Peer({"BANNER": [b"554 5.7.1 your address is on a list\r\n"]})
        with pytest.raises(LoginFailed) as caught:
            await World().upstream().knock(MAILBOX)
        assert caught.value.failure.is_provider
        assert not caught.value.failure.is_login_sent
        world = World()
        world.is_routed = False
        with pytest.raises(LoginFailed, match="no-account"):
            await world.upstream().knock(MAILBOX)

    on_virtual_time(main)


def test_login_is_used_where_plain_is_not_offered() -> None:
    async def main(loop: NetworkLoop) -> None:
        peer = loop.peers["127.0.0.1"] = Peer(offer=("AUTH CRAM-MD5 LOGIN",))
        await World().upstream().open(MAILBOX)
        assert peer.commands[1:] == [b"AUTH LOGIN"]
        assert [b64decode(response) for response in peer.responses] == [b"dottore@example.it", b"segreta"]

    on_virtual_time(main)


def test_cram_md5_is_used_where_nothing_else_is_offered() -> None:
    async def main(loop: NetworkLoop) -> None:
        peer = loop.peers["127.0.0.1"] = Peer(offer=("AUTH CRAM-MD5 NTLM",))
        await World().upstream().open(MAILBOX)
        assert peer.commands[1:] == [b"AUTH CRAM-MD5"]
        (response,) = peer.responses
        assert b64decode(response).startswith(b"dottore@example.it ")
        assert b"segreta" not in b64decode(response)

    on_virtual_time(main)


OAUTH = replace(PROVIDER, auth=Auth.OAUTH2)
OFFERS_TOKENS = ("AUTH PLAIN LOGIN XOAUTH2",)


def test_a_mailbox_with_oauth2_shows_its_token_and_never_its_password() -> None:
    async def main(loop: NetworkLoop) -> None:
        peer = loop.peers["127.0.0.1"] = Peer(offer=OFFERS_TOKENS)
        await World(OAUTH, tokens=FakeTokens()).upstream().open(MAILBOX)
        said = b64decode(peer.commands[1].removeprefix(b"AUTH XOAUTH2 "))
        assert said == b"user=dottore@example.it\1auth=Bearer token of dottore@example.it\1\1"

    on_virtual_time(main)


def test_a_refused_token_is_refused_once_and_by_the_final_reply() -> None:
    script = {"AUTH": [b"334 eyJzdGF0dXMiOiI0MDAifQ==\r\n"], "": [b"535 5.7.8 no such token\r\n"]}
    peer = Peer(script, OFFERS_TOKENS)
    tokens = FakeTokens()
    found, _ = failure(peer, World(OAUTH, tokens=tokens))
    assert (found.reply_class, found.is_login_sent) == ("auth-rejected", True)
    assert found.reply is not None
    assert found.reply.text == "no such token"
    assert peer.verbs() == ["EHLO", "AUTH", ""]
    assert tokens.turned_down == [(MAILBOX, "token of dottore@example.it")]
    assert tokens.asked == [MAILBOX], "a second login at once would be a second refused login"


def test_a_token_that_could_not_be_checked_now_is_kept() -> None:
    tokens = FakeTokens()
    peer = Peer({"AUTH": [b"454 4.7.0 later\r\n"]}, OFFERS_TOKENS)
    found, _ = failure(peer, World(OAUTH, tokens=tokens))
    assert (found.reply_class, tokens.turned_down) == ("auth-temporary", [])


def test_a_refused_password_is_no_refused_token() -> None:
    tokens = FakeTokens()
    failure(Peer({"AUTH": [b"535 5.7.8 no\r\n"]}), World(tokens=tokens))
    assert tokens.turned_down == []


@pytest.mark.parametrize("is_provider", [False, True])
def test_why_there_is_no_token_is_told_as_it_is_and_of_whom(is_provider: bool) -> None:
    trouble = NoToken(ReplyClass.AUTH_METHOD, Fault.OAUTH_CLIENT, is_provider=is_provider)
    found, loop = failure(None, World(OAUTH, tokens=FakeTokens(trouble=trouble)))
    assert (found.reply_class, found.reason, found.is_provider) == ("auth-method", "oauth-client", is_provider)
    assert not found.is_login_sent
    assert loop.dialled == []


def test_without_xoauth2_on_offer_no_token_is_shown() -> None:
    peer = Peer(offer=("AUTH PLAIN LOGIN",))
    found, _ = failure(peer, World(OAUTH, tokens=FakeTokens()))
    assert (found.reply_class, found.is_login_sent) == ("auth-method", False)


def test_a_token_that_cannot_be_had_now_calls_nobody() -> None:
    found, loop = failure(None, World(OAUTH, tokens=FakeTokens(trouble=NoToken())))
    assert (found.reply_class, found.reason) == ("auth-temporary", "no-token")
    assert loop.dialled == []


def test_credentials_that_no_mechanism_can_carry_are_not_sent() -> None:
    peer = Peer()
    found, _ = failure(peer, World(secret="a\0b"))
    assert (found.reply_class, found.reason) == ("no-credentials", "unusable-credentials")
    assert not found.is_login_sent
    assert "AUTH" not in peer.verbs()


def test_a_provider_that_wants_no_login_gets_none() -> None:
    async def main(loop: NetworkLoop) -> None:
        peer = loop.peers["127.0.0.1"] = Peer(offer=("PIPELINING",))
        session = await World(replace(PROVIDER, auth=Auth.NONE), secret=None).upstream().open(MAILBOX)
        assert peer.verbs() == ["EHLO"]
        assert session.is_usable

    on_virtual_time(main)


def test_a_refused_login_is_tried_with_one_mechanism_only() -> None:
    peer = Peer({"AUTH": [b"535 5.7.8 wrong\r\n"]})
    found, _ = failure(peer)
    assert peer.verbs().count("AUTH") == 1
    assert (found.reply_class, found.stage) == ("auth-rejected", Stage.AUTH)
    assert found.is_login_sent
    assert not found.is_provider
    assert found.reply is not None
    assert found.reply.code == 535


def test_a_login_that_is_accepted_the_next_time_works() -> None:
    async def main(loop: NetworkLoop) -> None:
        loop.peers["127.0.0.1"] = Peer({"AUTH": [b"454 4.7.0 later\r\n"]})
        upstream = World().upstream()
        with pytest.raises(LoginFailed):
            await upstream.open(MAILBOX)
        assert (await upstream.open(MAILBOX)).is_usable

    on_virtual_time(main)


# who failed, and how: stage, class, the provider's or the mailbox's, was a login sent

LIE = b"220 one\r\n250 two\r\n"
CASES: list[tuple[str, dict[str, list[Answer]], Sequence[str], Stage, str, bool, bool]] = [
    ("banner refuses", {"BANNER": [b"554 5.7.1 go away\r\n"]}, OFFER, Stage.CONNECT, "ip-blocked", True, False),
    ("banner later", {"BANNER": [b"421 4.3.2 full\r\n"]}, OFFER, Stage.CONNECT, "outage", True, False),
    ("banner garbage", {"BANNER": [b"SSH-2.0-OpenSSH\r\n"]}, OFFER, Stage.CONNECT, "protocol-error", True, False),
    ("two banners", {"BANNER": [LIE]}, OFFER, Stage.CONNECT, "protocol-error", True, False),
    ("banner hangs", {"BANNER": [Act.HANG]}, OFFER, Stage.CONNECT, "network", True, False),
    ("banner drops", {"BANNER": [Act.CLOSE]}, OFFER, Stage.CONNECT, "network", True, False),
    ("banner breaks", {"BANNER": [b"220-mai"]}, OFFER, Stage.CONNECT, "network", True, False),
    ("banner endless", {"BANNER": [Flood(b"x" * 1000, 10**7)]}, OFFER, Stage.CONNECT, "protocol-error", True, False),
    ("banner slow", {"BANNER": [Trickle(b"220 hello there\r\n", 30)]}, OFFER, Stage.CONNECT, "network", True, False),
    ("ehlo refused", {"EHLO": [b"550 5.7.1 who?\r\n"]}, OFFER, Stage.EHLO, "ip-blocked", True, False),
    ("ehlo later", {"EHLO": [b"451 4.3.0 later\r\n"]}, OFFER, Stage.EHLO, "outage", True, False),
    ("ehlo drops", {"EHLO": [Act.RESET]}, OFFER, Stage.EHLO, "network", True, False),
    ("ehlo odd", {"EHLO": [b"220 what\r\n"]}, OFFER, Stage.EHLO, "protocol-error", True, False),
    ("no auth", {}, ("PIPELINING",), Stage.AUTH, "auth-method", True, False),
    ("only ntlm", {}, ("AUTH GSSAPI NTLM",), Stage.AUTH, "auth-method", False, False),
    ("auth refused", {"AUTH": [b"535 5.7.8 no\r\n"]}, OFFER, Stage.AUTH, "auth-rejected", False, True),
    ("auth app password", {"AUTH": [b"534 5.7.9 app\r\n"]}, OFFER, Stage.AUTH, "auth-method", False, True),
    ("auth unknown", {"AUTH": [b"504 5.5.4 no such\r\n"]}, OFFER, Stage.AUTH, "auth-method", False, True),
    ("auth needs tls", {"AUTH": [b"538 5.7.11 tls\r\n"]}, OFFER, Stage.AUTH, "tls-required", True, True),
    ("auth later", {"AUTH": [b"454 4.7.0 later\r\n"]}, OFFER, Stage.AUTH, "auth-temporary", False, True),
    ("auth closing", {"AUTH": [b"421 4.7.0 bye\r\n"]}, OFFER, Stage.AUTH, "auth-temporary", False, True),
    ("auth drops", {"AUTH": [Act.CLOSE]}, OFFER, Stage.AUTH, "network", False, True),
    ("auth hangs", {"AUTH": [Act.HANG]}, OFFER, Stage.AUTH, "network", False, True),
    ("auth challenge", {"AUTH": [b"334 dGVsbA==\r\n"]}, OFFER, Stage.AUTH, "protocol-error", False, True),
    ("auth and more", {"AUTH": [b"235 ok\r\n250 mail\r\n"]}, OFFER, Stage.AUTH, "protocol-error", False, True),
]


@pytest.mark.parametrize(
    ("script", "offer", "stage", "meaning", "is_provider", "is_sent"),
    [case[1:] for case in CASES],
    ids=[case[0] for case in CASES],
)
def test_a_failure_says_where_and_who(
    script: dict[str, list[Answer]],
    offer: Sequence[str],
    stage: Stage,
    meaning: str,
    is_provider: bool,
    is_sent: bool,
) -> None:
    found, _ = failure(Peer(script, offer))
    assert (found.stage, found.reply_class) == (stage, meaning)
    assert found.is_provider is is_provider
    assert found.is_login_sent is is_sent


def test_what_was_not_offered_is_shown_by_what_was() -> None:
    found, _ = failure(Peer(offer=("SIZE 1000", "AUTH NTLM")))
    assert found.reply is not None
    assert "AUTH NTLM" in found.reply.text


# encryption


def test_without_starttls_nothing_is_logged_in() -> None:
    peer = Peer()
    world = World(replace(PROVIDER, tls=Tls.STARTTLS))
    world._trust = lambda provider: ssl.create_default_context()  # type: ignore[method-assign]
    found, _ = failure(peer, world)
    assert (found.reply_class, found.stage, found.is_provider) == ("tls-required", Stage.STARTTLS, True)
    assert found.reason == "tls-not-offered"
    assert peer.verbs() == ["EHLO"]


@pytest.mark.parametrize(
    ("answer", "meaning", "reason"),
    [
        (b"454 4.7.0 not now\r\n", "outage", "tls-refused"),
        (b"421 4.3.2 closing\r\n", "outage", "outage"),
        (b"502 5.5.1 no\r\n", "tls-required", "tls-refused"),
        (b"554 5.7.1 Client host [203.0.113.9] blocked\r\n", "ip-blocked", "ip-blocked"),
        (b"220 go\r\n250 injected\r\n", "protocol-error", "tls-injected"),
        (b"what?\r\n", "protocol-error", "protocol-error"),
        (Act.CLOSE, "network", "network"),
        (Act.HANG, "network", "network"),
    ],
)
def test_a_starttls_that_does_not_come_about_ends_the_session(answer: Answer, meaning: str, reason: str) -> None:
    peer = Peer({"STARTTLS": [answer]}, ("STARTTLS", "AUTH PLAIN"))
    world = World(replace(PROVIDER, tls=Tls.STARTTLS))
    world._trust = lambda provider: ssl.create_default_context()  # type: ignore[method-assign]
    found, _ = failure(peer, world)
    assert (found.reply_class, found.stage) == (meaning, Stage.STARTTLS)
    assert (found.reason, found.is_login_sent) == (reason, False)
    assert "AUTH" not in peer.verbs()


@pytest.mark.parametrize("tls", [Tls.STARTTLS, Tls.IMPLICIT])
def test_an_authority_that_cannot_be_read_is_no_reason_to_do_without(tls: Tls) -> None:
    peer = Peer(offer=("STARTTLS", "AUTH PLAIN"))
    found, _ = failure(peer, World(replace(PROVIDER, tls=tls, tls_ca="gone.pem")))
    assert (found.reply_class, found.reason) == ("tls-required", "tls-ca-unreadable")
    assert "AUTH" not in peer.verbs()


def test_a_password_goes_in_clear_to_this_machine_only() -> None:
    outside = replace(PROVIDER, host="mail.test")
    found, loop = failure(None, World(outside, names={"mail.test": ["192.0.2.1"]}))
    assert (found.reply_class, found.reason) == ("tls-required", "clear-text")
    assert loop.dialled == []
    found, loop = failure(None, World(outside, names={"mail.test": ["127.0.0.1", "192.0.2.1"]}))
    assert loop.dialled == []
    found, loop = failure(None, World(replace(outside, allow_plaintext=True), names={"mail.test": ["192.0.2.1"]}))
    assert loop.dialled == ["192.0.2.1"]


# names and addresses


def test_a_literal_address_is_not_looked_up() -> None:
    world = World()
    failure(Peer({"BANNER": [b"421 no\r\n"]}), world)
    assert world.looked_up == []


def test_a_name_is_looked_up_for_its_provider() -> None:
    world = World(replace(PROVIDER, host="mail.test"), names={"mail.test": ["127.0.0.1"]})
    failure(Peer({"BANNER": [b"421 no\r\n"]}), world)
    assert world.looked_up == [("lab", "mail.test")]


@pytest.mark.parametrize("names", [{}, {"mail.test": []}])
def test_a_name_without_addresses_is_the_providers_failure(names: dict[str, Sequence[str]]) -> None:
    found, _ = failure(None, World(replace(PROVIDER, host="mail.test"), names=names))
    assert (found.reply_class, found.stage, found.is_provider) == ("network", Stage.CONNECT, True)
    assert not found.is_login_sent


def test_the_next_address_is_tried_when_one_does_not_answer() -> None:
    async def main(loop: NetworkLoop) -> float:
        loop.peers["127.0.0.3"] = Peer()
        loop.dead.add("127.0.0.1")
        names = {"mail.test": ["127.0.0.1", "127.0.0.2", "127.0.0.3"]}
        session = await World(replace(PROVIDER, host="mail.test"), names=names).upstream().open(MAILBOX)
        assert session.is_usable
        assert loop.dialled == names["mail.test"]
        return loop.time()

    assert on_virtual_time(main) == pytest.approx(10), "the dead one took its third of the time to connect"


def test_only_a_few_addresses_are_tried() -> None:
    names = {"mail.test": [f"127.0.0.{number}" for number in range(1, 20)]}
    found, loop = failure(None, World(replace(PROVIDER, host="mail.test"), names=names))
    assert len(loop.dialled) == ADDRESSES_TRIED
    assert found.reply_class == "network"


def test_a_host_that_never_answers_is_given_up_after_the_time_to_connect() -> None:
    async def main(loop: NetworkLoop) -> None:
        loop.dead.add("127.0.0.1")
        with pytest.raises(LoginFailed) as caught:
            await World(replace(PROVIDER, timeouts=Timeouts(connect=7_000_000))).upstream().open(MAILBOX)
        assert caught.value.failure.reply_class == "network"
        assert loop.time() == pytest.approx(7)

    on_virtual_time(main)


def test_a_name_server_that_hangs_is_given_up_too() -> None:
    async def main(loop: NetworkLoop) -> None:
        world = World(replace(PROVIDER, host="mail.test"))

        async def hang(provider: str, host: str) -> Sequence[str]:
            return await asyncio.get_running_loop().create_future()  # type: ignore[no-any-return]

        world._resolve = hang  # type: ignore[method-assign]
        with pytest.raises(LoginFailed):
            await world.upstream().open(MAILBOX)
        assert loop.time() == pytest.approx(30)

    on_virtual_time(main)


# what the routing does not have


def test_a_mailbox_that_left_the_routing_is_not_logged_in() -> None:
    found, loop = failure(None, World(is_routed=False))
    assert found.reply_class == "no-account"
    assert loop.dialled == []


def test_a_mailbox_without_credentials_is_not_logged_in() -> None:
    found, loop = failure(None, World(secret=None))
    assert (found.reply_class, found.is_login_sent) == ("no-credentials", False)
    assert loop.dialled == []


def test_a_password_is_no_token_and_nobody_is_called_for_want_of_one() -> None:
    found, loop = failure(None, World(OAUTH))
    assert (found.reply_class, found.reason) == ("auth-method", "no-token")
    assert loop.dialled == []


def test_no_secret_shows() -> None:
    assert "segreta" not in repr(Route(PROVIDER, "segreta"))
    found, _ = failure(Peer({"AUTH": [b"535 5.7.8 no\r\n"]}))
    assert "segreta" not in repr(found)


# the routing changes


@pytest.mark.parametrize(
    ("change", "is_good"),
    [
        ({}, True),
        ({"limits": (Limit(1, SECOND),), "session_messages": 7, "connections": 3}, True),
        ({"host": "127.0.0.2"}, False),
        ({"port": 2527}, False),
        ({"tls": Tls.IMPLICIT}, False),
        ({"auth": Auth.NONE}, False),
    ],
)
def test_a_session_serves_as_long_as_the_routing_leads_the_same_way(change: dict[str, Any], is_good: bool) -> None:
    async def main(loop: NetworkLoop) -> None:
        peer = loop.peers["127.0.0.1"] = Peer()
        world = World()
        session = await world.upstream().open(MAILBOX)
        world.provider = replace(PROVIDER, **change)
        assert session.is_usable is is_good
        await session.close()
        assert peer.verbs()[-1] == "QUIT"

    on_virtual_time(main)


def test_a_session_ends_with_the_credential_that_opened_it() -> None:
    async def main(loop: NetworkLoop) -> None:
        loop.peers["127.0.0.1"] = Peer()
        world = World()
        session = await world.upstream().open(MAILBOX)
        usable = [session.is_usable]
        world.secret = "nuova"
        usable.append(session.is_usable)
        world.secret = "segreta"
        usable.append(session.is_usable)
        world.is_routed = False
        usable.append(session.is_usable)
        assert usable == [True, False, True, False]

    on_virtual_time(main)


# cancellation


@pytest.mark.parametrize("verb", ["BANNER", "EHLO", "AUTH"])
def test_a_cancelled_login_leaves_nothing_open(verb: str) -> None:
    async def main(loop: NetworkLoop) -> None:
        loop.peers["127.0.0.1"] = Peer({verb: [Act.HANG]})
        opening = asyncio.ensure_future(World().upstream().open(MAILBOX))
        await asyncio.sleep(1)
        assert not opening.done()
        opening.cancel()
        with pytest.raises(asyncio.CancelledError):
            await opening
        assert loop.pipes[0].is_aborted

    on_virtual_time(main)


def test_the_answer_to_ehlo_decides_what_is_used() -> None:
    async def main(loop: NetworkLoop) -> None:
        peer = loop.peers["127.0.0.1"] = Peer({"EHLO": [ehlo("AUTH PLAIN", "SIZE 5")]})
        session = await World().upstream().open(MAILBOX)

        async def gate() -> bool:
            return True

        envelope = Envelope("dottore@example.it", (Recipient("p@example.org"),))
        result = await session.transmit(envelope, b"too long\r\n", gate)
        assert result.reply_class == "message-too-large"
        assert "MAIL" not in peer.verbs()

    on_virtual_time(main)


# the routing changes meanwhile


def test_a_refusal_of_a_password_that_was_changed_meanwhile_says_so() -> None:
    class Edited(World):
        """Whoever asks a second time gets another password."""

        def _route(self, mailbox: MailboxId) -> Route | None:
            route = super()._route(mailbox)
            self.secret = "corretta"
            return route

    refused, _ = failure(Peer({"AUTH": [b"535 5.7.8 no\r\n"]}), Edited())
    assert refused.reply_class == "auth-rejected"
    assert refused.is_outdated
    assert not failure(Peer({"AUTH": [b"535 5.7.8 no\r\n"]}))[0].is_outdated


# what a session was opened with


def test_with_oauth2_another_client_is_another_way_in_and_without_it_is_not() -> None:
    client = OAuthClient("id", None, "https://login.example/token")
    for auth, is_same in ((Auth.OAUTH2, False), (Auth.PASSWORD, True)):
        one, other = (replace(PROVIDER, auth=auth, oauth=each) for each in (client, replace(client, client_id="new")))
        assert Route(one).is_as(Route(other)) is is_same
        assert Route(one).is_as(Route(replace(one, connections=7)))


def test_what_was_wrong_before_an_edit_says_nothing_about_the_client_of_now() -> None:
    world = World(OAUTH)

    class Mended(FakeTokens):
        async def __call__(self, mailbox: MailboxId) -> str:
            world.provider = replace(OAUTH, oauth=OAuthClient("the right one"))
            return await super().__call__(mailbox)

    world.tokens = Mended(trouble=NoToken(ReplyClass.AUTH_METHOD, Fault.OAUTH_CLIENT, is_provider=True))
    found, _ = failure(None, world)
    assert (found.reason, found.is_outdated) == ("oauth-client", True)
