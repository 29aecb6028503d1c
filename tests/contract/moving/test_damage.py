"""A store that is not whole is left nowhere: what is missing is said, nothing is barred, and mended it moves."""

from collections.abc import Callable

import msgpack
import pytest
import redis

from relay.errors import StoreBroken, StoreMoved
from relay.store.moving.carried import DELIVERIES, MESSAGES
from relay.store.needs import never_dies
from relay.store.ports.reading import MessageQuery
from relay.store.redis.rowkeys import EVENTS, body_key, group_key, number_key, table_key
from tests.contract.moving.harness import MovingHarness, OnDisk, OnRedis, Place, move
from tests.contract.moving.test_journeys import Died, DyingAt, scenario
from tests.contract.scene import A, Scene, account, provider

pytestmark = pytest.mark.needs("redis-server")

Damage = Callable[[redis.Redis], object]

FLOOR = msgpack.packb(("floor_messages", "6"), use_bin_type=False)

DAMAGES: dict[str, tuple[Damage, str]] = {
    "the number of deliveries": (lambda client: client.delete(number_key(DELIVERIES)), "0 of them were found"),
    "a number that is too low": (lambda client: client.set(number_key(DELIVERIES), 3), "6 are there, and 3 of them"),
    "a number of another table": (lambda client: client.delete(number_key("accounts")), "last one is said to be 0"),
    "a floor that is too high": (lambda client: client.hset(table_key("meta"), "floor_messages", FLOOR), "1 of them"),
    "a body": (lambda client: client.delete(body_key(5)), "1 messages that are not finished have none"),
    "an end of a body": (lambda client: client.set(body_key(5), b"xx"), "1 messages that are not finished have none"),
    "a message": (lambda client: client.hdel(table_key(MESSAGES), "5"), "the messages have 5 recipients"),
    "a delivery": (lambda client: client.hdel(table_key(DELIVERIES), "5"), "the messages have 6 recipients"),
    "all deliveries": (lambda client: client.delete(table_key(DELIVERIES)), "speaks of 1"),
    "all attempts": (lambda client: client.delete(table_key("attempts")), "speaks of 1"),
    "a message with all of its deliveries": (
        lambda client: [client.hdel(table_key(name), "5") for name in (MESSAGES, DELIVERIES)],
        "speaks of 6",
    ),
    "a message and what finds it": (
        lambda client: [
            *(client.hdel(table_key(name), "5") for name in (MESSAGES, DELIVERIES)),
            client.delete(group_key(MESSAGES, "ids")),
        ],
        "6 are there, and only 5 of them belong to a message|speaks of 4|not finished",
    ),
    "the events": (lambda client: client.delete(EVENTS), "speaks of 1"),
}


def _places(harness: MovingHarness, kind: type[Place]) -> tuple[Place, Place]:
    harness.places.append(kind(harness.places[-1].world))
    return harness.places[-2], harness.places[-1]


@pytest.mark.parametrize("lost", DAMAGES)
def test_a_store_on_redis_that_lost_something_is_not_left(lost: str) -> None:
    damage, said = DAMAGES[lost]

    async def check(scene: Scene, harness: MovingHarness) -> None:
        await scene.route(account(A), providers=[provider("p")])
        await scene.mail(A, 1, 2)
        assert len(await scene.send_all()) == 2
        for mailbox, many in list(scene.sessions.items()):
            for _ in range(many):
                await scene.close(mailbox)
        await scene.mail(A, 3, 4, 5, 6)
        await harness.store.close()
        here, there = _places(harness, OnDisk)
        assert isinstance(here, OnRedis)
        kept = {key: here.client.dump(key) or b"" for key in here.client.scan_iter()}
        damage(here.client)
        counted = await move(here, there)
        lacks = "; ".join(each.lack for each in counted if not each.is_same)
        assert any(each in lacks for each in said.split("|")), lacks
        with pytest.raises(StoreMoved, match="it is being moved here from"):
            there.open()
        for key, value in kept.items():
            here.client.restore(key, 0, value, replace=True)
        assert all(each.is_same for each in await move(here, there))
        harness.store = there.open()

    scenario("redis", check)


def test_a_row_that_cannot_be_read_ends_the_move_in_words() -> None:
    async def check(scene: Scene, harness: MovingHarness) -> None:
        await scene.mail(A, 1, 2)
        await harness.store.close()
        here, there = _places(harness, OnDisk)
        assert isinstance(here, OnRedis)
        for name, key in ((MESSAGES, "2"), ("accounts", "1")):
            kept = here.client.hget(table_key(name), key)
            for garbage in (b"\xc1", b"\x01", b"\x93\x01"):
                here.client.hset(table_key(name), key, garbage)
                with pytest.raises(StoreBroken, match=r"a row( of [a-z]+)? cannot be read: `relay queue check`"):
                    await move(here, there)
                await harness.advance(5)  # a run that died with the pen keeps it so long
            here.client.hset(table_key(name), key, kept)
        assert all(each.is_same for each in await move(here, there))
        harness.store = there.open()

    scenario("redis", check)


@pytest.mark.parametrize("kind", [OnDisk, OnRedis])
@pytest.mark.parametrize("is_gone", [True, False])
def test_a_data_dir_whose_segments_are_gone_or_cut_is_not_left(kind: type[Place], is_gone: bool) -> None:
    async def check(scene: Scene, harness: MovingHarness) -> None:
        await scene.mail(A, 1, 2, 3)
        await harness.store.close()
        here, there = _places(harness, kind)
        assert isinstance(here, OnDisk)
        [segment] = here.segments
        whole = segment.read_bytes()
        if is_gone:
            segment.unlink()
        else:
            segment.write_bytes(whole[:-10])
        counted = await move(here, there)
        [lack] = [each.lack for each in counted if not each.is_same]
        assert lack.startswith(f"{3 if is_gone else 1} messages that are not finished have none")
        harness.store = here.open()
        await harness.store.close()
        segment.write_bytes(whole)
        assert all(each.is_same for each in await move(here, there))
        harness.store = there.open()

    scenario("sqlite", check)


def test_history_that_is_empty_is_not_history_that_is_lost() -> None:
    async def check(scene: Scene, harness: MovingHarness) -> None:
        await scene.mail(A, 1, 2)
        await harness.store.close()
        here, there = _places(harness, OnRedis)
        assert isinstance(here, OnDisk)
        here.forget_events()
        assert all(each.is_same for each in await move(here, there))
        back, last = _places(harness, OnDisk)
        assert all(each.is_same for each in await move(back, last))
        harness.store = last.open()

    scenario("sqlite", check)


@pytest.mark.parametrize("times", [1, 2])
def test_what_a_run_that_died_wrote_beside_its_rows_is_not_there_at_the_end(times: int) -> None:
    async def check(scene: Scene, harness: MovingHarness) -> None:
        await scene.mail(A, 1, 2, 3)
        await harness.store.close()
        here, there = _places(harness, OnDisk)
        assert isinstance(there, OnDisk)
        for each in range(times):
            point = DyingAt("segment-synced" if each == 0 else "segment-created", 1)
            there.crash_point = point
            with pytest.raises(Died):
                await move(here, there)
            assert sum(path.stat().st_size for path in there.segments) > 0 or each
        there.crash_point = never_dies
        assert all(each.is_same for each in await move(here, there))
        assert there.findings() == []
        harness.store = there.open()
        assert len((await harness.store.messages(MessageQuery())).items) == 3

    scenario("redis", check)


def test_what_lies_behind_the_last_row_is_not_there_at_the_end() -> None:
    async def check(scene: Scene, harness: MovingHarness) -> None:
        await scene.mail(A, 1, 2, 3)
        await harness.store.close()
        here, there = _places(harness, OnDisk)
        assert isinstance(there, OnDisk)
        with pytest.raises(Died):
            await move(here, there, DyingAt("move-carried", 1))
        with there.segments[-1].open("ab") as file:
            file.write(b"x" * 300_000)
        assert all(each.is_same for each in await move(here, there))
        assert there.findings() == []
        harness.store = there.open()
        assert len((await harness.store.messages(MessageQuery())).items) == 3

    scenario("redis", check)
