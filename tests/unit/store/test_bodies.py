import pytest

from relay.errors import CorruptValue, StoreUnavailable
from relay.store.segments import Place
from relay.store.sqlite import bodies
from relay.store.sqlite.blocks import BLOCK
from relay.vault.vault import OVERHEAD_BYTES
from tests.unit.store.workbench import BOUNCED, DEFERRED, DROPPED, NODE, ROSSI, Bench, account, message


def is_blank(bench: Bench, number: int) -> bool:
    """Whether the space of a message's body was given back."""
    ((segment, offset, length),) = bench.rows(
        'SELECT segment, "offset", length FROM messages WHERE id = ?', f"m-{number}"
    )
    try:
        return bytes(BLOCK) in bench.segments.read(Place(segment, offset, length))
    except CorruptValue:
        return True


async def queued(many: int, segment_bytes: int = 1000, content: bytes = b"x" * 300) -> Bench:
    bench = Bench(segment_bytes=segment_bytes)
    await bench.route(account(ROSSI))
    for number in range(many):
        await bench.store.put(message(number, content=content))
    return bench


LARGE = b"x" * 3 * BLOCK
"""Has a whole block of its own wherever it lies."""


async def test_a_segment_in_which_nothing_is_needed_is_removed() -> None:
    bench = await queued(5)
    assert len(bench.segments.numbers()) == 2
    for claim in await bench.take(4):
        await bench.send(claim)
    await bench.rest()
    assert len(bench.segments.numbers()) == 1
    (last,) = await bench.take()
    assert await bench.store.content(last) == b"x" * 300


async def test_the_segment_that_is_written_to_goes_when_the_next_one_begins() -> None:
    bench = await queued(2)
    for claim in await bench.take():
        await bench.send(claim)
    await bench.rest()
    assert len(bench.segments.numbers()) == 1
    await bench.store.put(message(7, content=b"x" * 300))
    await bench.store.put(message(8, content=b"x" * 300))
    await bench.store.put(message(9, content=b"x" * 300))
    await bench.rest()
    assert bench.rows("SELECT count(*) FROM segments WHERE live = 0") == [(0,)]


async def test_a_heartbeat_gives_the_space_of_single_mails_back() -> None:
    bench = await queued(3, segment_bytes=10**6, content=LARGE)
    claims = await bench.take()
    await bench.send(claims[1])
    await bench.store.heartbeat(NODE)
    await bench.rest()
    assert [is_blank(bench, number) for number in range(3)] == [False, True, False]


async def test_much_space_is_given_back_without_waiting_for_a_heartbeat(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bodies, "PUNCH_BYTES", 5 * BLOCK)
    bench = await queued(3, segment_bytes=10**6, content=LARGE)
    claims = await bench.take()
    await bench.send(claims[0])
    await bench.rest()
    assert [is_blank(bench, number) for number in range(3)] == [False, False, False]
    await bench.send(claims[1])
    await bench.rest()
    assert [is_blank(bench, number) for number in range(3)] == [True, True, False]


async def test_no_space_is_given_back_before_the_outcome_is_durable() -> None:
    bench = await queued(2, segment_bytes=100)
    first, _ = await bench.take()
    await bench.store.gate(first)
    bench.disk.refuse.append(StoreUnavailable())
    with pytest.raises(StoreUnavailable):
        await bench.store.settle(first, BOUNCED)
    await bench.rest()
    assert await bench.store.content(first) == b"x" * 300


@pytest.mark.parametrize("outcome", [DEFERRED, DROPPED, BOUNCED])
async def test_a_body_that_is_still_needed_stays(outcome: object) -> None:
    bench = await queued(1, segment_bytes=100)
    (claim,) = await bench.take()
    await bench.send(claim, outcome)  # type: ignore[arg-type]
    await bench.store.heartbeat(NODE)
    await bench.rest()
    assert not is_blank(bench, 0)


async def test_what_a_crash_left_unpunched_is_found_at_a_heartbeat() -> None:
    bench = await queued(4, segment_bytes=10**6, content=LARGE)
    claims = await bench.take(2)
    for claim in claims:
        await bench.send(claim)
    bench.crash()
    assert not is_blank(bench, 0)
    await bench.store.heartbeat(NODE)
    await bench.rest()
    assert [is_blank(bench, number) for number in range(4)] == [True, True, False, False]


async def test_no_block_is_given_back_while_a_neighbour_in_it_is_needed_after_a_crash_neither() -> None:
    half = b"x" * (BLOCK // 2 - OVERHEAD_BYTES)
    bench = await queued(2, segment_bytes=10**6, content=half)
    bench.crash()
    first, second = await bench.take()
    await bench.send(first)
    await bench.store.heartbeat(NODE)
    await bench.store.heartbeat(NODE)
    await bench.rest()
    assert await bench.store.content(second) == half


async def test_a_segment_that_no_message_points_to_is_removed_at_the_start() -> None:
    bench = await queued(1)
    bench.segments.append(b"left by a crash before its commit")
    bench.segments.sync()
    bench.segments.begin(50)
    bench.segments.append(b"and another")
    bench.segments.sync()
    bench.crash()
    assert len(bench.segments.numbers()) == 1
    (claim,) = await bench.take()
    assert await bench.store.content(claim) == b"x" * 300


async def test_a_body_is_not_read_back_while_it_is_new_and_is_read_after_a_restart() -> None:
    bench = await queued(1)
    bench.segments._durable.clear()
    (claim,) = await bench.take()
    assert await bench.store.content(claim) == b"x" * 300
    bench.crash()
    await bench.store.recover(NODE)
    (claim,) = await bench.take()
    with pytest.raises(CorruptValue):
        await bench.store.content(claim)


async def test_only_so_much_is_kept_at_hand(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bodies, "AT_HAND_BYTES", 1100)
    bench = await queued(5, segment_bytes=10**6)
    assert bench.store._core.parts.bodies._at_hand_bytes <= 1100
    for claim in await bench.take():
        assert await bench.store.content(claim) == b"x" * 300


async def test_a_body_larger_than_all_that_is_kept_goes_through(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bodies, "AT_HAND_BYTES", 100)
    bench = await queued(1)
    (claim,) = await bench.take()
    assert await bench.store.content(claim) == b"x" * 300


async def test_bodies_are_sealed_for_their_own_message() -> None:
    bench = await queued(2, segment_bytes=10**6)
    bench.crash()
    bench.rows("UPDATE messages SET \"offset\" = 0 WHERE id = 'm-1'")
    first, second = await bench.take()
    assert await bench.store.content(first) == b"x" * 300
    with pytest.raises(CorruptValue):
        await bench.store.content(second)
