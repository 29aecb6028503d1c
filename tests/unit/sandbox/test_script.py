"""A scripted reply answers the next commands of its stage with the very text, as often as it says."""

import pytest

from relay.core.words import Stage
from relay.errors import ConfigError
from relay.sandbox.script import Act, Script, parse_reply
from relay.sandbox.voice import FLOOD_BYTES, After
from tests.unit.sandbox.peer import FakeWorld, Peer, provider_of, records

LINES = {
    Stage.EHLO: "EHLO x",
    Stage.STARTTLS: "STARTTLS",
    Stage.AUTH: "AUTH PLAIN AG1hcmlvAHB3",
    Stage.MAIL: "MAIL FROM:<a@x>",
    Stage.RCPT: "RCPT TO:<b@x>",
    Stage.DATA: "DATA",
    Stage.EOD: "x\r\n.",
}


def replies(peer: Peer, stage: Stage) -> str:
    """Walks to `stage` and returns its reply."""
    if stage is Stage.CONNECT:
        return peer.banner
    for at, line in LINES.items():
        if at is Stage.STARTTLS and at is not stage:
            continue
        reply = peer.say(line)
        if at is stage:
            return reply
    raise AssertionError(stage)


@pytest.mark.parametrize("stage", list(Stage))
def test_every_stage_can_be_answered_with_any_text(world: FakeWorld, stage: Stage) -> None:
    provider = provider_of(world, replies=(f"{stage}:451 4.7.1 not today",))
    peer = Peer(provider, can_upgrade=True)
    assert replies(peer, stage) == "451 4.7.1 not today\r\n"
    event = "auth" if stage is Stage.AUTH else "refused"
    assert [(r["stage"], r["reply"]) for r in records(provider, event)] == [(stage, "451 4.7.1 not today")]
    assert records(provider, "delivered") == []


def test_a_count_ends_it_and_the_next_of_the_stage_follows(peer: Peer) -> None:
    for text in ("mail:450 first*2", "mail:550 second*1"):
        peer.provider.script.add(parse_reply(text))
    said = [peer.say("MAIL FROM:<a@x>").strip() for _ in range(4)]
    assert said == ["450 first", "450 first", "550 second", "250 2.1.0 Sender ok"]


def test_without_a_count_it_stays_for_ever(peer: Peer) -> None:
    peer.provider.script.add(parse_reply("rcpt:550 5.1.1 no such user"))
    assert {peer.mail() for _ in range(5)} == {"550 5.1.1 no such user\r\n"}


def test_what_is_meant_for_one_user_nobody_else_hears(peer: Peer) -> None:
    for text in ("auth@anna:535 5.7.8 not you", "rcpt@mario:550 5.7.1 no*1", "rcpt:450 later*1"):
        peer.provider.script.add(parse_reply(text))
    anna = Peer(peer.provider, 2)
    assert anna.login("anna").strip() == "535 5.7.8 not you"
    peer.login("mario")
    assert peer.mail() == "550 5.7.1 no\r\n"
    assert peer.mail() == "450 later\r\n", "then he hears what is meant for all"
    assert peer.mail().startswith("250")


def test_a_scripted_success_takes_effect_with_its_own_words(peer: Peer) -> None:
    peer.provider.script.add(parse_reply("eod:250 2.0.0 in coda come ABC*1"))
    assert peer.mail() == "250 2.0.0 in coda come ABC\r\n"
    assert [r["reply"] for r in records(peer.provider, "delivered")] == ["250 2.0.0 in coda come ABC"]


def test_a_refusal_at_mail_uses_up_no_limit(world: FakeWorld) -> None:
    peer = Peer(provider_of(world, limits=("1/1s",), replies=("mail:451 later*3",)))
    peer.login()
    assert [peer.mail()[:3] for _ in range(5)] == ["451", "451", "451", "250", "450"]


def test_421_closes_the_connection(peer: Peer) -> None:
    peer.provider.script.add(parse_reply("mail:421 4.7.0 go away"))
    assert peer.say("MAIL FROM:<a@x>") == "421 4.7.0 go away\r\n"
    assert peer.last.after is After.CLOSE


@pytest.mark.parametrize(
    ("text", "wire"),
    [
        (r"mail:450-4.7.1 one\n450 4.7.1 two", "450-4.7.1 one\n450 4.7.1 two"),
        (r"mail:one\n450 two", "450-one\n450 two"),
        (r"mail:450-one\ntwo", "450-one\n450 two"),
        ("mail:450-one\r\ntwo", "450-one\n450 two"),
        ("mail:troppi messaggi", "550 troppi messaggi"),
        ("mail:250-never ends", "250-never ends"),
        ("mail:550", "550"),
        ("mail:450 a:b*c", "450 a:b*c"),
    ],
)
def test_lines_with_a_code_stay_and_others_get_the_code_of_the_reply(text: str, wire: str) -> None:
    assert parse_reply(text).text == wire


@pytest.mark.parametrize(
    ("text", "data", "after"),
    [
        ("eod:!drop", b"", After.DROP),
        ("eod:!drop 250 2.0", b"250 2.0", After.DROP),
        ("eod:!hang", b"", After.HANG),
        ("eod:!raw no code at all", b"no code at all\r\n", After.STAY),
        ("eod:!flood", b"2" * FLOOD_BYTES, After.HANG),
    ],
)
def test_misbehaviour_leaves_the_command_without_effect(peer: Peer, text: str, data: bytes, after: After) -> None:
    peer.provider.script.add(parse_reply(text))
    peer.mail()
    assert (peer.last.data == data, peer.last.after) == (True, after)
    assert records(peer.provider, "delivered") == []
    assert len(records(peer.provider, "fault")) == 1


@pytest.mark.parametrize("text", ["", "mail", "mail:", "mail:450 x*0", "quit:450 x", "mail:!explode"])
def test_what_is_no_scripted_reply_is_said_so(text: str) -> None:
    with pytest.raises(ConfigError, match=r"not a"):
        parse_reply(text)


def test_clear_brings_the_usual_replies_back() -> None:
    script = Script([parse_reply("mail:450 x")])
    script.clear()
    assert script.take(Stage.MAIL) is None


def test_acts_are_read_with_their_text() -> None:
    reply = parse_reply("connect:!drop 22*1")
    assert (reply.stage, reply.act, reply.text, reply.count) == (Stage.CONNECT, Act.DROP, "22", 1)
