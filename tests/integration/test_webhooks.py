"""Notices by webhook, over real TLS to a server that remembers and lies."""

import asyncio
import base64
import hashlib
import hmac
import json
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from relay.core.notice import Notice, NoticeType
from relay.core.remedy import Needs
from relay.core.webhooks import Answer, Dead, Later, Sent, Silence, read_keys
from relay.core.weburl import WebUrl, parse_web_url
from relay.notify.web import WebClient, WebSettings
from relay.notify.webhook import GONE_FOR, NoticeSender
from tests.fakes.web import Act, Names, Say, WebServer, answer, serving
from tests.misfortune.certificates import Shown, make

NOW = 1_795_340_102_000_000
SECRET = "whsec_" + base64.b64encode(bytes(range(32))).decode()
OLD = "whsec_" + base64.b64encode(b"o" * 24).decode()
NAME = "hooks.example"
NOTICE = Notice(
    id="n-17-auth",
    type=NoticeType.STOPPED,
    at=NOW - 5_000_000,
    provider="libero",
    mailbox="m.rossi@libero.it",
    accounts=("m.rossi@libero.it",),
    reason="auth-rejected",
    since=NOW - 9_000_000,
    waiting=30,
    needs=Needs.OWNER,
)


class World:
    """A sender, the names that it knows and the time that it goes by."""

    def __init__(
        self, shown: Shown | None, *, patience: float = 30.0, is_private_allowed: bool = True, secret: str = SECRET
    ) -> None:
        self.now = NOW
        self.names = Names(hooks_example=("127.0.0.1",))
        settings = WebSettings(
            is_private_allowed=is_private_allowed, authorities=None if shown is None else shown.authority
        )
        self.client = WebClient(settings, resolve=self.names, wall=lambda: self.now, patience=patience)
        self.secret = secret

    def sender(self, url: WebUrl) -> NoticeSender:
        keys = read_keys(self.secret) if self.secret else ()

        async def found() -> tuple[bytes, ...]:
            return keys

        return NoticeSender(url, self.client, keys=found, wall=lambda: self.now, chance=lambda: 0.0)

    async def send(self, server: WebServer, tries: int = 1, *, notice: Notice = NOTICE):
        return await self.sender(at(server)).send(notice, tries)


def at(server: WebServer, target: str = "/hook?token=s3cret", *, name: str = NAME) -> WebUrl:
    return parse_web_url(f"https://{name}:{server.port}{target}")


@pytest.fixture(scope="module")
def shown(tmp_path_factory: pytest.TempPathFactory) -> Shown:
    return make(tmp_path_factory.mktemp("tls"), name=NAME)


@pytest.fixture
async def server(shown: Shown) -> AsyncIterator[WebServer]:
    async with serving(certificate=shown.certificate, key=shown.key) as running:
        yield running


async def test_ops_hears_of_a_notice_signed_and_without_a_patient(shown: Shown, server: WebServer) -> None:
    assert await World(shown).send(server) == Sent()

    (request,) = server.requests
    assert request.line == "POST /hook?token=s3cret HTTP/1.1"
    assert request.headers["host"] == f"{NAME}:{server.port}"
    assert request.headers["content-type"] == "application/json"
    assert request.server_name == NAME
    event = json.loads(request.body)
    assert list(event) == ["type", "timestamp", "data"]
    assert (event["type"], event["timestamp"]) == ("mailbox.stopped", "2026-11-22T09:34:57Z")
    assert event["data"] == {
        "provider": "libero",
        "mailbox": "m.rossi@libero.it",
        "reason": "auth-rejected",
        "circumstance": None,
        "waiting": 30,
        "needs": "owner",
        "paid_until": None,
        "count": None,
        "usual": None,
        "accounts": ["m.rossi@libero.it"],
        "accounts_total": 1,
        "since": "2026-11-22T09:34:53Z",
        "next_try": None,
    }


async def test_a_receiver_that_follows_the_specification_believes_it(shown: Shown, server: WebServer) -> None:
    await World(shown).send(server)
    (request,) = server.requests
    ident, stamp = request.headers["webhook-id"], request.headers["webhook-timestamp"]
    assert (ident, stamp) == ("n-17-auth", str(NOW // 1_000_000))
    assert request.headers["webhook-signature"] == signature(bytes(range(32)), ident, stamp, request.body)


async def test_while_a_secret_is_replaced_both_sign(shown: Shown, server: WebServer) -> None:
    await World(shown, secret=f"{SECRET} {OLD}").send(server)
    (request,) = server.requests
    stamp = request.headers["webhook-timestamp"]
    both = [signature(key, "n-17-auth", stamp, request.body) for key in (bytes(range(32)), b"o" * 24)]
    assert request.headers["webhook-signature"].split(" ") == both


async def test_without_a_secret_it_is_sent_and_not_signed(shown: Shown, server: WebServer) -> None:
    assert await World(shown, secret="").send(server) == Sent()
    assert "webhook-signature" not in server.requests[0].headers


async def test_another_try_has_the_same_id_a_new_time_and_its_own_signature(shown: Shown, server: WebServer) -> None:
    server.script = [answer(500)]
    world = World(shown)
    assert await world.send(server) == Later(5_000_000, "status-500")
    world.now += 5_000_000
    assert await world.send(server, 2) == Sent()

    first, second = server.requests
    assert first.headers["webhook-id"] == second.headers["webhook-id"]
    assert int(second.headers["webhook-timestamp"]) - int(first.headers["webhook-timestamp"]) == 5
    assert first.headers["webhook-signature"] != second.headers["webhook-signature"]
    assert first.body == second.body


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_no_redirect_is_followed(shown: Shown, server: WebServer, status: int) -> None:
    server.script = [answer(status, f"Location: https://{NAME}:{server.port}/other")]
    assert await World(shown).send(server) == Later(5_000_000, f"status-{status}")
    assert len(server.requests) == 1


@pytest.mark.parametrize("status", [200, 201, 202, 204, 299])
async def test_any_answer_of_success_is_enough(shown: Shown, server: WebServer, status: int) -> None:
    server.script = [answer(status)]
    assert await World(shown).send(server) == Sent()


@pytest.mark.parametrize("status", [400, 401, 403, 404, 422, 500, 501, 502, 503])
async def test_any_other_is_tried_again_and_dead_after_the_last(shown: Shown, server: WebServer, status: int) -> None:
    server.script = [answer(status), answer(status)]
    world = World(shown)
    assert await world.send(server, 9) == Later(24 * 3600 * 1_000_000, f"status-{status}")
    assert await world.send(server, 10) == Dead(f"status-{status}")


async def test_a_receiver_that_asks_for_patience_gets_it(shown: Shown, server: WebServer) -> None:
    server.script = [answer(503, "Retry-After: 600")]
    assert await World(shown).send(server) == Later(600_000_000, "status-503")


async def test_who_says_gone_is_left_alone_for_a_day(shown: Shown, server: WebServer) -> None:
    server.script = [answer(410)]
    world = World(shown)
    sender = world.sender(at(server))
    assert await sender.send(NOTICE, 1) == Dead("status-410")
    assert await sender.send(NOTICE, 1) == Dead("status-410")
    assert len(server.requests) == 1
    world.now += GONE_FOR
    assert await sender.send(NOTICE, 1) == Sent()


@pytest.mark.parametrize(
    ("lie", "patience", "reason"),
    [
        (Act.HANG, 1.0, Silence.TIMEOUT),
        (Act.TRICKLE, 1.0, Silence.TIMEOUT),
        (Act.CLOSE, 60.0, Silence.NONSENSE),
        (Act.FLOOD_HEADERS, 60.0, Silence.NONSENSE),
        (b"SSH-2.0-OpenSSH\r\n\r\n", 60.0, Silence.NONSENSE),
        (b"HTTP/1.1 9999 x\r\n\r\n", 60.0, Silence.NONSENSE),
    ],
)
async def test_no_lie_holds_it_up_for_ever(
    shown: Shown, server: WebServer, lie: Say, patience: float, reason: Silence
) -> None:
    server.script = [lie]
    assert await World(shown, patience=patience).send(server) == Later(5_000_000, str(reason))


async def test_a_body_without_an_end_is_not_read(shown: Shown, server: WebServer) -> None:
    server.script = [Act.FLOOD_BODY]
    assert await World(shown).send(server) == Sent()
    assert server.sent < 50_000_000


# whom it connects to


async def test_the_name_is_asked_once_and_the_address_that_was_looked_at_is_the_one(
    shown: Shown, server: WebServer
) -> None:
    """A name that leads elsewhere at the second look (DNS rebinding) finds no second look."""
    world = World(shown)
    assert await world.send(server) == Sent()
    assert world.names.asked == [NAME]
    assert server.requests[0].server_name == NAME


@pytest.mark.parametrize(
    "address", ["127.0.0.1", "::1", "::ffff:127.0.0.1", "10.0.0.8", "192.168.1.1", "169.254.169.254", "fd00::1"]
)
async def test_a_name_that_leads_inside_is_refused(shown: Shown, server: WebServer, address: str) -> None:
    world = World(shown, is_private_allowed=False)
    world.names.known[NAME] = (address,)
    assert await world.send(server) == Later(5_000_000, "refused-address")
    assert server.connections == 0


async def test_metadata_is_refused_even_where_private_addresses_are_allowed(shown: Shown, server: WebServer) -> None:
    world = World(shown)
    world.names.known[NAME] = ("169.254.169.254", "fe80::1", "0.0.0.0", "::")
    assert await world.send(server) == Later(5_000_000, "refused-address")


async def test_of_several_addresses_one_that_is_dead_does_not_matter(shown: Shown, server: WebServer) -> None:
    world = World(shown)
    world.names.known[NAME] = ("127.0.0.2", "169.254.169.254", "127.0.0.1")
    assert await world.send(server) == Sent()
    assert len(server.requests) == 1


async def test_a_name_that_nobody_knows_is_tried_again(shown: Shown, server: WebServer) -> None:
    world = World(shown)
    world.names.known.clear()
    assert await world.send(server) == Later(5_000_000, "unknown-host")
    world.names.known[NAME] = ()
    assert await world.send(server) == Later(5_000_000, "unknown-host")


async def test_a_name_server_that_hangs_holds_nothing_up(shown: Shown, server: WebServer) -> None:
    async def hang(_: str) -> list[str]:
        await asyncio.Event().wait()
        return []

    async def give_up(_: str) -> list[str]:
        raise TimeoutError

    for resolve in (hang, give_up):
        client = WebClient(WebSettings(), resolve=resolve, wall=lambda: NOW, patience=0.2)
        assert await client.ask("GET", at(server)) is Silence.TIMEOUT


def test_where_notices_go_is_shown_without_what_may_be_secret(shown: Shown) -> None:
    assert World(shown).sender(parse_web_url(f"https://{NAME}/s3cret?token=s3cret")).origin == f"https://{NAME}"


async def test_nobody_who_cannot_prove_his_name_gets_it(shown: Shown, server: WebServer) -> None:
    assert await World(None).send(server) == Later(5_000_000, "unverified"), "an authority that nobody knows"
    world = World(shown)
    world.names.known["other.example"] = ("127.0.0.1",)
    elsewhere = world.sender(at(server, name="other.example"))
    assert await elsewhere.send(NOTICE, 1) == Later(5_000_000, "unverified"), "another's name"
    assert server.requests == []


async def test_an_expired_certificate_is_no_proof(tmp_path: Path) -> None:
    old = make(tmp_path, name=NAME, begins=-4, ends=-1)
    async with serving(certificate=old.certificate, key=old.key) as server:
        assert await World(old).send(server) == Later(5_000_000, "unverified")
        assert server.requests == []


async def test_it_is_never_sent_in_clear(shown: Shown) -> None:
    async with serving() as server:
        outcome = await World(shown, patience=2.0).send(server)
        assert isinstance(outcome, Later), "a server without TLS waits for ever for a request that it understands"
        world = World(shown)
        world.names.known[NAME] = ("127.0.0.1",)
        clear = world.sender(parse_web_url(f"http://{NAME}:{server.port}/"))
        assert await clear.send(NOTICE, 1) == Later(5_000_000, "refused-address")
        assert server.requests == []


async def test_to_this_machine_it_may_be_clear_where_that_is_allowed() -> None:
    async with serving() as server:
        url = parse_web_url(f"http://127.0.0.1:{server.port}/hook")
        allowed, refused = World(None), World(None, is_private_allowed=False)
        allowed.names.known["127.0.0.1"] = refused.names.known["127.0.0.1"] = ("127.0.0.1",)
        assert await refused.sender(url).send(NOTICE, 1) == Later(5_000_000, "refused-address")
        assert await allowed.sender(url).send(NOTICE, 1) == Sent()


async def test_a_proxy_of_the_environment_sees_nothing(
    shown: Shown, server: WebServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with serving() as proxy:
        for name in ("HTTPS_PROXY", "https_proxy", "ALL_PROXY"):
            monkeypatch.setenv(name, f"http://127.0.0.1:{proxy.port}")
        assert await World(shown).send(server) == Sent()
        assert proxy.connections == 0


async def test_who_hangs_up_in_the_middle_of_tls_is_tried_again(shown: Shown) -> None:
    async def hang_up(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.close()

    listening = await asyncio.start_server(hang_up, "127.0.0.1", 0)
    try:
        world = World(shown)
        port = listening.sockets[0].getsockname()[1]
        outcome = await world.sender(parse_web_url(f"https://{NAME}:{port}/")).send(NOTICE, 1)
        assert isinstance(outcome, Later)
    finally:
        listening.close()


async def test_a_cancelled_request_is_cancelled(shown: Shown, server: WebServer) -> None:
    server.script = [Act.HANG]
    asking = asyncio.create_task(World(shown).client.ask("GET", at(server)))
    await asyncio.wait_for(server.asked.wait(), 60)
    asking.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asking


async def test_an_answer_is_a_status_and_a_wish(shown: Shown, server: WebServer) -> None:
    server.script = [answer(429, "Retry-After: Sun, 22 Nov 2026 09:36:02 GMT", body=b"no")]
    assert await World(shown).client.ask("GET", at(server)) == Answer(429, 60_000_000)


def signature(key: bytes, ident: str, stamp: str, body: bytes) -> str:
    """Computed from the specification alone."""
    signed = ident.encode() + b"." + stamp.encode() + b"." + body
    return "v1," + base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()
