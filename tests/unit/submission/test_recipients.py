"""Who cannot be written to is refused while the patient is still in the room, with a sentence that says what to do."""

from dataclasses import replace

import pytest

from relay.core.failuretext import Language
from relay.core.refusal import Reason
from relay.core.routing import Client, Suppressed
from relay.core.suppression import SuppressionKind
from relay.errors import StoreUnavailable
from relay.submission.domains import Domains, Finding, Standing
from tests.fakes.submission import Clock, Office, account, literal, practice
from tests.unit.submission.dialogue import MAIL, MESSAGE, after_login, send

ROSSI = "m.rossi@d.test"
PATIENT = "paziente@x.test"
BEGIN = b"MAIL FROM:<m.rossi@d.test>\r\n"
TO_PATIENT = b"RCPT TO:<paziente@x.test>\r\n"
TO_OTHER = b"RCPT TO:<altro@x.test>\r\n"
SEND_ALL_THE_SAME = b"X-Relay-Suppression: ignore\r\n"

ABLE = Client("able", ("*@d.test",), literal("secret"), suppressed=Suppressed.BY_HEADER)


def suppressed(kind: SuppressionKind = SuppressionKind.UNKNOWN, **settings: object) -> Office:
    office = Office(practice(ABLE), **settings)
    office.suppressions.put(ROSSI, PATIENT, kind)
    return office


class TestSuppressed:
    async def test_is_refused_at_rcpt_with_why_since_when_and_what_to_do(self) -> None:
        replies = await after_login(suppressed(contact="Assistenza 0974 000000"), BEGIN + TO_PATIENT)
        assert replies[-1].startswith("550 5.1.1 paziente@x.test is unknown to its provider since 2026-11-02")
        for said in ("before 2026-11-16", "by whoever looks after this", "X-Relay-Suppression: ignore", "0974 000000"):
            assert said in replies[-1]

    async def test_in_italian(self) -> None:
        replies = await after_login(suppressed(language=Language.ITALIAN), BEGIN + TO_PATIENT)
        assert replies[-1].startswith("550 5.1.1 paziente@x.test e' sconosciuto al suo provider dal 02/11/2026")

    async def test_the_other_recipients_of_the_mail_get_it(self) -> None:
        office = suppressed()
        replies = await after_login(office, BEGIN + TO_PATIENT + TO_OTHER + b"DATA\r\n" + MESSAGE + b".\r\n")
        assert [reply[:9] for reply in replies] == ["250 2.1.0", "550 5.1.1", "250 2.1.5", "354 End d", "250 2.0.0"]
        assert [to.address for to in office.intake.messages[0].envelope.recipients] == ["altro@x.test"]

    async def test_of_another_account_is_taken(self) -> None:
        replies = await after_login(suppressed(), b"MAIL FROM:<bianchi@d.test>\r\n" + TO_PATIENT)
        assert replies[-1] == "250 2.1.5 Ok"

    async def test_an_alias_of_the_account_changes_nothing(self) -> None:
        replies = await after_login(suppressed(), b"MAIL FROM:<INFO@d.test>\r\nRCPT TO:<PAZIENTE@X.test>\r\n")
        assert replies[-1].startswith("550 5.1.1 ")

    async def test_a_header_alone_does_not_help_a_client_that_is_refused_at_rcpt(self) -> None:
        office = suppressed()
        assert (await send(office, SEND_ALL_THE_SAME + MESSAGE)).startswith("500 ")
        assert office.intake.messages == []
        assert Reason.RECIPIENT_SUPPRESSED in office.observer.reasons()

    async def test_the_log_is_told_without_whom(self) -> None:
        office = suppressed()
        await after_login(office, BEGIN + TO_PATIENT)
        told = office.observer.told("refused")[-1]
        assert told["reason"] is Reason.RECIPIENT_SUPPRESSED
        assert "paziente" not in str(told)
        assert "x.test" not in str(told)

    async def test_a_store_that_is_away_is_said_as_that(self) -> None:
        office = suppressed()
        office.suppressions.trouble = StoreUnavailable()
        assert (await after_login(office, BEGIN + TO_PATIENT))[-1].startswith("451 4.3.0 ")

    async def test_of_nobody_else_the_store_is_asked(self) -> None:
        office = suppressed()
        assert (await after_login(office, BEGIN + TO_OTHER))[-1] == "250 2.1.5 Ok"
        assert office.suppressions.asked == []


class TestByHeader:
    async def test_the_header_sends_it_all_the_same_and_stays_behind(self) -> None:
        office = suppressed()
        assert (await send(office, SEND_ALL_THE_SAME + MESSAGE, login="able")).startswith("250 2.0.0 ")
        (message,) = office.intake.messages
        assert [to.address for to in message.envelope.recipients] == [PATIENT]
        assert b"X-Relay" not in message.content

    @pytest.mark.parametrize("header", [b"", b"X-Relay-Suppression: no\r\n", b"X-Suppression: ignore\r\n"])
    async def test_without_it_the_whole_mail_is_refused_at_the_dot(self, header: bytes) -> None:
        office = suppressed()
        reply = await send(office, header + MESSAGE, login="able")
        assert reply.startswith("550 5.1.1 paziente@x.test is unknown")
        assert office.intake.messages == []

    async def test_who_is_not_suppressed_needs_no_header(self) -> None:
        replies = await after_login(suppressed(), BEGIN + TO_OTHER + b"DATA\r\n" + MESSAGE + b".\r\n", login="able")
        assert replies[-1].startswith("250 2.0.0 ")


class TestOptedOut:
    async def test_is_refused_at_rcpt_with_why(self) -> None:
        replies = await after_login(suppressed(SuppressionKind.OPTOUT), BEGIN + TO_PATIENT)
        said = "paziente@x.test asked on 2026-11-02 for no more mail of m.rossi@d.test"
        assert replies[-1].startswith(f"550 5.7.1 {said}")
        assert "whoever looks after this service takes it back" in replies[-1]
        assert "relay optout" not in replies[-1]  # it is read by a doctor, who has no shell

    async def test_no_header_puts_it_aside(self) -> None:
        office = suppressed(SuppressionKind.OPTOUT)
        replies = await after_login(office, BEGIN + TO_PATIENT, login="able")
        assert replies[-1].startswith("550 5.7.1 ")

    @pytest.mark.parametrize("header", [b"", SEND_ALL_THE_SAME])
    async def test_an_empty_sender_is_no_way_around(self, header: bytes) -> None:
        office = suppressed(SuppressionKind.OPTOUT)
        mail = MAIL.replace(b"<m.rossi@d.test>", b"<>")
        assert (await send(office, header + MESSAGE, mail=mail)).startswith("550 5.7.1 paziente@x.test asked")
        assert office.intake.messages == []


def checked(standing: Standing, typed: str = "gmial.it") -> tuple[Office, list[str]]:
    """An office whose only account has recipients looked up; DNS says the same of every domain."""
    looked: list[str] = []

    async def look(domain: str) -> Finding:
        looked.append(domain)
        return Finding(standing, 60)

    routing = practice()
    accounts = {ROSSI: replace(routing.accounts[ROSSI], recipient_check="dns"), "v@d.test": account("v@d.test")}
    office = Office(replace(routing, accounts=accounts))
    office.domains = Domains(look, Clock())
    return office, looked


async def rcpt(office: Office, address: str, sender: str = ROSSI) -> str:
    said = f"MAIL FROM:<{sender}>\r\nRCPT TO:<{address}>\r\n"
    return (await after_login(office, said.encode()))[-1]


class TestDomains:
    async def test_one_that_is_not_there_is_refused_with_what_was_probably_meant(self) -> None:
        office, _ = checked(Standing.MISSING)
        reply = await rcpt(office, "mario@gmaol.com")
        assert reply.startswith("550 5.1.2 There is no mail at gmaol.com: check the address mario@gmaol.com.")
        assert reply.endswith("Did you mean gmail.com?")

    async def test_one_that_is_like_no_other_is_refused_without_a_guess(self) -> None:
        office, _ = checked(Standing.MISSING)
        reply = await rcpt(office, "mario@studio-verdi.example")
        assert reply.startswith("550 5.1.2 There is no mail at studio-verdi.example: check the address")
        assert "?" not in reply

    async def test_one_that_says_that_it_takes_no_mail_is_refused(self) -> None:
        office, _ = checked(Standing.NULL_MX)
        assert (await rcpt(office, "mario@example.com")).startswith("550 5.1.10 example.com says that it takes no mail")

    async def test_one_that_is_there_is_taken_however_much_it_looks_like_another(self) -> None:
        office, _ = checked(Standing.FINE)
        assert await rcpt(office, "mario@gmaol.com") == "250 2.1.5 Ok"

    async def test_a_misspelling_that_strangers_have_registered_is_refused_without_asking(self) -> None:
        office, looked = checked(Standing.FINE)
        reply = await rcpt(office, "mario@gmial.com")
        assert reply.startswith("550 5.1.2 gmial.com is a misspelling")
        assert "Did you mean gmail.com?" in reply
        assert looked == []

    async def test_nothing_is_looked_up_for_an_account_that_does_not_want_it(self) -> None:
        office, looked = checked(Standing.MISSING)
        assert await rcpt(office, "mario@gmial.com", sender="v@d.test") == "250 2.1.5 Ok"
        assert looked == []

    async def test_an_address_literal_has_no_domain_to_look_up(self) -> None:
        office, looked = checked(Standing.MISSING)
        assert await rcpt(office, "mario@[192.0.2.1]") == "250 2.1.5 Ok"
        assert looked == []

    async def test_an_empty_sender_is_no_way_around(self) -> None:
        office, looked = checked(Standing.MISSING)
        mail = MAIL.replace(b"<m.rossi@d.test>", b"<>").replace(b"DATA", TO_OTHER + b"DATA")
        assert (await send(office, MESSAGE, mail=mail)).startswith("550 5.1.2 There is no mail at x.test")
        assert office.intake.messages == []
        assert looked == ["x.test"], "once for all recipients there"

    async def test_an_empty_sender_whose_recipients_can_be_reached_is_taken(self) -> None:
        office, looked = checked(Standing.FINE)
        assert (await send(office, MESSAGE, mail=MAIL.replace(b"<m.rossi@d.test>", b"<>"))).startswith("250 ")
        assert looked == ["x.test"]

    async def test_who_was_asked_at_rcpt_is_not_asked_at_the_dot(self) -> None:
        office, looked = checked(Standing.FINE)
        assert (await send(office, MESSAGE)).startswith("250 ")
        assert looked == ["x.test"]

    async def test_the_log_is_told_without_the_domain(self) -> None:
        office, _ = checked(Standing.MISSING)
        await rcpt(office, "mario@famiglia-rossi.example")
        told = office.observer.told("refused")[-1]
        assert told["reason"] is Reason.RECIPIENT_DOMAIN_MISSING
        assert "famiglia" not in str(told)
        assert "mario" not in str(told)
