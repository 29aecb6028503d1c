"""A store that is slow or away: the client is told to try again within a second, and nothing goes out twice for it."""

import asyncio

import pytest

from relay.core.envelope import NewMessage
from relay.errors import StoreError, StoreFull, StoreSilent, StoreUnavailable
from relay.submission import handing, resubmission
from relay.submission.peer import Peer
from relay.submission.session import Session
from relay.submission.wire import ClientGone
from tests.fakes.submission import Clock, Office
from tests.unit.submission.dialogue import MAIL, ScriptedWire, plain
from tests.unit.submission.dialogue import MESSAGE as UNNAMED

MESSAGE = b"Message-ID: <ricetta@studio.test>\r\n" + UNNAMED
LOGIN = b"EHLO pc\r\n" + plain()
MAILED = MAIL + MESSAGE + b".\r\n"
PATIENCE = 0.05


class SlowIntake:
    """Stores when `answer` is set; then raises what it is told to. Idempotent by id, as the port says."""

    def __init__(self) -> None:
        self.answer = asyncio.Event()
        self.begun = asyncio.Event()
        self.errors: list[StoreError | None] = []
        self.stores_before_failing = False
        self.stored: dict[str, NewMessage] = {}
        self.asked: list[str] = []

    async def put(self, message: NewMessage) -> None:
        self.asked.append(message.id)
        self.begun.set()
        error = self.errors.pop(0) if self.errors else None
        await self.answer.wait()
        if error is None or self.stores_before_failing:
            self.stored.setdefault(message.id, message)
        if error is not None:
            raise error

    def has_space(self) -> bool:
        return True


def office(patience: float | None = PATIENCE) -> tuple[Office, SlowIntake]:
    it, intake = Office(store_patience=patience), SlowIntake()
    it.intake = intake  # type: ignore[assignment]
    return it, intake


async def talk(it: Office, *said: bytes) -> list[str]:
    """The answers to messages on one connection, all of which the client reads."""
    wire = ScriptedWire(LOGIN, *said, b"QUIT\r\n")
    wire.is_all_read = True
    session = Session(wire, it.one_desk(), listener=it.listener, peer=Peer("127.0.0.1"), clock=Clock())
    try:
        await session.converse()
    except ClientGone:
        pass
    lines = wire.heard.decode().split("\r\n")
    return [line for line in lines if "queued as" in line or line.startswith(("451", "452"))]


async def settle() -> None:
    """What goes on in the background comes to its end."""
    for _ in range(20):
        await asyncio.sleep(0)


AWAY = "451 4.3.0 The mail cannot be stored now, try again later"


async def test_a_store_that_does_not_answer_in_time_is_told_as_away_and_the_session_goes_on() -> None:
    it, intake = office()
    assert await talk(it, MAILED, MAILED.replace(b"ricetta@", b"referto@")) == [AWAY, AWAY]
    assert len(intake.asked) == 2
    causes = [told["cause"] for told in it.observer.told("refused")]
    assert causes == [f"the store did not answer within {PATIENCE} s"] * 2, "and the log says why"
    intake.answer.set()
    await settle()


@pytest.mark.parametrize(
    ("error", "reply"),
    [(StoreUnavailable("why"), "451 4.3.0"), (StoreSilent("why"), "451 4.3.0"), (StoreFull("why"), "452 4.3.1")],
)
@pytest.mark.parametrize("patience", [None, 60])
async def test_a_store_that_refuses_is_told_for_what_it_is(
    error: StoreError, reply: str, patience: float | None
) -> None:
    it, intake = office(patience)
    intake.answer.set()
    intake.errors = [error]
    (said,) = await talk(it, MAILED)
    assert said.startswith(reply)
    assert "why" not in said
    assert [told["cause"] for told in it.observer.told("refused")] == ["why"], "which the log says"


async def test_what_was_stored_after_all_is_told_to_who_sends_it_again_and_goes_out_once() -> None:
    it, intake = office()
    assert await talk(it, MAILED) == [AWAY]
    intake.answer.set()
    await settle()
    assert list(it.unheard.remembered) == ["m-1"], "over a restart, and for all nodes"
    assert await talk(it, MAILED) == ["250 2.0.0 Ok: queued as m-1"]
    assert list(intake.stored) == ["m-1"]


async def test_who_sends_it_again_while_the_store_still_has_not_answered_is_not_handed_over_twice() -> None:
    it, intake = office()
    assert await talk(it, MAILED, MAILED) == [AWAY, AWAY], "on the same connection"
    assert await talk(it, MAILED) == [AWAY], "and on another"
    assert intake.asked == ["m-1"]
    intake.answer.set()
    await settle()
    assert await talk(it, MAILED) == ["250 2.0.0 Ok: queued as m-1"]
    assert list(intake.stored) == ["m-1"]


@pytest.mark.parametrize("has_stored", [False, True])
@pytest.mark.parametrize("patience", [None, PATIENCE])
async def test_what_may_be_stored_keeps_its_id_when_it_is_sent_again(
    monkeypatch: pytest.MonkeyPatch, has_stored: bool, patience: float | None
) -> None:
    """The line to the store broke before its answer came."""
    monkeypatch.setattr(handing, "PAUSES", ())
    it, intake = office(patience)
    intake.answer.set()
    intake.errors, intake.stores_before_failing = [StoreSilent()], has_stored
    assert await talk(it, MAILED) == [AWAY]
    await settle()
    assert await talk(it, MAILED) == ["250 2.0.0 Ok: queued as m-1"]
    assert intake.asked == ["m-1", "m-1"]
    assert list(intake.stored) == ["m-1"]
    assert await talk(it, MAILED) == ["250 2.0.0 Ok: queued as m-2"], "who has heard it and sends it again means two"


async def test_that_it_may_be_stored_is_known_to_all_nodes_when_the_store_is_back(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(handing, "PAUSES", (0.0,) * 50)
    it, intake = office(None)
    intake.answer.set()
    intake.errors, intake.stores_before_failing = [StoreSilent()], True
    it.unheard.trouble = StoreUnavailable()
    assert await talk(it, MAILED) == [AWAY]
    await settle()
    assert it.unheard.remembered == {}
    it.unheard.trouble = None
    await settle()
    assert list(it.unheard.remembered) == ["m-1"]
    assert await talk(it, MAILED) == ["250 2.0.0 Ok: queued as m-1"]
    assert intake.asked == ["m-1"]
    assert await talk(it, MAILED) == ["250 2.0.0 Ok: queued as m-2"], "he has read the answer"


async def test_what_is_certainly_not_stored_has_a_new_id_when_it_is_sent_again() -> None:
    it, intake = office()
    intake.answer.set()
    intake.errors = [StoreUnavailable()]
    assert await talk(it, MAILED) == [AWAY]
    assert await talk(it, MAILED) == ["250 2.0.0 Ok: queued as m-2"]


async def test_mails_without_a_message_id_are_never_taken_for_one() -> None:
    it, intake = office()
    intake.answer.set()
    intake.errors = [StoreSilent()]
    unnamed = MAIL + UNNAMED + b".\r\n"
    assert await talk(it, unnamed) == [AWAY]
    assert await talk(it, unnamed) == ["250 2.0.0 Ok: queued as m-2"]


async def test_a_client_that_hangs_up_leaves_the_message_in_good_hands() -> None:
    it, intake = office(60)
    wire = ScriptedWire(LOGIN, MAILED)
    talking = asyncio.ensure_future(
        Session(wire, it.one_desk(), listener=it.listener, peer=Peer("127.0.0.1"), clock=Clock()).converse()
    )
    await intake.begun.wait()
    talking.cancel()
    await asyncio.wait([talking])
    intake.answer.set()
    await settle()
    assert list(intake.stored) == ["m-1"]
    assert list(it.unheard.remembered) == ["m-1"]


async def test_that_it_may_be_stored_is_remembered_for_so_many_at_most(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(resubmission, "DOUBTFUL", 2)
    it, intake = office(None)
    intake.answer.set()
    intake.errors = [StoreSilent(), StoreSilent(), StoreSilent()]
    mails = [MAILED.replace(b"ricetta@", b"r%d@" % number) for number in range(3)]
    assert await talk(it, *mails) == [AWAY] * 3
    assert [line[-3:] for line in await talk(it, *mails)] == ["m-4", "m-2", "m-3"]


async def test_whether_he_may_be_written_to_is_not_waited_for_longer() -> None:
    it, _ = office()

    async def standing(*_: object) -> None:
        await asyncio.Event().wait()

    it.suppressions.may_stand = lambda *_: True  # type: ignore[method-assign]
    it.suppressions.standing = standing  # type: ignore[assignment]
    said = await talk(it, MAIL.replace(b"DATA\r\n", b""))
    assert said == [AWAY]


@pytest.mark.parametrize(("patience", "reply"), [(None, "452 4.3.1"), (PATIENCE, "451 4.3.0")])
async def test_a_store_known_to_be_away_is_told_at_mail_and_a_full_disk_for_what_it_is(
    patience: float | None, reply: str
) -> None:
    it, intake = office(patience)
    intake.has_space = lambda: False  # type: ignore[method-assign]
    (said,) = await talk(it, MAIL.partition(b"RCPT")[0])
    assert said.startswith(reply)
