"""Who cannot have read that his mail was accepted, and sends it again, is told of the first; who read it means two."""

import asyncio

import pytest

from relay.errors import StoreUnavailable
from relay.submission.peer import Peer
from relay.submission.session import Session
from relay.submission.wire import ClientGone
from tests.fakes.submission import Clock, Office
from tests.unit.submission.dialogue import MAIL, ScriptedWire, plain
from tests.unit.submission.dialogue import MESSAGE as UNNAMED

MESSAGE = b"Message-ID: <ricetta@studio.test>\r\n" + UNNAMED
LOGIN = b"EHLO pc\r\n" + plain()
MAILED = MAIL + MESSAGE + b".\r\n"
TO_TWO = MAIL.replace(b"DATA", b"RCPT TO:<altro@x.test>\r\nDATA") + MESSAGE + b".\r\n"


async def talk(office: Office, *said: bytes, is_all_read: bool = False, wire: ScriptedWire | None = None) -> list[str]:
    """The answers to messages on one connection, which the client then leaves."""
    wire = wire or ScriptedWire(LOGIN, *said)
    wire.is_all_read = is_all_read
    session = Session(wire, office.one_desk(), listener=office.listener, peer=Peer("127.0.0.1"), clock=Clock())
    try:
        await session.converse()
    except ClientGone:
        pass
    return [line for line in wire.heard.decode().split("\r\n") if "queued as" in line]


def ids(office: Office) -> list[str]:
    return [message.id for message in office.intake.messages]


async def test_who_left_before_he_can_have_read_it_is_told_of_the_first() -> None:
    office = Office()
    await talk(office, MAILED)
    assert await talk(office, MAILED) == ["250 2.0.0 Ok: queued as m-1"]
    assert ids(office) == ["m-1"]
    assert office.observer.told("accepted_before") == [{"id": "m-1", "client": "studio", "account": "m.rossi@d.test"}]
    assert len(office.observer.told("accepted")) == 1


async def test_who_says_anything_after_it_has_read_it() -> None:
    for command in (b"QUIT\r\n", b"RSET\r\n", b"NOOP\r\n", b"nonsense\r\n", b"MAIL FROM:<m.rossi@d.test>\r\n"):
        office = Office()
        await talk(office, MAILED, command)
        assert await talk(office, MAILED) == ["250 2.0.0 Ok: queued as m-2"]
        assert office.unheard.remembered.keys() == {"m-2"}


async def test_who_closed_after_it_had_arrived_has_read_it() -> None:
    office = Office()
    await talk(office, MAILED, is_all_read=True)
    assert await talk(office, MAILED) == ["250 2.0.0 Ok: queued as m-2"]


async def test_what_was_said_before_the_answer_is_no_sign_of_it() -> None:
    office = Office()
    await talk(office, MAILED + b"NOOP\r\n")
    assert await talk(office, MAILED) == ["250 2.0.0 Ok: queued as m-1"]


async def test_who_says_goodbye_with_the_mail_does_not_wait_for_an_answer() -> None:
    office = Office()
    await talk(office, MAILED + b"QUIT\r\n")
    assert office.unheard.remembered == {}


async def test_all_that_was_not_heard_on_a_connection_is_remembered() -> None:
    office = Office()
    second = MAIL + MESSAGE + b"due\r\n.\r\n"
    await talk(office, MAILED + second)
    assert await talk(office, MAILED + second) == ["250 2.0.0 Ok: queued as m-1", "250 2.0.0 Ok: queued as m-2"]


async def test_who_hears_it_the_second_time_and_sends_it_again_means_two() -> None:
    office = Office()
    await talk(office, MAILED)
    await talk(office, MAILED, b"QUIT\r\n")
    assert office.unheard.forgotten == ["m-1"]
    assert await talk(office, MAILED, b"QUIT\r\n") == ["250 2.0.0 Ok: queued as m-2"]


async def test_who_does_not_hear_it_the_second_time_either_is_told_again() -> None:
    office = Office()
    for _ in range(3):
        await talk(office, MAILED)
    assert ids(office) == ["m-1"]


@pytest.mark.parametrize(
    "another",
    [
        TO_TWO,
        MAILED.replace(b"paziente@x.test", b"altro@x.test", 1),
        MAILED.replace(b"Buongiorno", b"Buonasera"),
        MAILED.replace(b"m.rossi@d.test", b"bianchi@d.test"),
    ],
)
async def test_another_recipient_sender_or_text_is_another_message(another: bytes) -> None:
    office = Office()
    await talk(office, MAILED)
    assert await talk(office, another, b"QUIT\r\n") == ["250 2.0.0 Ok: queued as m-2"]


@pytest.mark.parametrize("field", [b"", b"Message-ID:\r\n"])
async def test_two_of_the_same_words_without_a_message_id_are_two(field: bytes) -> None:
    office = Office()
    mailed = MAIL + field + UNNAMED + b".\r\n"
    await talk(office, mailed)
    assert await talk(office, mailed) == ["250 2.0.0 Ok: queued as m-2"]
    assert office.unheard.remembered == {}


async def test_the_order_of_recipients_is_nothing() -> None:
    office = Office()
    await talk(office, TO_TWO)
    one, other = b"RCPT TO:<paziente@x.test>\r\n", b"RCPT TO:<altro@x.test>\r\n"
    swapped = TO_TWO.replace(one + other, other + one)
    assert swapped != TO_TWO
    assert await talk(office, swapped) == ["250 2.0.0 Ok: queued as m-1"]


async def test_who_gave_up_while_it_was_being_stored_waits_for_that() -> None:
    office = Office()
    office.intake.gate = asyncio.Event()
    wire = ScriptedWire(LOGIN, MAILED)
    first = asyncio.create_task(talk(office, wire=wire))
    await office.intake.begun.wait()
    wire.has_finished = True
    second = asyncio.create_task(talk(office, MAILED))
    for _ in range(20):
        await asyncio.sleep(0)
    office.intake.gate.set()
    assert await first == await second == ["250 2.0.0 Ok: queued as m-1"]
    assert ids(office) == ["m-1"]


async def test_who_still_waits_for_the_first_and_sends_another_means_two() -> None:
    office = Office()
    office.intake.gate = asyncio.Event()
    first = asyncio.create_task(talk(office, MAILED))
    await office.intake.begun.wait()
    second = asyncio.create_task(talk(office, MAILED))
    for _ in range(20):
        await asyncio.sleep(0)
    office.intake.gate.set()
    assert {*await first, *await second} == {"250 2.0.0 Ok: queued as m-1", "250 2.0.0 Ok: queued as m-2"}


async def test_a_first_time_that_failed_is_no_first_time() -> None:
    office = Office()
    office.intake.trouble = StoreUnavailable()
    await talk(office, MAILED)
    office.intake.trouble = None
    assert len(await talk(office, MAILED)) == 1
    assert len(office.intake.messages) == 1


async def test_a_store_that_is_away_when_it_is_to_remember_costs_a_second_message_at_most() -> None:
    office = Office()
    office.unheard.trouble = StoreUnavailable()
    assert await talk(office, MAILED) == ["250 2.0.0 Ok: queued as m-1"]
    office.unheard.trouble = None
    assert await talk(office, MAILED) == ["250 2.0.0 Ok: queued as m-2"]


async def test_a_store_that_is_away_when_it_is_asked_is_said() -> None:
    office = Office()
    await talk(office, MAILED)
    office.unheard.trouble = StoreUnavailable()
    assert await talk(office, MAILED) == []
    assert office.observer.told("refused")[-1]["reply"].startswith("451 4.3.0 ")


async def test_nothing_is_remembered_of_a_client_that_reads_its_answers() -> None:
    office = Office()
    await talk(office, MAILED, MAILED, MAILED, b"QUIT\r\n")
    assert len(office.intake.messages) == 3
    assert office.unheard.remembered == {}
    assert office.unheard.forgotten == []
