from itertools import pairwise
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from relay.core.envelope import Kind
from relay.core.health import Health, HealthEvent, HealthState
from relay.core.reply import Reply
from relay.core.words import Lane
from relay.store.engine.entry import Entry
from relay.store.engine.statements import load_statements, read_statements
from relay.store.engine.values import read_health, read_reply, write_health, write_reply
from relay.store.segments import Place
from relay.store.sqlite import heads as heads_module
from relay.store.sqlite.blocks import BLOCK, Blocks, joined
from relay.store.sqlite.heads import FIRST, HEAD, Heads
from relay.store.sqlite.lanes import KEPT, Lanes


def entry(number: int) -> Entry:
    return Entry(
        number, number, f"m{number}", Kind.MAIL, 1, 0, 1, Place(1, 0, 1), False, 1, "a", Lane.BULK, 0, 0, 0, b"", None
    )


class Queue:
    """A queue that remembers how often it was read."""

    def __init__(self, *numbers: int) -> None:
        self.numbers = list(numbers)
        self.asked: list[int] = []

    def refill(self, account: int, lane: Lane, most: int) -> list[Entry]:
        self.asked.append(most)
        return [entry(number) for number in self.numbers[:most]]


def pop(heads: Heads, queue: Queue) -> int | None:
    found = heads.pop(1, Lane.BULK)
    if found is None:
        return None
    queue.numbers.remove(found.delivery)
    return found.delivery


def test_a_head_of_what_just_came_needs_no_reading() -> None:
    queue = Queue()
    heads = Heads(queue.refill)
    for number in range(1, 4):
        heads.add(1, Lane.BULK, entry(number), is_only=not queue.numbers)
        queue.numbers.append(number)
    assert [pop(heads, queue) for _ in range(3)] == [1, 2, 3]
    assert queue.asked == []


def test_a_long_queue_is_read_a_head_at_a_time_and_in_order() -> None:
    queue = Queue(*range(3 * HEAD))
    heads = Heads(queue.refill)
    assert [pop(heads, queue) for _ in range(3 * HEAD)] == list(range(3 * HEAD))
    assert queue.asked == [FIRST, 2 * FIRST, 4 * FIRST, 8 * FIRST, HEAD, HEAD, HEAD]
    assert pop(heads, queue) is None


def test_what_comes_behind_a_head_that_is_not_whole_waits_its_turn() -> None:
    queue = Queue(*range(HEAD + 5))
    heads = Heads(queue.refill)
    first = [pop(heads, queue)]
    heads.add(1, Lane.BULK, entry(999), is_only=False)
    queue.numbers.append(999)
    rest = [pop(heads, queue) for _ in range(HEAD + 5)]
    assert first + rest == [*range(HEAD + 5), 999]


def test_a_head_never_grows_beyond_its_bound_and_loses_nothing() -> None:
    queue = Queue()
    heads = Heads(queue.refill)
    for number in range(2 * HEAD):
        heads.add(1, Lane.BULK, entry(number), is_only=not queue.numbers)
        queue.numbers.append(number)
    assert [pop(heads, queue) for _ in range(2 * HEAD)] == list(range(2 * HEAD))


def test_what_found_no_place_in_a_full_head_is_not_overtaken() -> None:
    queue = Queue()
    heads = Heads(queue.refill)
    popped = []
    for number in range(HEAD + 1):
        heads.add(1, Lane.BULK, entry(number), is_only=not queue.numbers)
        queue.numbers.append(number)
    popped.append(pop(heads, queue))
    heads.add(1, Lane.BULK, entry(HEAD + 1), is_only=False)
    queue.numbers.append(HEAD + 1)
    popped += [pop(heads, queue) for _ in range(HEAD + 1)]
    assert popped == list(range(HEAD + 2))


def test_a_forgotten_head_is_read_again() -> None:
    queue = Queue(1, 2, 3)
    heads = Heads(queue.refill)
    assert pop(heads, queue) == 1
    queue.numbers.insert(0, 0)
    heads.forget(1, Lane.BULK)
    assert [pop(heads, queue) for _ in range(3)] == [0, 2, 3]


def test_only_so_many_deliveries_are_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(heads_module, "ENTRIES", 100)
    heads = Heads(Queue().refill)
    for account in range(60):
        for number in range(2):
            heads.add(account, Lane.BULK, entry(number), is_only=not number)
    assert heads._entries == sum(len(head.waiting) for head in heads._heads.values()) <= 101
    assert heads.pop(0, Lane.BULK) is None, "the oldest went; it is read from the queue"
    assert heads.pop(59, Lane.BULK) is not None


def test_what_is_kept_is_counted_however_it_goes(monkeypatch: pytest.MonkeyPatch) -> None:
    queue = Queue(*range(10))
    heads = Heads(queue.refill)
    assert [pop(heads, queue) for _ in range(6)] == list(range(6))
    heads.forget(1, Lane.BULK)
    assert heads._entries == 0
    assert [pop(heads, queue) for _ in range(5)] == [6, 7, 8, 9, None]
    assert heads._entries == 0


def test_whoever_sends_rarely_is_forgotten_when_there_are_too_many() -> None:
    lanes = Lanes()
    for number in range(KEPT + 2):
        lanes.choose("client", f"a{number}", number * 1_000_000, wants_express=False)
    assert len(lanes._recent) == KEPT


def test_a_run_of_documents_stays_in_bulk_however_many_others_send_in_the_same_minute() -> None:
    lanes = Lanes()
    for number in range(KEPT + 1_000):
        lanes.choose("client", f"a{number}", number, wants_express=False)
        run = [lanes.choose("client", "busy", number, wants_express=False) for _ in range(2)]
    assert run == [Lane.BULK, Lane.BULK]
    assert lanes.choose("client", "quiet", KEPT + 1_000, wants_express=False) is Lane.EXPRESS


@given(st.sets(st.integers(0, 60)))
def test_joined_spans_cover_the_same_bytes(offsets: set[int]) -> None:
    spans = [(offset, 1) for offset in offsets]
    whole = joined(reversed(spans))
    assert {byte for offset, length in whole for byte in range(offset, offset + length)} == offsets
    assert all(first + length < second for (first, length), (second, _) in pairwise(whole))


@given(st.lists(st.integers(1, 3 * BLOCK), max_size=30), st.randoms())
def test_a_block_is_given_back_exactly_when_all_of_it_is_done_with(lengths: list[int], random: Random) -> None:
    records, offset = [], 0
    for length in lengths:
        records.append((offset, length))
        offset += length
    random.shuffle(records)
    blocks, done, given = Blocks(), set[int](), set[int]()
    for index, (start, length) in enumerate(records):
        blocks.add(start, length)
        done.update(range(start, start + length))
        whole = {b for b in range(offset // BLOCK + 1) if done.issuperset(range(b * BLOCK, (b + 1) * BLOCK))}
        if random.random() < 0.5 or index == len(records) - 1:
            fresh = {byte for begin, many in blocks.take() for byte in range(begin, begin + many)}
            assert not fresh & given, "no block twice"
            given |= fresh
            assert given == {byte for b in whole for byte in range(b * BLOCK, (b + 1) * BLOCK)}


def test_every_statement_has_a_name_and_says_what_it_does() -> None:
    for file in ("schema", "store", "queue", "entries", "limits", "routing", "outbox", "history"):
        assert load_statements(file)


@pytest.mark.parametrize("text", ["SELECT 1", "-- one: x\nSELECT 1\n-- one: y\nSELECT 2"])
def test_statements_without_a_name_of_their_own_are_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"SELECT 1|one"):
        read_statements(text)


def test_a_statement_is_read_without_its_comments_and_semicolon() -> None:
    text = "-- A file.\n\n-- get_it: Gets it,\n-- all of it.\nSELECT 1\nFROM t;\n"
    assert read_statements(text) == {"get_it": "SELECT 1\nFROM t"}


@pytest.mark.parametrize("reply", [None, Reply(550, "5.1.1", "no"), Reply(250, None, "")])
def test_replies_come_back(reply: Reply | None) -> None:
    assert read_reply(write_reply(reply)) == reply


@pytest.mark.parametrize(
    "health",
    [
        Health(),
        Health(HealthState.PAUSED, "auth-rejected", 5, HealthEvent.LOGIN_REFUSED, 7, 2, is_proven=True, slow=4),
    ],
)
def test_health_comes_back(health: Health) -> None:
    assert read_health(write_health(health)) == health
    assert read_health(None) == Health()
