"""What the interface promises to clients under "SMTP for the client", sentence by sentence.

Each test bears one sentence as its docstring; its edges are tested where the code is: session, login, parameters,
transaction, headers, completion, content, texts. What needs a socket stands in tests/integration/test_submission*.py.
"""

import re
from datetime import date
from typing import Any

import pytest

from relay.core.failuretext import Language
from relay.core.health import Pause
from relay.core.limits import HOUR, SECOND
from relay.core.routing import Client, Tls
from relay.core.words import Plan
from relay.errors import StoreUnavailable
from relay.submission import ListenerSettings
from relay.submission.session import ERRORS_MOST
from tests.fakes.submission import REJECTING, Office, account, by_address, literal, practice
from tests.unit.submission.dialogue import MAIL, MESSAGE, after_login, plain, send, talk

EHLO = b"EHLO pc\r\n"
SENDER, RECIPIENT = b"MAIL FROM:<m.rossi@d.test>\r\n", b"RCPT TO:<paziente@x.test>\r\n"
FAR = "192.0.2.7"
"""An address that is not this machine."""


def at(tls: Tls, **more: Any) -> Office:
    """An office whose listener is of this kind."""
    return Office(listener=ListenerSettings("0.0.0.0:587", tls=tls, **more))


def words(replies: list[str]) -> set[str]:
    """What EHLO offers, without the name."""
    return {reply[4:] for reply in replies[1:]}


async def stored(message: bytes, *, mail: bytes = MAIL) -> bytes:
    """How a message goes upstream."""
    office = Office()
    assert (await send(office, message, mail=mail)).startswith("250 ")
    return office.intake.messages[0].content


class TestEhlo:
    ALWAYS = frozenset(("PIPELINING", "SIZE 25000000", "8BITMIME", "SMTPUTF8", "ENHANCEDSTATUSCODES", "DSN"))

    @pytest.mark.parametrize(
        ("tls", "address", "is_secure", "more"),
        [
            (Tls.NONE, "127.0.0.1", False, {"AUTH PLAIN LOGIN"}),
            (Tls.NONE, FAR, False, set()),
            (Tls.STARTTLS, FAR, False, {"STARTTLS"}),
            (Tls.STARTTLS, "127.0.0.1", False, {"STARTTLS", "AUTH PLAIN LOGIN"}),
            (Tls.STARTTLS, FAR, True, {"AUTH PLAIN LOGIN"}),
            (Tls.IMPLICIT, FAR, True, {"AUTH PLAIN LOGIN"}),
        ],
    )
    async def test_offers(self, tls: Tls, address: str, is_secure: bool, more: set[str]) -> None:
        """EHLO offers PIPELINING, SIZE, 8BITMIME, SMTPUTF8, ENHANCEDSTATUSCODES, DSN, STARTTLS and AUTH PLAIN LOGIN
        where they apply.
        """
        assert words(await talk(at(tls), EHLO, address=address, is_secure=is_secure)) == self.ALWAYS | more

    @pytest.mark.parametrize("said", [b"AUTH login\r\n", b"auth Plain " + plain()[11:], b"AUTH LoGiN c3R1ZGlv\r\n"])
    async def test_mechanisms(self, said: bytes) -> None:
        """Mechanism names in any case, with or without initial response: .NET sends `AUTH login`."""
        assert (await talk(Office(), EHLO + said))[-1][:3] in {"334", "235"}

    @pytest.mark.parametrize(
        ("office", "address", "is_secure", "code"),
        [
            (at(Tls.IMPLICIT), FAR, True, "235"),
            (at(Tls.NONE), "127.0.0.1", False, "235"),
            (at(Tls.NONE, has_plaintext_allowed=True), FAR, False, "235"),
            (at(Tls.STARTTLS), FAR, False, "538"),
        ],
    )
    async def test_auth(self, office: Office, address: str, is_secure: bool, code: str) -> None:
        """AUTH under TLS, to a loopback peer, or on a listener with `plaintext: allow`."""
        assert (await talk(office, EHLO + plain(), address=address, is_secure=is_secure))[-1].startswith(code)

    @pytest.mark.parametrize("name", [b"pc", b"[IPv6:::1]", b"_under_score", b"a b c", b"\xe0\xe8", b"localhost."])
    async def test_names(self, name: bytes) -> None:
        """Any EHLO or HELO argument is taken."""
        for verb in (b"EHLO ", b"helo "):
            assert (await talk(Office(), verb + name + b"\r\n"))[-1].startswith("250 ")


class TestReplies:
    async def test_success(self) -> None:
        """Success `250 2.0.0 Ok: queued as <id>`, id `[A-Za-z0-9-]+`, the same in API and logs."""
        office = Office()
        found = re.fullmatch(r"250 2\.0\.0 Ok: queued as ([A-Za-z0-9-]+)", await send(office))
        assert found is not None
        assert found[1] == office.intake.messages[0].id == office.observer.told("accepted")[0]["id"]

    @pytest.mark.parametrize(
        ("said", "reply"),
        [
            (EHLO + SENDER, "530 5.7.0 "),
            (EHLO + plain(password="x"), "535 5.7.8 "),
            (EHLO + plain(password="x") * 3, "421 4.7.0 "),
        ],
    )
    async def test_login(self, said: bytes, reply: str) -> None:
        """No login `530 5.7.0`; wrong `535 5.7.8`; third wrong in a connection `421 4.7.0`."""
        assert (await talk(Office(), said))[-1].startswith(reply)

    async def test_login_in_clear(self) -> None:
        """AUTH in clear off loopback `538 5.7.11`."""
        office = Office()
        assert (await talk(office, EHLO + plain(), address=FAR))[-1].startswith("538 5.7.11 ")
        assert office.logins.asked == [], "the password is not even looked at"

    @pytest.mark.parametrize("sender", [b"nobody@d.test", b"m.rossi@else.test", b"old@d.test"])
    async def test_sender(self, sender: bytes) -> None:
        """At MAIL: unknown or foreign sender, retired account `550 5.7.1`."""
        office = Office(practice(accounts=(account("old@d.test", retires=date(2026, 11, 1)),)), contact="Call 123")
        reply = (await after_login(office, b"MAIL FROM:<" + sender + b">\r\n"))[-1]
        assert reply.startswith("550 5.7.1 ")
        assert reply.endswith("Call 123")

    @pytest.mark.parametrize("sender", [b"nobody@d.test", b"old@d.test"])
    @pytest.mark.parametrize("language", Language)
    async def test_ways_out(self, sender: bytes, language: Language) -> None:
        """... (naming the two ways out, and `contact`)"""
        retired = practice(accounts=(account("old@d.test", retires=date(2026, 11, 1)),))
        office = Office(retired, language=language, contact="Assistenza 0974")
        reply = (await after_login(office, b"MAIL FROM:<" + sender + b">\r\n"))[-1]
        assert "business" in reply
        assert "doctor's own mailbox" in reply or "casella personale del medico" in reply
        assert "Assistenza 0974" in reply

    async def test_size(self) -> None:
        """Over the size `552 5.3.4`."""
        assert (await after_login(Office(), SENDER[:-2] + b" SIZE=25000001\r\n"))[-1].startswith("552 5.3.4 ")
        assert (await send(Office(max_message_size=100), b"x\r\n" * 50)).startswith("552 5.3.4 ")

    async def test_recipient(self) -> None:
        """At RCPT: address `553 5.1.3`; too many `452 4.5.3`."""
        replies = await after_login(Office(max_recipients=1), SENDER + b"RCPT TO:<x>\r\n" + RECIPIENT * 2)
        assert [reply[:9] for reply in replies[1:]] == ["553 5.1.3", "250 2.1.5", "452 4.5.3"]

    async def test_mechanics(self) -> None:
        """Command line over 4 KiB (AUTH 12 KiB) `500 5.5.2`."""
        lines = b"NOOP " + b"x" * 4092 + b"\r\n" + EHLO + b"AUTH PLAIN " + b"A" * 12_280 + b"\r\n"
        replies = await talk(Office(), lines)
        assert replies[0].startswith("500 5.5.2 ")
        assert replies[-1].startswith("500 5.5.2 ")

    async def test_all_of_them(self) -> None:
        """Replies are ASCII, the cause in the first line, at most 512 octets."""
        office = Office(practice(REJECTING), language=Language.ITALIAN, contact="è" * 500)
        replies = await talk(office, b"FOO \xff\r\n" + EHLO + plain() + b"MAIL FROM:<\xc3\xa8@d.test> SMTPUTF8\r\n")
        assert all(reply.isascii() and len(reply) <= 510 for reply in replies)


class TestAfterTheDot:
    @pytest.mark.parametrize(
        ("message", "reply"),
        [
            (b"Subject: x\r\n\r\nhi\r\n", "250 2.0.0"),
            (b"From: m.rossi@d.test\r\nFrom: m.rossi@d.test\r\n\r\n", "550 5.7.1"),
            (b"From: bianchi@d.test\r\n\r\n", "550 5.7.1"),
            (b"From: m.rossi@d.test, bianchi@d.test\r\n\r\n", "550 5.7.1"),
            (b"From: m.rossi@d.test\r\nSender: bianchi@d.test\r\n\r\n", "550 5.7.1"),
            (b"From: m.rossi@d.test\r\nResent-From: paziente@x.test\r\n\r\n", "550 5.7.1"),
            (MESSAGE + b"\r.\r\n", "550 5.6.0"),
            (MESSAGE + b"\0\r\n", "550 5.6.0"),
            (MESSAGE + b"x" * 65_536 + b"\r\n", "250 2.0.0"),
            (MESSAGE + b"x" * 65_537 + b"\r\n", "550 5.6.0"),
            (b"X: y\r\n" * 50_000 + MESSAGE, "550 5.6.0"),
            (b"Received: x\r\n" * 50 + MESSAGE, "250 2.0.0"),
            (b"Received: x\r\n" * 51 + MESSAGE, "554 5.4.6"),
        ],
    )
    async def test_message(self, message: bytes, reply: str) -> None:
        """After the dot (session stays usable): header From missing: added; not exactly one From field, or naming
        another account, `550 5.7.1`; bare CR, NUL `550 5.6.0`; line over 64 KiB or headers over 256 KiB `550 5.6.0`;
        more than 50 Received `554 5.4.6`.
        """
        replies = await after_login(Office(), MAIL + message + b".\r\n" + MAIL + MESSAGE + b".\r\n")
        assert replies[3].startswith(reply)
        assert replies[-1].startswith("250 2.0.0 Ok: queued as ")

    async def test_bare_lf(self) -> None:
        """A lone LF becomes CRLF, counted; or bare LF where `reject`, `550 5.6.0`."""
        office = Office(practice(REJECTING))
        assert (await send(office, b"From: m.rossi@d.test\n\na\nb\n\r\n")).startswith("250 ")
        assert office.intake.messages[0].content.endswith(b"\r\n\r\na\r\nb\r\n\r\n")
        assert office.observer.told("accepted")[0]["is_mended"] is True
        assert (await send(office, b"a\nb\r\n", login="strict")).startswith("550 5.6.0 ")

    async def test_store(self) -> None:
        """Store away `451 4.3.0`; disk nearly full `452 4.3.1`."""
        office = Office()
        office.intake.trouble = StoreUnavailable()
        assert (await send(office)).startswith("451 4.3.0 ")
        office.intake.is_spacious = False
        assert (await after_login(office, SENDER))[-1].startswith("452 4.3.1 ")

    @pytest.mark.parametrize(
        ("policy", "hours", "reply"),
        [
            ("hold", 1000, "250 "),
            ("reject", 0, "450 4.7.0 "),
            ("hold-then-reject", 3, "250 "),
            ("hold-then-reject", 4, "450 4.7.0 "),
        ],
    )
    async def test_paused(self, policy: str, hours: int, reply: str) -> None:
        """Mailbox paused and rejecting `450 4.7.0` with since when, why, contact."""
        paused = account("anna@d.test", on_paused=policy)
        office = Office(practice(accounts=(paused,)), contact="Call 0974")
        office.pauses[paused.sender] = Pause("auth-rejected", int(office.wall - hours * 3600) * SECOND)
        mail, message = (octets.replace(b"m.rossi", b"anna") for octets in (MAIL, MESSAGE))
        replies = await after_login(office, mail + message + b".\r\n" + MAIL + MESSAGE + b".\r\n")
        assert replies[3].startswith(reply)
        assert replies[-1].startswith("250 "), "others send, over the same session too"
        if policy == "reject":
            since = "has not been leaving since 2026-11-02 11:00 +01:00: the password of your mailbox was refused"
            assert f"Mail of anna@d.test {since}" in replies[3]
            assert replies[3].endswith(" Call 0974")

    async def test_retired(self) -> None:
        """After the last day of a retired account `550 5.7.1`, naming the two ways out, and the contact."""
        retired = account("anna@d.test", plan=Plan.LEGACY, retires=date(2026, 11, 1))
        office = Office(practice(accounts=(retired,)), contact="Call 0974")
        replies = await after_login(office, b"MAIL FROM:<anna@d.test>\r\n")
        assert replies[-1].startswith("550 5.7.1 Sender anna@d.test is retired since 2026-11-02: ")
        assert "a business mailbox (Mail Plus) or to the doctor's own mailbox. Call 0974" in replies[-1]

    @pytest.mark.parametrize("language", list(Language))
    async def test_late(self, language: Language) -> None:
        """When the forecast is later than the deadline, the `250` says when it will leave."""
        office = Office(language=language)
        office.foresight.leaves_at = round(office.wall * SECOND) + 5 * HOUR
        dated = b"X-Relay-Valid-Until: 2026-11-02 13:00\r\n" + MESSAGE
        reply = await send(office, dated)
        late = {
            Language.ENGLISH: "it would leave only on 2026-11-02 16:00 +01:00, after its deadline 2026-11-02 13:00 "
            "+01:00, and will come back then",
            Language.ITALIAN: "partirebbe solo il 02/11/2026 16:00 +01:00, dopo la sua scadenza 02/11/2026 13:00 "
            "+01:00, e allora tornera' indietro",
        }
        assert reply == f"250 2.0.0 Ok: queued as m-1; {late[language]}"
        (message,) = office.intake.messages
        assert (message.is_dated, message.lifetime) == (True, 2 * HOUR)
        assert b"Valid-Until" not in message.content

    @pytest.mark.parametrize(
        ("language", "late"),
        [
            (
                Language.ENGLISH,
                "it would leave only once somebody has acted, after its deadline 2026-11-02 12:00 +01:00",
            ),
            (
                Language.ITALIAN,
                "partirebbe solo dopo un intervento, dopo la sua scadenza 02/11/2026 12:00 +01:00",
            ),
        ],
    )
    async def test_needs_somebody(self, language: Language, late: str) -> None:
        """Who has to act first is said, and that it comes back only of what has a day of its own."""
        office = Office(practice(accounts=(account("anna@d.test", lifetime=HOUR),)), language=language)
        office.foresight.leaves_at = None
        mail, message = (octets.replace(b"m.rossi", b"anna") for octets in (MAIL, MESSAGE))
        assert await send(office, message, mail=mail) == f"250 2.0.0 Ok: queued as m-1; {late}"
        dated = await send(office, b"X-Relay-Valid-Until: 2026-11-02 12:00\r\n" + message, mail=mail)
        ends = {Language.ENGLISH: ", and will come back then", Language.ITALIAN: ", e allora tornera' indietro"}
        assert dated == f"250 2.0.0 Ok: queued as m-2; {late}{ends[language]}"

    async def test_in_time(self) -> None:
        """What leaves in time is told nothing, and who has no deadline is not asked about."""
        office = Office()
        office.foresight.leaves_at = round(office.wall * SECOND) + 5 * HOUR
        assert await send(office, MESSAGE) == "250 2.0.0 Ok: queued as m-1"
        assert office.foresight.asked == []
        assert await send(office, b"X-Relay-Valid-Until: 2026-11-03\r\n" + MESSAGE) == "250 2.0.0 Ok: queued as m-2"
        assert office.foresight.asked == [("m.rossi@d.test", "studio", False)]

    async def test_too_late(self) -> None:
        """With `late: reject` it is refused, and nothing is stored."""
        office = Office(practice(accounts=(account("anna@d.test", late="reject", lifetime=HOUR),)), contact="Call 0974")
        office.foresight.leaves_at = None
        mail, message = (octets.replace(b"m.rossi", b"anna") for octets in (MAIL, MESSAGE))
        reply = await send(office, message, mail=mail)
        assert reply.startswith("550 5.4.7 The message would leave only once somebody has acted, after its deadline ")
        assert reply.endswith(" Call 0974")
        assert office.intake.messages == []

    @pytest.mark.parametrize(
        ("language", "policy", "said"),
        [
            (
                Language.ITALIAN,
                "reject",
                (
                    "550 5.4.7 La posta di anna@d.test e' ferma: manca la password della Sua casella. Che cosa puo' "
                    "fare: comunicarla all'assistenza (0974). Il messaggio non partirebbe entro la sua scadenza "
                    "02/11/2026 12:00 +01:00: se e' urgente, inviarlo in altro modo."
                ),
            ),
            (
                Language.ENGLISH,
                "reject",
                (
                    "550 5.4.7 Mail of anna@d.test is not leaving: no password is known here for your mailbox. What "
                    "you can do: tell support (0974) the password. The message would not leave before its deadline "
                    "2026-11-02 12:00 +01:00: if it is urgent, send it another way."
                ),
            ),
            (
                Language.ITALIAN,
                "accept",
                (
                    "250 2.0.0 Ok: queued as m-1; partirebbe solo dopo un intervento (manca la password della Sua "
                    "casella), dopo la sua scadenza 02/11/2026 12:00 +01:00, e allora tornera' indietro"
                ),
            ),
        ],
    )
    async def test_too_late_says_why(self, language: Language, policy: str, said: str) -> None:
        """Who has to act first learns what the matter is, and whom to call."""
        own = account("anna@d.test", late=policy, on_paused="hold")
        office = Office(practice(accounts=(own,)), contact="0974", language=language)
        office.foresight.leaves_at = None
        office.pauses[own.sender] = Pause("no-credentials", int(office.wall) * SECOND)
        mail, message = (octets.replace(b"m.rossi", b"anna") for octets in (MAIL, MESSAGE))
        assert await send(office, b"X-Relay-Valid-Until: 2026-11-02 12:00\r\n" + message, mail=mail) == said

    @pytest.mark.parametrize(("day", "reply"), [(b"soon", "550 5.6.0 "), (b"2026-11-01", "550 5.4.7 ")])
    async def test_bad_day(self, day: bytes, reply: str) -> None:
        """A day that cannot be read, or is over, is refused."""
        office = Office()
        assert (await send(office, b"X-Relay-Valid-Until: " + day + b"\r\n" + MESSAGE)).startswith(reply)
        assert office.intake.messages == []

    async def test_replaced(self) -> None:
        """MAIL FROM and From of an old address become the account's own until its day, with an event each."""
        moved = account("anna@d.test", replaces={"old@free.test": date(2026, 11, 2)})
        office = Office(practice(Client("any", ("*",), literal("secret")), accounts=(moved,)))
        mail, message = (octets.replace(b"m.rossi@d.test", b"Old@free.test") for octets in (MAIL, MESSAGE))
        assert (await send(office, message, mail=mail, login="any")).startswith("250 ")
        (stored,) = office.intake.messages
        assert stored.envelope.sender == "anna@d.test"
        assert b"From: anna@d.test" in stored.content
        told = [{"message": stored.id, "account": "anna@d.test", "old": "Old@free.test"}]
        assert office.observer.told("renamed") == told
        office.wall += 24 * 3600
        from_old = b"MAIL FROM:<old@free.test>\r\n"
        assert (await after_login(office, from_old, login="any"))[-1].startswith("550 5.7.1 ")

    @pytest.mark.parametrize("false_end", [b"\n.\n", b"\r\n.\n", b"\n.\r\n", b"\r.\r", b"\r\n.\r", b"\r.\r\n"])
    async def test_end(self, false_end: bytes) -> None:
        """Only CRLF.CRLF ends data."""
        office = Office()
        smuggled = MESSAGE + b"text" + false_end + SENDER + RECIPIENT + b"DATA\r\n" + MESSAGE
        replies = await after_login(office, MAIL + smuggled + b".\r\nNOOP\r\n")
        assert len(replies) == 5, "three for the envelope, one for the message, one for NOOP"
        assert len(office.intake.messages) <= 1


class TestSenders:
    async def test_case(self) -> None:
        """Senders, aliases and patterns ignore case in the whole address; addresses go upstream in the very bytes
        accepted.
        """
        office = Office(practice(Client("upper", ("*@D.TEST",), literal("secret"))))
        mail = b"MAIL FROM:<INFO@D.Test>\r\nRCPT TO:<PaZiente@X.test>\r\nDATA\r\n"
        assert (await send(office, b"From: Info@d.TEST\r\n\r\n", mail=mail, login="upper")).startswith("250 ")
        envelope = office.intake.messages[0].envelope
        assert (envelope.sender, envelope.recipients[0].address) == ("INFO@D.Test", "PaZiente@X.test")

    async def test_null(self) -> None:
        """`MAIL FROM:<>` is taken when header From finds an account of this client."""
        null = MAIL.replace(b"m.rossi@d.test", b"")
        office = Office()
        assert (await send(office, mail=null)).startswith("250 ")
        assert office.intake.messages[0].account == "m.rossi@d.test"
        assert office.intake.messages[0].envelope.sender == ""
        for author in (b"nobody@d.test", b"m.rossi@else.test"):
            message = MESSAGE.replace(b"m.rossi@d.test", author)
            assert (await send(office, message, mail=null)).startswith("550 5.7.1 ")

    async def test_address_alone(self) -> None:
        """Known by address alone, on loopback or `trust_networks: true` listeners."""
        routing = practice(by_address(network="192.0.2.0/24"))
        assert (await talk(Office(routing), EHLO + SENDER, address=FAR))[-1].startswith("530 ")
        trusting = Office(routing, listener=ListenerSettings("0.0.0.0:25", has_trusted_networks=True))
        assert (await talk(trusting, EHLO + SENDER, address=FAR))[-1].startswith("250 ")
        here = Office(practice(by_address()))
        assert (await talk(here, EHLO + SENDER))[-1].startswith("250 ")


class TestChanges:
    """Changed in a message: nothing but this."""

    async def test_missing(self) -> None:
        """Missing Date, Message-ID, From added."""
        content = await stored(b"Subject: x\r\n\r\nhi\r\n")
        for line in (rb"Date: .*", rb"Message-ID: <m-1@relay.example.it>", rb"From: m.rossi@d.test"):
            assert re.search(rb"\r\n" + line + rb"\r\n", content)

    async def test_date(self) -> None:
        """An unparseable Date replaced unless the message is signed."""
        bad = b"Date: 02/11/2026\r\n" + MESSAGE
        assert b"02/11/2026" not in await stored(bad)
        assert b"02/11/2026" in await stored(b"DKIM-Signature: v=1\r\n" + bad)

    async def test_received(self) -> None:
        """Received added, without the client's address."""
        office = Office(listener=ListenerSettings("0.0.0.0:25", has_plaintext_allowed=True))
        await after_login(office, MAIL + MESSAGE + b".\r\n", address=FAR)
        content = office.intake.messages[0].content
        assert content.startswith(b"Received: by relay.example.it with ESMTPA id m-1;")
        assert FAR.encode() not in content

    @pytest.mark.parametrize(
        ("mail", "is_secure", "word"),
        [
            (MAIL, True, b"ESMTPSA"),
            (MAIL, False, b"ESMTPA"),
            (MAIL.replace(b"d.test>", b"d.test> SMTPUTF8"), True, b"UTF8SMTPSA"),
        ],
    )
    async def test_protocol(self, mail: bytes, is_secure: bool, word: bytes) -> None:
        """Received says how the message came (RFC 3848, RFC 6531)."""
        office = Office()
        await after_login(office, mail + MESSAGE + b".\r\n", is_secure=is_secure)
        assert b" with " + word + b" id m-1;" in office.intake.messages[0].content

    async def test_removed(self) -> None:
        """Bcc, Resent-Bcc, Return-Path and X-Relay-* removed from the top header."""
        gone = b"Bcc: a@x\r\n b@x\r\nResent-Bcc: c@x\r\nReturn-Path: <d@x>\r\nX-Relay-Priority: high\r\n"
        assert (await stored(gone + MESSAGE)).endswith(b"\r\n" + MESSAGE)
        below = MESSAGE + b"\r\nBcc: in the body\r\n"
        assert (await stored(below)).endswith(below)

    async def test_nothing_else(self) -> None:
        """Nothing else: attachments and signatures arrive byte for byte."""
        body = bytes(octet for octet in range(1, 256) if octet not in b"\r\n") * 20 + b" \t\r\n\r\n\r\n"
        message = MESSAGE.replace(b"Subject", b"sUBJECT \t: folded\r\n\t again\r\nX-Odd").replace(b"Buongiorno", body)
        assert (await stored(message.replace(b"\r\n.", b"\r\n.."))).endswith(message)


class TestParameters:
    async def test_kept(self) -> None:
        """DSN (RET, ENVID, NOTIFY, ORCPT) is kept; `AUTH=` accepted; 8-bit is found by looking, whatever BODY says."""
        mail = (
            b"MAIL FROM:<m.rossi@d.test> RET=FULL ENVID=a+2Bb AUTH=<> BODY=7BIT SIZE=5\r\n"
            b"RCPT TO:<p@x.test> NOTIFY=FAILURE,DELAY ORCPT=rfc822;q+40x\r\nDATA\r\n"
        )
        office = Office()
        assert (await send(office, MESSAGE + b"\xe8\r\n", mail=mail)).startswith("250 ")
        envelope = office.intake.messages[0].envelope
        assert (envelope.ret, envelope.envid, envelope.is_8bit) == ("FULL", "a+2Bb", True)
        assert envelope.recipients[0].notify == ("FAILURE", "DELAY")
        assert envelope.recipients[0].orcpt == "rfc822;q+40x"

    @pytest.mark.parametrize(
        ("command", "reply"),
        [
            (SENDER[:-2] + b" FOO=1\r\n", "555 5.5.4 "),
            (SENDER[:-2] + b" SIZE=1 SIZE=2\r\n", "501 5.5.4 "),
            (SENDER[:-2] + b" BODY=9BIT\r\n", "501 5.5.4 "),
            (SENDER + b"RCPT TO:<p@x.test> NOTIFY=NEVER,FAILURE\r\n", "501 5.5.4 "),
            (SENDER + b"RCPT TO:<p@x.test> FOO\r\n", "555 5.5.4 "),
        ],
    )
    async def test_refused(self, command: bytes, reply: str) -> None:
        """What is not understood is refused, and so is what is said twice."""
        assert (await after_login(Office(), command))[-1].startswith(reply)


class TestSessions:
    async def test_errors(self) -> None:
        """Too many errors end the session."""
        replies = await talk(Office(), b"WHAT\r\n" * 100)
        assert len(replies) == ERRORS_MOST + 1
        assert replies[-1].startswith("421 4.7.0 ")

    async def test_errors_outlive_starttls(self) -> None:
        """A change to TLS gives nobody new tries."""
        office = at(Tls.STARTTLS)
        steps = [b"WHAT\r\n" * (ERRORS_MOST - 1), b"STARTTLS\r\n", b"WHAT\r\n", b"NOOP\r\n"]
        replies = await talk(office, *steps)
        assert replies[-1].startswith("421 4.7.0 ")

    async def test_forgotten(self) -> None:
        """RSET and EHLO forget the transaction and leave the login; STARTTLS forgets both."""
        for word in (b"RSET\r\n", EHLO):
            replies = await after_login(Office(), SENDER, word, RECIPIENT, SENDER)
            assert replies[-2].startswith("503 5.5.1 ")
            assert replies[-1].startswith("250 2.1.0 ")
        replies = await after_login(at(Tls.STARTTLS), SENDER, b"STARTTLS\r\n", EHLO, SENDER)
        assert replies[-1].startswith("530 5.7.0 ")

    @pytest.mark.parametrize(
        ("said", "reply"),
        [
            (b"NOOP a b\r\n", "250 "),
            (b"HELP MAIL\r\n", "214 "),
            (b"VRFY p@x\r\n", "252 "),
            (b"EXPN list\r\n", "502 "),
            (b"STARTTLS now\r\n", "501 5.5.4 "),
        ],
    )
    async def test_small_commands(self, said: bytes, reply: str) -> None:
        """The small commands take arguments, or say why not."""
        assert (await talk(at(Tls.STARTTLS), said))[-1].startswith(reply)


class TestTheLog:
    @pytest.mark.parametrize(
        ("said", "told"),
        [
            (SENDER + b"RCPT TO:<x>\r\n", ("studio", "m.rossi@d.test")),
            (SENDER + b"FOO\r\n", ("studio", "m.rossi@d.test")),
            (MAIL + MESSAGE.replace(b"m.rossi", b"bianchi") + b".\r\n", ("studio", "m.rossi@d.test")),
            (MAIL.replace(b"m.rossi@", b"old@"), ("studio", "old@d.test")),
            (MAIL.replace(b"m.rossi@", b"nobody@"), ("studio", None)),
            (b"FOO\r\n", ("studio", None)),
        ],
    )
    async def test_names_who_was_refused(self, said: bytes, told: tuple[str, str | None]) -> None:
        """What is refused is told with client and account where they are known, and never with a recipient."""
        office = Office(practice(accounts=(account("old@d.test", retires=date(2026, 11, 1)),)))
        await after_login(office, said)
        first = office.observer.told("refused")[0]
        assert (first["client"], first["account"]) == told
        assert "paziente" not in str(office.observer.events)
