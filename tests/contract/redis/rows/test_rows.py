"""Rows, indexes and groups on real servers: read as the fake of the benches reads them, written as it writes them."""

from collections.abc import Iterator, Sequence
from random import Random
from typing import Any

import msgpack
import pytest

from relay.store.redis.asking import LinkAsking
from relay.store.redis.ledger import EVERYTHING, RedisLedger
from relay.store.redis.scripts import Source, assemble, libraries
from tests.fakes.redisrows import RedisRows
from tests.fakes.redisservers import FAST, NAMES, Server, binary, server
from tests.unit.store.redis.test_answers_past import READS, WRITES, ask, write
from tests.unit.store.redis.world import World

SEEDS = range(6)

WRITE_ROWS = """-- Writes what a ledger means to write, if all that it read is as it was.
-- needs: rows
local reads, commands = cmsgpack.unpack(ARGV[1]), cmsgpack.unpack(ARGV[2])
if not rows.are_as_read(reads) then return redis.error_reply("STALE") end
local fault = rows.fault(commands)
if fault then return redis.error_reply(fault) end
rows.write(commands)
return redis.status_reply("OK")
"""


class Line:
    """What `LinkAsking` asks of a link: one command, and the reply as it came."""

    def __init__(self, server: Server) -> None:
        self._connection = server.client(protocol=2).connection_pool.get_connection()

    def ask(self, *command: Any) -> Any:
        self._connection.send_command(*command)
        return self._connection.read_response()

    def write(self, ledger: RedisLedger) -> None:
        script = assemble(Source.of("write_rows", WRITE_ROWS), libraries())
        packed = [
            msgpack.packb(each, use_bin_type=False) for each in (ledger.intended.reads(), ledger.intended.writes())
        ]
        self.ask("EVAL", script.text, 0, *packed)

    def close(self) -> None:
        self._connection.disconnect()


@pytest.fixture(scope="module", params=NAMES)
def line(request) -> Iterator[Line]:
    with server(binary(request.param), *FAST) as place:
        made = Line(place)
        yield made
        made.close()


def asking(line: Line) -> LinkAsking:
    return LinkAsking(line)  # type: ignore[arg-type]  # all of a link that it has to do with


def move(line: Line, known: RedisRows) -> None:
    """The server has what the fake has, and nothing else."""
    line.ask("FLUSHALL")
    for key, fields in known.hashes.items():
        for name, value in fields.items():
            line.ask("HSET", key, name, value)
    for key, places in known.sorted_sets.items():
        for member, score in places.items():
            line.ask("ZADD", key, score, member)
    for key, number in known.numbers.items():
        line.ask("SET", key, number)


@pytest.mark.parametrize("seed", SEEDS)
def test_every_statement_of_the_past_is_answered_from_a_server(line, seed):
    world = World(seed)
    move(line, world.redis)
    world.ledger.asking = asking(line)
    for name in READS:
        ask(world, name)


@pytest.mark.parametrize("seed", SEEDS)
def test_what_an_operation_writes_is_written_there_with_all_that_follows_from_it(line, seed):
    world = World(seed)
    move(line, world.redis)
    for _ in range(20):
        write(world, world.pick(*WRITES))
    line.write(world.ledger)
    world.redis.commit(world.ledger)
    here = asking(line)
    for key, fields in world.redis.hashes.items():
        assert dict(here.hscan(key)) == {name.encode(): value for name, value in fields.items()}, key
    for key in world.redis.sorted_sets:
        assert everything(here, key) == everything(world.redis, key), key


def everything(place: Any, key: str) -> list[tuple[bytes, float]]:
    found: list[tuple[bytes, float]] = place.zrange(key, -EVERYTHING, EVERYTHING, most=EVERYTHING, reverse=False)
    return found


@pytest.mark.parametrize("seed", SEEDS)
def test_places_of_one_number_come_in_the_same_order(line, seed):
    known, random = RedisRows(), Random(seed)
    for member in random.sample(range(2000), 40):
        known.apply("ZADD", "places", random.randrange(4), str(member))
    move(line, known)
    for most in (1, 7, 100):
        for is_reverse in (False, True):
            found = [place.zrange("places", 1, 2, most=most, reverse=is_reverse) for place in (known, asking(line))]
            assert found[0] == found[1]
    assert asking(line).zcount("places", 1, 2) == known.zcount("places", 1, 2)


def test_a_row_that_another_node_changed_is_found_out_and_nothing_is_written(line):
    world = World(1)
    move(line, world.redis)
    write(world, "queue.set_lease")
    for row in rows_read(world.ledger):
        line.ask("HSET", *row, "other")
    with pytest.raises(Exception, match="STALE"):
        line.write(world.ledger)


def rows_read(ledger: RedisLedger) -> Sequence[tuple[str, str]]:
    return [(key, name) for key, name, _ in ledger.intended.reads()]
