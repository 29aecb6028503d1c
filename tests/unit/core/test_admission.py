"""MAIL FROM, header From, Sender and account agree, or the message is refused."""

from dataclasses import replace
from datetime import date

import pytest

from relay.core.admission import (
    Admitted,
    admit_authors,
    admit_sender,
    is_refused_while_paused,
    may_send_as,
    sent_as,
)
from relay.core.completion import Stamp, completed
from relay.core.headers import TopHeader, read_header
from relay.core.health import Pause
from relay.core.refusal import Reason, Refusal
from relay.core.routing import Account, Client, Provider, Routing
from relay.core.words import MailboxId, Plan

ROSSI = Account(
    "m.rossi@studio.it",
    Plan.BUSINESS,
    MailboxId("aruba", "m.rossi@studio.it"),
    aliases=("info@studio.it",),
    replaces={"Rossi@Vecchio.it": date(2026, 11, 30)},
)
BIANCHI = Account("bianchi@studio.it", Plan.LEGACY, MailboxId("old", "bianchi"), retires=date(2026, 10, 31))
OTHER = Account("other@x.it", Plan.BUSINESS, MailboxId("aruba", "other@x.it"))
STUDIO = Client("studio", ("*@studio.it", "rossi@vecchio.it"))
ROUTING = Routing(
    {"studio": STUDIO},
    {
        "aruba": Provider("aruba", "smtps.aruba.it", 465, timezone="Europe/Rome"),
        "old": Provider("old", "mail.old.it", 587, timezone="Asia/Tokyo"),
    },
    {account.sender: account for account in (ROSSI, BIANCHI, OTHER)},
)
IN_TIME = date(2026, 10, 31)


def on(day: date):
    return lambda _: day


def reason_of(found: object) -> Reason:
    assert isinstance(found, Refusal)
    return found.reason


@pytest.mark.parametrize(
    ("on_paused", "at_once", "a_moment_before", "after_its_time"),
    [("hold", False, False, False), ("reject", True, True, True), ("hold-then-reject", False, False, True)],
)
def test_mail_of_a_paused_mailbox_is_taken_as_the_account_says(
    on_paused: str, at_once: bool, a_moment_before: bool, after_its_time: bool
) -> None:
    account, pause = replace(ROSSI, on_paused=on_paused, on_paused_after=100), Pause("auth-rejected", since=1000)
    refused = [is_refused_while_paused(account, pause, now) for now in (1000, 1099, 1100)]
    assert refused == [at_once, a_moment_before, after_its_time]


class TestThePatternsOfAClient:
    @pytest.mark.parametrize(
        ("pattern", "address"),
        [
            ("*", "anyone@anywhere.it"),
            ("*@studio.it", "m.rossi@studio.it"),
            ("*@Studio.IT", "M.ROSSI@studio.it"),
            ("m.rossi@studio.it", "M.Rossi@Studio.it"),
            ("m.*@studio.it", "m.rossi@studio.it"),
            ("m.*@*.it", "m.rossi@studio.it"),
            ("?.rossi@studio.it", "m.rossi@studio.it"),
            ("[mn].rossi@studio.it", "n.rossi@studio.it"),
        ],
    )
    def test_cover_the_whole_address_whatever_its_case(self, pattern: str, address: str) -> None:
        assert may_send_as(Client("c", (pattern,)), address)

    @pytest.mark.parametrize(
        ("pattern", "address"),
        [
            ("*@studio.it", "m.rossi@studio.it.evil.com"),
            ("*@studio.it", "m.rossi@evilstudio.it"),
            ("*@studio.it", "studio.it"),
            ("m.rossi@studio.it", "am.rossi@studio.it"),
            ("ab*ba@x.it", "aba@x.it"),
            ("m.*@*.it", "rossi@studio.it"),
            ("", "a@b"),
        ],
    )
    def test_cover_nothing_else(self, pattern: str, address: str) -> None:
        assert not may_send_as(Client("c", (pattern,)), address)

    def test_are_several(self) -> None:
        client = Client("c", ("a@x.it", "*@y.it"))
        assert may_send_as(client, "b@y.it")
        assert not may_send_as(Client("c", ()), "b@y.it")


class TestTheSender:
    @pytest.mark.parametrize("sender", ["m.rossi@studio.it", "M.Rossi@STUDIO.it", "info@studio.it", "rossi@vecchio.it"])
    def test_finds_its_account_by_address_or_alias(self, sender: str) -> None:
        assert admit_sender(ROUTING, STUDIO, sender, today=on(IN_TIME)) is ROSSI

    def test_is_refused_when_the_client_may_not_send_so_even_if_nobody_has_it(self) -> None:
        for sender in ("other@x.it", "nobody@x.it"):
            found = admit_sender(ROUTING, STUDIO, sender, today=on(IN_TIME))
            assert reason_of(found) is Reason.SENDER_FOREIGN

    def test_is_refused_when_no_account_has_it(self) -> None:
        found = admit_sender(ROUTING, STUDIO, "nobody@studio.it", today=on(IN_TIME))
        assert found == Refusal(Reason.SENDER_UNKNOWN, {"sender": "nobody@studio.it", "client": "studio"})

    def test_works_on_its_last_day_and_no_longer(self) -> None:
        assert admit_sender(ROUTING, STUDIO, "bianchi@studio.it", today=on(date(2026, 10, 31))) is BIANCHI
        found = admit_sender(ROUTING, STUDIO, "bianchi@studio.it", today=on(date(2026, 11, 1)))
        values = {"sender": "bianchi@studio.it", "client": "studio", "day": "2026-11-01"}
        assert found == Refusal(Reason.SENDER_RETIRED, values, "bianchi@studio.it")

    def test_lives_by_the_calendar_of_its_provider(self) -> None:
        asked: list[str] = []

        def today(zone: str) -> date:
            asked.append(zone)
            return IN_TIME

        admit_sender(ROUTING, STUDIO, "bianchi@studio.it", today=today)
        assert asked == ["Asia/Tokyo"]

    def test_that_is_replaced_works_until_its_day(self) -> None:
        assert admit_sender(ROUTING, STUDIO, "rossi@vecchio.it", today=on(date(2026, 11, 30))) is ROSSI
        late = admit_sender(ROUTING, STUDIO, "rossi@vecchio.it", today=on(date(2026, 12, 1)))
        values = {"sender": "rossi@vecchio.it", "client": "studio", "day": "2026-12-01", "own": "m.rossi@studio.it"}
        assert late == Refusal(Reason.SENDER_REPLACED, values, "m.rossi@studio.it"), "he has a mailbox that works"
        assert admit_sender(ROUTING, STUDIO, "m.rossi@studio.it", today=on(date(2026, 12, 1))) is ROSSI

    def test_goes_upstream_as_it_was_written_unless_it_is_replaced(self) -> None:
        assert sent_as(ROSSI, "M.Rossi@STUDIO.it") == "M.Rossi@STUDIO.it"
        assert sent_as(ROSSI, "INFO@studio.it") == "INFO@studio.it"
        assert sent_as(ROSSI, "ROSSI@vecchio.it") == "m.rossi@studio.it"
        assert sent_as(OTHER, "OTHER@x.it") == "OTHER@x.it"


def authors(header: str, account: Account | None = ROSSI, day: date = IN_TIME) -> Admitted | Refusal:
    found = read_header(header.encode() + b"\r\n")
    assert isinstance(found, TopHeader)
    return admit_authors(ROUTING, STUDIO, found, account=account, today=on(day))


class TestTheAuthors:
    @pytest.mark.parametrize(
        "header",
        [
            "From: m.rossi@studio.it\r\n",
            "From: Dr. Rossi <M.ROSSI@studio.it>\r\n",
            "From: info@studio.it\r\n",
            "From: m.rossi@studio.it, Segreteria <info@studio.it>\r\nSender: m.rossi@studio.it\r\n",
            "Sender: info@studio.it\r\nFrom: m.rossi@studio.it\r\n",
            "Subject: from is added\r\n",
            "Sender: m.rossi@studio.it\r\n",
            "Reply-To: anyone@else.it\r\nFrom: m.rossi@studio.it\r\n",
            "Resent-From: info@studio.it\r\nResent-Sender: m.rossi@studio.it\r\nFrom: m.rossi@studio.it\r\n",
            "From: m.rossi@studio.it\r\nResent-From: info@studio.it\r\nResent-From: m.rossi@studio.it\r\n",
            "From: m.rossi@studio.it\r\nResent-To: anyone@else.it\r\n",
        ],
    )
    def test_of_the_account_are_admitted(self, header: str) -> None:
        assert authors(header) == Admitted(ROSSI)

    @pytest.mark.parametrize(
        ("header", "reason"),
        [
            ("From: bianchi@studio.it\r\n", Reason.FROM_FOREIGN),
            ("From: nobody@studio.it\r\n", Reason.FROM_FOREIGN),
            ("From: m.rossi@studio.it, bianchi@studio.it\r\n", Reason.FROM_FOREIGN),
            ("From: m.rossi@studio.it\r\nSender: other@x.it\r\n", Reason.FROM_FOREIGN),
            ("Sender: other@x.it\r\n", Reason.FROM_FOREIGN),
            ("From: m.rossi@studio.it\r\nFrom: m.rossi@studio.it\r\n", Reason.FROM_COUNT),
            ("From: m.rossi@studio.it\r\nfrom : evil@x.it\r\n", Reason.FROM_COUNT),
            ("From: m.rossi@studio.it\r\nSender: info@studio.it\r\nSender: info@studio.it\r\n", Reason.FROM_COUNT),
            ("From: m.rossi@studio.it\r\nResent-From: other@x.it\r\n", Reason.FROM_FOREIGN),
            ("From: m.rossi@studio.it\r\nResent-Sender: bianchi@studio.it\r\n", Reason.FROM_FOREIGN),
            ("From: m.rossi@studio.it\r\nResent-From:\r\n", Reason.FROM_UNREADABLE),
            ("From:\r\n", Reason.FROM_UNREADABLE),
            ("From: Dr. Rossi\r\n", Reason.FROM_UNREADABLE),
            ("From: nobody:;\r\n", Reason.FROM_UNREADABLE),
            ("From: evil@x.it <m.rossi@studio.it>\r\n", Reason.FROM_UNREADABLE),
            ("From: m.rossi@studio.it\r\nSender:\r\n", Reason.FROM_UNREADABLE),
        ],
    )
    def test_that_do_not_agree_are_refused(self, header: str, reason: Reason) -> None:
        assert reason_of(authors(header)) is reason

    def test_that_are_foreign_are_named(self) -> None:
        found = authors("From: m.rossi@studio.it, bianchi@studio.it\r\n")
        assert isinstance(found, Refusal)
        assert found.values == {"field": "From", "author": "bianchi@studio.it", "sender": "m.rossi@studio.it"}
        assert found.account == "m.rossi@studio.it"
        assert "bianchi" not in repr(found)


class TestAnEmptySender:
    def test_is_taken_when_header_from_finds_an_account_of_this_client(self) -> None:
        assert authors("From: Info <info@studio.it>\r\n", account=None) == Admitted(ROSSI)
        assert authors("Sender: m.rossi@studio.it\r\nFrom: info@studio.it\r\n", account=None) == Admitted(ROSSI)

    @pytest.mark.parametrize(
        ("header", "reason"),
        [
            ("Subject: x\r\n", Reason.FROM_MISSING),
            ("Sender: m.rossi@studio.it\r\n", Reason.FROM_MISSING),
            ("From: other@x.it\r\n", Reason.SENDER_FOREIGN),
            ("From: nobody@studio.it\r\n", Reason.SENDER_UNKNOWN),
            ("From: m.rossi@studio.it, other@x.it\r\n", Reason.FROM_FOREIGN),
            ("From: m.rossi@studio.it\r\nSender: bianchi@studio.it\r\n", Reason.FROM_FOREIGN),
        ],
    )
    def test_is_refused_otherwise(self, header: str, reason: Reason) -> None:
        assert reason_of(authors(header, account=None)) is reason

    def test_is_refused_after_the_last_day_of_the_account(self) -> None:
        found = authors("From: bianchi@studio.it\r\n", account=None, day=date(2026, 11, 1))
        assert reason_of(found) is Reason.SENDER_RETIRED


class TestAnOldAddress:
    def rewritten(self, header: str) -> str:
        found = read_header(header.encode() + b"Date: Sun, 01 Nov 2026 10:00:00 +0100\r\nMessage-ID: <1@x>\r\n\r\n")
        assert isinstance(found, TopHeader)
        admitted = admit_authors(ROUTING, STUDIO, found, account=ROSSI, today=on(IN_TIME))
        assert isinstance(admitted, Admitted)
        done = completed(found, Stamp("h", "ESMTP", "i", 0.0), sender="", changes=admitted.changes)
        return done.content.decode().split("\r\n", 2)[2].partition("Date:")[0]

    @pytest.mark.parametrize(
        ("written", "sent"),
        [
            ("From: rossi@vecchio.it\r\n", "From: m.rossi@studio.it\r\n"),
            ("From: Dr. Rossi <ROSSI@Vecchio.it>\r\n", "From: Dr. Rossi <m.rossi@studio.it>\r\n"),
            ("From: Dr.\r\n Rossi\r\n <rossi@vecchio.it>\r\n", "From: Dr.\r\n Rossi\r\n <m.rossi@studio.it>\r\n"),
            ('From: "rossi@vecchio.it" <rossi@vecchio.it>\r\n', 'From: "m.rossi@studio.it" <m.rossi@studio.it>\r\n'),
            (
                "From: info@studio.it, rossi@vecchio.it\r\nSender: <rossi@vecchio.it>\r\n",
                "From: info@studio.it, m.rossi@studio.it\r\nSender: <m.rossi@studio.it>\r\n",
            ),
        ],
    )
    def test_is_rewritten_wherever_it_is_an_author(self, written: str, sent: str) -> None:
        assert self.rewritten(written) == sent

    @pytest.mark.parametrize(
        ("written", "sent"),
        [
            ("From: rossi@vecchio.it, m.rossi@studio.it\r\n", "From: m.rossi@studio.it\r\n"),
            ("From: M.Rossi@Studio.it,, ROSSI@vecchio.it\r\n", "From: M.Rossi@Studio.it,\r\n"),
            (
                'From: "Vecchio, Rossi" <rossi@vecchio.it>,\r\n Rossi (di, là) <m.rossi@studio.it>, info@studio.it\r\n',
                "From: Rossi (di, là) <m.rossi@studio.it>, info@studio.it\r\n",
            ),
            ("From: Uno <rossi@vecchio.it>,\r\n Due <rossi@vecchio.it>\r\n", "From: Uno <m.rossi@studio.it>\r\n"),
            (
                "From: info@studio.it, rossi@vecchio.it\r\n , m.rossi@studio.it\r\n",
                "From: info@studio.it, m.rossi@studio.it\r\n",
            ),
            (
                "From: Studio: rossi@vecchio.it, m.rossi@studio.it;\r\n",
                "From: Studio: m.rossi@studio.it, m.rossi@studio.it;\r\n",
            ),
        ],
        ids=["old, new", "new, old", "with names", "old twice", "last", "a group stays as it is"],
    )
    def test_beside_the_new_one_leaves_it_once(self, written: str, sent: str) -> None:
        assert self.rewritten(written) == sent

    def test_is_refused_where_it_is_spelled_so_that_it_cannot_be_rewritten(self) -> None:
        assert reason_of(authors("From: rossi @ vecchio.it\r\n")) is Reason.FROM_UNREADABLE

    def test_that_is_only_part_of_another_stays(self) -> None:
        aliases = ("arossi@vecchio.it", "rossi@vecchio.it.example")
        account = replace(ROSSI, aliases=aliases)
        routing = Routing(ROUTING.clients, ROUTING.providers, {account.sender: account})
        found = read_header(b"From: arossi@vecchio.it, rossi@vecchio.it.example, rossi@vecchio.it\r\n\r\n")
        assert isinstance(found, TopHeader)
        admitted = admit_authors(routing, STUDIO, found, account=account, today=on(IN_TIME))
        assert isinstance(admitted, Admitted)
        assert [change.octets for change in admitted.changes] == [
            b" arossi@vecchio.it, rossi@vecchio.it.example, m.rossi@studio.it"
        ]
