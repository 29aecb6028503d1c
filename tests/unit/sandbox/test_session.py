"""A session speaks SMTP as a provider does: in order, in the open about what it offers, and never confused."""

from base64 import b64encode

import pytest

from relay.sandbox.script import parse_reply
from relay.sandbox.voice import After
from tests.unit.sandbox.peer import FakeWorld, Peer, provider_of, records


def b64(text: str) -> str:
    return b64encode(text.encode()).decode()


def test_it_greets_with_its_name(world: FakeWorld) -> None:
    assert Peer(provider_of(world)).banner == "220 sandbox.test ESMTP sandbox\r\n"


@pytest.mark.parametrize(
    "offer", ["PIPELINING", "SIZE 100000000", "8BITMIME", "SMTPUTF8", "ENHANCEDSTATUSCODES", "DSN", "AUTH PLAIN LOGIN"]
)
def test_ehlo_offers_what_clients_look_for(world: FakeWorld, offer: str) -> None:
    lines = Peer(provider_of(world)).say("EHLO relay.test").splitlines()
    assert offer in [line[4:] for line in lines]
    assert [line[3] for line in lines] == ["-"] * (len(lines) - 1) + [" "]


def test_starttls_is_offered_only_where_it_can_be_had_and_only_once(world: FakeWorld) -> None:
    assert "STARTTLS" not in Peer(provider_of(world)).say("EHLO x")
    peer = Peer(provider_of(world), can_upgrade=True)
    assert "STARTTLS" in peer.say("EHLO x")
    assert peer.say("STARTTLS now").startswith("501")
    peer.say("STARTTLS")
    assert peer.last.after is After.UPGRADE
    peer.session.upgraded()
    assert peer.codes("MAIL FROM:<a@x>") == ["503"], "what was said in clear is forgotten"
    assert "STARTTLS" not in peer.say("EHLO x")


def test_what_comes_in_clear_behind_starttls_is_not_obeyed(world: FakeWorld) -> None:
    peer = Peer(provider_of(world), can_upgrade=True)
    peer.say("EHLO x")
    assert peer.send(b"STARTTLS\r\nEHLO evil\r\nNOOP\r\n") == "220 2.0.0 Ready to start TLS\r\n"
    peer.session.upgraded()
    assert peer.send(b"") == ""


def test_a_login_is_forgotten_under_tls(world: FakeWorld) -> None:
    peer = Peer(provider_of(world, users={"mario": "pw"}), can_upgrade=True)
    peer.login()
    peer.say("STARTTLS")
    peer.session.upgraded()
    peer.say("EHLO x")
    assert peer.say("MAIL FROM:<a@x>").startswith("530 5.7.0")


def test_a_transaction_does_not_go_on_under_tls(world: FakeWorld) -> None:
    peer = Peer(provider_of(world), can_upgrade=True)
    peer.codes("EHLO x", "MAIL FROM:<a@x>", "RCPT TO:<b@x>", "STARTTLS")
    peer.session.upgraded()
    assert peer.codes("DATA", "RCPT TO:<b@x>") == ["503", "503"]


@pytest.mark.parametrize(
    "lines",
    [
        [f"AUTH PLAIN {b64(chr(0) + 'mario' + chr(0) + 'pw')}"],
        [f"auth plain {b64('other' + chr(0) + 'mario' + chr(0) + 'pw')}"],
        ["AUTH PLAIN", b64("\0mario\0pw")],
        ["AUTH LOGIN", b64("mario"), b64("pw")],
        [f"AUTH login {b64('mario')}", b64("pw")],
    ],
)
def test_both_mechanisms_work_with_and_without_initial_response(world: FakeWorld, lines: list[str]) -> None:
    provider = provider_of(world, users={"mario": "pw"})
    peer = Peer(provider)
    peer.say("EHLO x")
    assert peer.codes(*lines) == ["334"] * (len(lines) - 1) + ["235"]
    assert [record["user"] for record in records(provider, "auth")] == ["mario"]


@pytest.mark.parametrize(
    ("lines", "reply"),
    [
        (["AUTH PLAIN !!!"], "501 5.5.2"),
        (["AUTH PLAIN " + b64("no parts")], "501 5.5.4"),
        (["AUTH PLAIN", "*"], "501 5.7.0"),
        (["AUTH CRAM-MD5"], "504 5.5.4"),
        (["AUTH PLAIN " + b64("\0mario\0wrong")], "535 5.7.8"),
        (["AUTH PLAIN " + b64("\0nobody\0pw")], "535 5.7.8"),
        (["AUTH PLAIN ="], "501 5.5.4"),
    ],
)
def test_a_login_that_goes_wrong_says_how_and_leaves_the_session_usable(
    world: FakeWorld, lines: list[str], reply: str
) -> None:
    peer = Peer(provider_of(world, users={"mario": "pw"}))
    peer.say("EHLO x")
    assert [peer.say(line) for line in lines][-1].startswith(reply)
    assert peer.login().startswith("235")


def test_a_second_login_is_refused(peer: Peer) -> None:
    assert peer.say("AUTH PLAIN " + b64("\0mario\0pw")).startswith("503")


def test_without_a_user_list_no_login_is_needed(world: FakeWorld) -> None:
    peer = Peer(provider_of(world))
    peer.say("EHLO x")
    assert peer.mail().startswith("250")


def test_with_a_user_list_nothing_goes_without_login_and_the_log_names_the_sender(world: FakeWorld) -> None:
    provider = provider_of(world, users={"mario": "pw"})
    peer = Peer(provider)
    peer.say("EHLO x")
    assert peer.say("MAIL FROM:<d@x.test>").startswith("530 5.7.0")
    assert [(r["stage"], r["from"], r["user"]) for r in records(provider, "refused")] == [("mail", "d@x.test", None)]


@pytest.mark.parametrize(
    ("lines", "codes"),
    [
        (["MAIL FROM:<a@x>"], ["503"]),
        (["EHLO x", "RCPT TO:<a@x>"], ["250", "503"]),
        (["EHLO x", "DATA"], ["250", "503"]),
        (["EHLO x", "MAIL FROM:<a@x>", "DATA"], ["250", "250", "503"]),
        (["EHLO x", "MAIL FROM:<a@x>", "MAIL FROM:<a@x>"], ["250", "250", "503"]),
        (["HELO x", "MAIL FROM:<a@x>", "RSET", "MAIL FROM:<>"], ["250", "250", "250", "250"]),
        (["EHLO x", "MAIL FROM:<a@x>", "EHLO x", "RCPT TO:<a@x>"], ["250", "250", "250", "503"]),
        (["EHLO x", "STARTTLS"], ["250", "502"]),
        (["NOOP", "VRFY a", "HELP", "BDAT 3", "", "GET / HTTP/1.1"], ["250", "252", "214", "500", "500", "500"]),
        (["EHLO x", "MAIL FROM:<a@x>", "RCPT TO:<b@x>", "DATA now"], ["250", "250", "250", "501"]),
    ],
)
def test_commands_out_of_order_are_refused(world: FakeWorld, lines: list[str], codes: list[str]) -> None:
    assert Peer(provider_of(world)).codes(*lines) == codes


def test_a_refused_command_leaves_the_transaction_as_it_was(peer: Peer) -> None:
    peer.codes("MAIL FROM:<a@x>", "RCPT TO:<b@x>", "MAIL FROM:<other@x>", "NONSENSE", "DATA")
    assert peer.send(b"x\r\n.\r\n").startswith("250")
    assert [(r["from"], r["rcpt"]) for r in records(peer.provider, "delivered")] == [("a@x", "b@x")]


def test_quit_says_goodbye_and_closes(peer: Peer) -> None:
    assert peer.say("QUIT").startswith("221")
    assert peer.last.after is After.CLOSE
    assert peer.say("NOOP") == ""


def test_pipelined_commands_are_answered_in_order(peer: Peer) -> None:
    text = peer.send(b"MAIL FROM:<a@x>\r\nRCPT TO:<b@x>\r\nDATA\r\nMessage-ID: <7@x>\r\n\r\n.\r\nMAIL FROM:<c@x>\r\n")
    assert [line[:3] for line in text.splitlines()] == ["250", "250", "354", "250", "250"]
    assert [r["id"] for r in records(peer.provider, "delivered")] == ["<7@x>"]


@pytest.mark.parametrize("line", [b"NOOP\n", b"NOOP\rQUIT\r\n", b"MAIL FROM:<a@x>\0\r\n"])
def test_only_cr_lf_ends_a_command(peer: Peer, line: bytes) -> None:
    assert peer.send(line).startswith("500 5.5.2")
    assert peer.say("NOOP").startswith("250")


def test_an_endless_line_is_refused_once_and_the_session_goes_on(peer: Peer) -> None:
    assert peer.send(b"x" * 100_000) == ""
    assert peer.send(b"x" * 100_000 + b"\r\n").startswith("500 5.5.2 Line too long")
    assert peer.say("NOOP").startswith("250")


def test_too_big_is_refused_when_announced_and_when_it_is_there(world: FakeWorld) -> None:
    provider = provider_of(world, max_size=1_000)
    peer = Peer(provider)
    peer.login()
    assert peer.say("MAIL FROM:<a@x> SIZE=1001").startswith("552 5.3.4")
    assert peer.mail(b"x" * 5_000 + b"\r\n").startswith("552 5.3.4")
    assert records(provider, "delivered") == []
    assert peer.mail(b"x" * 998 + b"\r\n").startswith("250"), "the session stays usable, and 1,000 bytes are allowed"


def test_too_many_recipients_are_put_off(world: FakeWorld) -> None:
    peer = Peer(provider_of(world, max_recipients=2))
    peer.login()
    assert peer.codes("MAIL FROM:<a@x>", *[f"RCPT TO:<{n}@x>" for n in range(3)]) == ["250", "250", "250", "452"]


def test_every_recipient_has_its_own_delivered_line(peer: Peer, world: FakeWorld) -> None:
    peer.codes("MAIL FROM:<a@x>", "RCPT TO:<b@x>", "RCPT TO:<c@x>", "DATA")
    world.advance(2.5)
    peer.send(b"Subject: x\r\nMessage-Id:\r\n <7@x>\r\n\r\nMessage-ID: <no>\r\n.\r\n")
    delivered = records(peer.provider, "delivered")
    assert [r["rcpt"] for r in delivered] == ["b@x", "c@x"]
    assert {(r["user"], r["from"], r["id"], r["size"], r["reply"], r["m"]) for r in delivered} == {
        ("mario", "a@x", "<7@x>", 53, "250 2.0.0 Ok: message taken", 1_002.5)
    }


def test_a_message_without_message_id_has_none(peer: Peer) -> None:
    peer.mail(b"Subject: x\r\n\r\nMessage-ID: <no>\r\n")
    assert records(peer.provider, "delivered")[0]["id"] is None


def test_the_log_tells_the_whole_story_in_order(peer: Peer) -> None:
    peer.mail()
    peer.say("QUIT")
    peer.session.lost()
    story = [record["event"] for record in peer.provider.journal.records]
    assert story == ["connect", "auth", "mail", "rcpt", "data", "delivered", "disconnect"]


def test_no_password_is_in_the_log(world: FakeWorld) -> None:
    provider = provider_of(world, users={"mario": "Geheim-7"})
    peer = Peer(provider)
    peer.login(password="Geheim-7")
    peer.session.lost()
    peer = Peer(provider)
    peer.login(password="Falsch-8")
    text = str(provider.journal.records)
    assert "mario" in text
    assert "Geheim-7" not in text
    assert "Falsch-8" not in text
    assert "Geheim-7" not in repr(provider.settings)


def test_a_scripted_yes_to_data_that_is_no_354_starts_no_message(peer: Peer) -> None:
    peer.provider.script.add(parse_reply("data:250 2.0.0 what data"))
    assert peer.codes("MAIL FROM:<a@x>", "RCPT TO:<b@x>", "DATA", "NOOP") == ["250"] * 4


def test_too_many_or_idle_is_told_with_421_and_closed(peer: Peer) -> None:
    steps = peer.session.end("421 4.4.2 Idle for too long")
    assert [(step.data, step.after) for step in steps] == [(b"421 4.4.2 Idle for too long\r\n", After.CLOSE)]
    assert records(peer.provider, "refused")[-1]["reply"] == "421 4.4.2 Idle for too long"
