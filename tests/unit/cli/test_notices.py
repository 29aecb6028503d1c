"""`relay notices`: what is open, what the webhook never took, and sending it once more."""

import json

import pytest

from relay.cli.notices import print_dead, print_open
from relay.core.concerns import Concern, ConcernKind, Subject
from relay.core.notice import Notice, NoticeType
from relay.core.notice_json import write_notice
from relay.core.words import MailboxId
from relay.store.ports.notices import DeadLetter
from tests.fakes.reading import MINUTE, NOON
from tests.unit.cli.drawing import NOW, answer, drawn
from tests.unit.cli.running import Desk

ANNA = "anna@d.test"
BOX = MailboxId("lab", ANNA)
OPEN = [
    Concern(9, ConcernKind.AUTH_OUTAGE, Subject(provider="libero"), None, NOON),
    Concern(4, ConcernKind.MAILBOX_STOPPED, Subject(mailbox=BOX), "auth-rejected", NOON - 60 * MINUTE, told_at=NOON),
]
LETTER = DeadLetter(
    7, write_notice(Notice("c4-1-1", NoticeType.STOPPED, NOON, "lab", ANNA, (ANNA,))), 10, "status-500", NOON
)


def test_what_is_open_is_listed_with_when_somebody_was_told(desk: Desk) -> None:
    desk.relay.notices.open = OPEN
    items = answer(desk.relay, "notices")["items"]
    assert drawn(lambda console: print_open(console, items, NOW)) == (
        "WHAT            ABOUT           REASON        SINCE TOLD\n"
        "auth-outage     libero          -                8m    -\n"
        "mailbox-stopped lab/anna@d.test auth-rejected   68m   8m"
    )
    desk.relay.notices.next_at = {9: NOON + 10 * MINUTE}
    items = answer(desk.relay, "notices")["items"]
    said = drawn(lambda console: print_open(console, items, NOW)).splitlines()
    assert said[1].endswith("not yet, in 2m"), "who is told later is not told"
    assert desk.says("notices").count("\n") == 3


def test_dead_letters_are_listed_with_what_to_do(desk: Desk) -> None:
    desk.relay.notices.dead = [LETTER]
    found = answer(desk.relay, "notices/dead")
    said = drawn(lambda console: print_dead(console, found, NOW))
    assert said.splitlines()[1].split() == ["7", "mailbox.stopped", "anna@d.test", "10", "status-500", "8m"]
    assert said.splitlines()[2] == "once more: relay notices --retry ID"
    assert desk.says("notices", "--retry", "7") == "notice 7 is sent once more\n"
    assert desk.says("notices", "--dead") == "the webhook took every notice\n"
    assert desk.says("notices") == "nobody has to know of anything\n"


def test_the_webhook_did_not_take_what_still_waits_for_it(desk: Desk) -> None:
    desk.relay.notices.unposted = 1
    assert desk.says("notices", "--dead") == "none given up; 1 waits for the webhook\n"
    desk.relay.notices.unposted, desk.relay.notices.dead = 2, [LETTER]
    assert desk.says("notices", "--dead").endswith("once more: relay notices --retry ID; 2 wait for the webhook\n")


def test_one_that_was_not_given_up_is_said(desk: Desk) -> None:
    code, _, err = desk.run("notices", "--retry", "8")
    assert (code, err) == (1, "relay: no notice 8 was given up: it was sent, or never was\n")


@pytest.mark.parametrize("asked", [("--dead", "--retry", "7"), ("--retry", "x"), ("--retry", "0")])
def test_what_makes_no_sense_is_wrong_use(desk: Desk, asked: tuple[str, ...]) -> None:
    assert desk.run("notices", *asked)[0] == 2


def test_json_is_exactly_that_of_the_api(desk: Desk) -> None:
    desk.relay.notices.open, desk.relay.notices.dead = OPEN, [LETTER]
    assert json.loads(desk.says("notices", "--json")) == answer(desk.relay, "notices")
    assert json.loads(desk.says("notices", "--dead", "--json")) == answer(desk.relay, "notices/dead")
    assert json.loads(desk.says("notices", "--retry", "7", "--json")) == {"id": 7}
