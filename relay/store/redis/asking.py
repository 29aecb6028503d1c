"""The commands that a ledger reads with, over the link.

Law: it only reads, but for numbers given to new rows, which are given once whatever becomes of the row.
"""

from collections.abc import Iterable, Iterator, Sequence

from relay.store.redis.book import Raw
from relay.store.redis.ledger import EVERYTHING
from relay.store.redis.link import Link
from relay.store.redis.scripts import load_script

SCANNED: int = 1_000
"""Fields of a hash asked for at once."""


def _bound(number: float) -> str:
    return "-inf" if number <= -EVERYTHING else "+inf" if number >= EVERYTHING else f"{number:.0f}"


class LinkAsking:
    """Each method is one round trip, but for `hscan`."""

    def __init__(self, link: Link) -> None:
        self._link = link

    def get(self, key: str, /) -> Raw:
        """A plain value."""
        found: Raw = self._link.ask("GET", key)
        return found

    def hget(self, key: str, name: str, /) -> Raw:
        """A field of a hash."""
        found: Raw = self._link.ask("HGET", key, name)
        return found

    def hmget(self, key: str, names: Sequence[str], /) -> list[Raw]:
        """Several fields of a hash."""
        found: list[Raw] = []
        for start in range(0, len(names), SCANNED):
            found += self._link.ask("HMGET", key, *names[start : start + SCANNED])
        return found

    def hlen(self, key: str, /) -> int:
        """How many fields a hash has."""
        return int(self._link.ask("HLEN", key))

    def hscan(self, key: str, /) -> Iterable[tuple[bytes, bytes]]:
        """All fields of a hash, each once."""
        return dict(self._scanned(key)).items()

    def _scanned(self, key: str) -> Iterator[tuple[bytes, bytes]]:
        cursor = b"0"
        while True:
            cursor, pairs = self._link.ask("HSCAN", key, cursor, "COUNT", SCANNED)
            yield from zip(pairs[::2], pairs[1::2], strict=True)
            if cursor == b"0":
                return

    def zrange(self, key: str, lo: float, hi: float, /, *, most: int, reverse: bool) -> list[tuple[bytes, float]]:
        """Members between two scores, with them, in order."""
        verb, first, last = ("ZREVRANGEBYSCORE", hi, lo) if reverse else ("ZRANGEBYSCORE", lo, hi)
        limit = min(most, EVERYTHING)
        pairs = self._link.ask(verb, key, _bound(first), _bound(last), "WITHSCORES", "LIMIT", 0, limit)
        return [(member, float(score)) for member, score in zip(pairs[::2], pairs[1::2], strict=True)]

    def zcount(self, key: str, lo: float, hi: float, /) -> int:
        """How many members there are between two scores."""
        return int(self._link.ask("ZCOUNT", key, _bound(lo), _bound(hi)))

    def incr(self, key: str, many: int = 1, /) -> int:
        """The next number, or the last of so many."""
        return int(self._link.run(load_script("number"), (), (key, many)))

    def memory(self) -> tuple[int, int]:
        """How many octets the server uses, and may use (0: as many as there are)."""
        lines = self._link.ask("INFO", "memory").decode().splitlines()
        facts = dict(line.split(":", 1) for line in lines if ":" in line)
        return int(facts.get("used_memory", 0)), int(facts.get("maxmemory", 0))

    def smembers(self, key: str, /) -> list[bytes]:
        """The members of a set."""
        found: list[bytes] = self._link.ask("SMEMBERS", key)
        return list(found)

    def lrange(self, key: str, /) -> list[bytes]:
        """A whole list, which is short."""
        found: list[bytes] = self._link.ask("LRANGE", key, 0, -1)
        return found

    def xrange(self, key: str, most: int, /) -> list[tuple[bytes, bytes]]:
        """The oldest entries of a stream, each with its id and its one value."""
        return [(place, fields[1]) for place, fields in self._link.ask("XRANGE", key, "-", "+", "COUNT", most)]
