"""Redis as a ledger reads it: hashes and sorted sets in memory, and the hand that writes what a ledger means to."""

from collections import defaultdict
from collections.abc import Iterable, Sequence

from relay.store.redis.ledger import RedisLedger


class RedisRows:
    """Remembers; what is written comes from `apply`, as the script `act` does it."""

    def __init__(self) -> None:
        self.hashes: defaultdict[str, dict[str, bytes]] = defaultdict(dict)
        self.sorted_sets: defaultdict[str, dict[str, int]] = defaultdict(dict)
        self.numbers: defaultdict[str, int] = defaultdict(int)
        self.lists: defaultdict[str, list[bytes]] = defaultdict(list)
        self.sets: defaultdict[str, set[bytes]] = defaultdict(set)
        self.streams: defaultdict[str, list[tuple[bytes, bytes]]] = defaultdict(list)

    # what a ledger asks

    def get(self, key: str, /) -> bytes | None:
        return b"%d" % self.numbers[key] if key in self.numbers else None

    def hget(self, key: str, name: str, /) -> bytes | None:
        return self.hashes[key].get(name)

    def hmget(self, key: str, names: Sequence[str], /) -> list[bytes | None]:
        return [self.hashes[key].get(name) for name in names]

    def hlen(self, key: str, /) -> int:
        return len(self.hashes[key])

    def hscan(self, key: str, /) -> Iterable[tuple[bytes, bytes]]:
        return [(name.encode(), value) for name, value in self.hashes[key].items()]

    def zrange(self, key: str, lo: float, hi: float, /, *, most: int, reverse: bool) -> list[tuple[bytes, float]]:
        found = [(score, member.encode()) for member, score in self.sorted_sets[key].items() if lo <= score <= hi]
        return [(member, float(score)) for score, member in sorted(found, reverse=reverse)[:most]]

    def zcount(self, key: str, lo: float, hi: float, /) -> int:
        return sum(lo <= score <= hi for score in self.sorted_sets[key].values())

    def incr(self, key: str, many: int = 1, /) -> int:
        self.numbers[key] += many
        return self.numbers[key]

    def smembers(self, key: str, /) -> list[bytes]:
        return sorted(self.sets[key])

    def lrange(self, key: str, /) -> list[bytes]:
        return list(self.lists[key])

    def xrange(self, key: str, most: int, /) -> list[tuple[bytes, bytes]]:
        return self.streams[key][:most]

    # what is written

    def commit(self, ledger: RedisLedger) -> None:
        """Writes what an operation means to write, if all that it read is as it was."""
        for key, name, raw in ledger.intended.reads():
            assert self.hashes[key].get(name) == (None if raw is False else raw), f"{key} {name} is stale"
        for command, key, *arguments in ledger.intended.writes():
            self.apply(command, key, *arguments)

    def apply(self, command: str, key: str, *arguments: object) -> None:
        """One command of those that a ledger hands over."""
        match command, arguments:
            case "HSET", (str(name), bytes(value)):
                self.hashes[key][name] = value
            case "HDEL", (str(name),):
                self.hashes[key].pop(name, None)
            case "ZADD", (int(score), str(member)):
                self.sorted_sets[key][member] = score
            case "ZREM", (str(member),):
                self.sorted_sets[key].pop(member, None)
            case "JOIN", (str(name), str(member)):
                known = self.hashes[key].get(name)
                self.hashes[key][name] = member.encode() if known is None else known + b" " + member.encode()
            case "LEAVE", (str(name), str(member)):
                kept = [each for each in self.hashes[key].pop(name, b"").split() if each != member.encode()]
                if kept:
                    self.hashes[key][name] = b" ".join(kept)
            case _:
                raise AssertionError(f"no command of a ledger: {command} {arguments!r}")
