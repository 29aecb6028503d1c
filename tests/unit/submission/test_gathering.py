"""What all messages coming in hold together is bounded, and given back whatever happens."""

import pytest

from relay.core.refusal import Reason
from relay.submission.gathering import Gathering, Memory
from relay.submission.wire import ClientGone
from tests.unit.submission.dialogue import ScriptedWire

WHOLE = b"x" * 100_000 + b"\r\n.\r\n"


async def test_a_message_holds_what_it_has_until_it_is_released() -> None:
    memory = Memory(200_000)
    gathering = Gathering(150_000, memory)
    assert await gathering.read(ScriptedWire(WHOLE)) is None
    assert gathering.raw() == b"x" * 100_000 + b"\r\n"
    assert memory.held == 100_002
    gathering.release()
    gathering.release()
    assert memory.held == 0


async def test_what_is_too_much_is_read_to_its_end_and_not_held() -> None:
    memory = Memory(200_000)
    wire = ScriptedWire(b"x" * 70_000, WHOLE + b"NOOP\r\n")
    assert await Gathering(60_000, memory).read(wire) is Reason.MESSAGE_TOO_LARGE
    assert memory.held == 0
    assert await wire.line(9) == b"NOOP"


async def test_what_the_memory_of_all_cannot_hold_is_put_off() -> None:
    memory = Memory(150_000)
    first = Gathering(1_000_000, memory)
    assert await first.read(ScriptedWire(WHOLE)) is None
    assert await Gathering(1_000_000, memory).read(ScriptedWire(WHOLE)) is Reason.STORE_FULL
    assert memory.held == 100_002
    first.release()
    assert await Gathering(1_000_000, memory).read(ScriptedWire(WHOLE)) is None


async def test_a_client_that_hangs_up_in_the_middle_leaves_nothing_behind_once_released() -> None:
    memory = Memory(200_000)
    gathering = Gathering(1_000_000, memory)
    with pytest.raises(ClientGone):
        await gathering.read(ScriptedWire(b"x" * 70_000, b"x" * 70_000))
    assert memory.held > 0
    gathering.release()
    assert memory.held == 0


def test_one_client_leaves_room_for_the_others() -> None:
    memory = Memory(100, most_of_one=60)
    assert memory.take(60, "giant")
    assert not memory.take(1, "giant")
    assert memory.take(40, "other")
    assert not memory.take(1, "third"), "all of it is taken"
    memory.give_back(10, "giant")
    assert memory.take(10, "third")
    for count, client in ((50, "giant"), (40, "other"), (10, "third")):
        memory.give_back(count, client)
    assert memory.held == 0
    assert memory.take(60, "giant")
