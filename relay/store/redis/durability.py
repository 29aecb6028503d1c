"""Whether what a server of Redis accepts survives its crash, and its being cut off: its settings, checked one by one.

Law: each wrong setting is told with the very line to change; what cannot be asked is never taken for right.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum

from relay.errors import RelayError, StoreBroken, StoreNotDurable
from relay.store.redis.facts import Facts
from relay.store.redis.failures import NotAllowed
from relay.store.redis.wire import Command, Reply, Wire


class Durability(Enum):
    """`durability:` of relay.yaml."""

    CHECKED = "checked"
    """What could lose mail is refused."""
    ASSERTED = "asserted"
    """The admin knows that it is safe: the server tells nobody (CONFIG is forbidden or renamed)."""
    RELAXED = "relaxed"
    """Goes on, and says what could be lost for as long as it could."""


@dataclass(frozen=True, slots=True)
class Flaw:
    """Something about the store that /readyz goes on saying until it is mended: what it is about, and a sentence."""

    what: str
    text: str


@dataclass(frozen=True, slots=True)
class Setting:
    """One line of redis.conf that must be so, and what it costs if it is not."""

    name: str
    wanted: str
    otherwise: str


SETTINGS = (
    Setting("appendonly", "yes", "a crash loses all mail since the last snapshot"),
    Setting("appendfsync", "always", "a crash loses what was accepted in the last second or more"),
    # "no" is the safe one: it says whether fsync is to be left out while another process writes the file anew.
    Setting("no-appendfsync-on-rewrite", "no", "a crash while the file is rewritten loses what was accepted meanwhile"),
    Setting("maxmemory-policy", "noeviction", "with its memory full it deletes mail instead of refusing more"),
)

QUESTIONS: tuple[Command, ...] = tuple(("CONFIG", "GET", setting.name) for setting in SETTINGS)
"""One each: only Redis 7 answers several at once."""

GUARD: tuple[Command, ...] = (("CONFIG", "GET", "min-*-to-write"), ("CONFIG", "GET", "min-*-max-lag"))
"""By which a primary without replicas refuses; some servers still know them by their old names, min-slaves-..."""

LONGEST_LAG = 60
"""Seconds, as `replicas.GIVEN_UP`: with a longer `min-replicas-max-lag` a primary that was cut off goes on before it
refuses."""


def flaws_of(server: str, replies: Sequence[Reply | RelayError]) -> list[Flaw]:
    """What is wrong with a server, from its replies to QUESTIONS.

    StoreNotDurable: it does not let the relay ask.
    """
    return [
        found
        for setting, reply in zip(SETTINGS, replies, strict=True)
        if (found := _flaw(server, setting, reply)) is not None
    ]


def _flaw(server: str, setting: Setting, reply: Reply | RelayError) -> Flaw | None:
    if isinstance(reply, (NotAllowed, StoreBroken)):  # by its ACL, or renamed
        raise StoreNotDurable(
            f"{server} does not answer CONFIG GET, so nobody can see whether it would keep mail through a crash: allow "
            "it, or, where you know that it would, write `durability: asserted` in relay.yaml"
        )
    if isinstance(reply, RelayError):
        raise reply
    is_now = reply[1].decode(errors="replace") if reply else "not there"
    if is_now == setting.wanted:
        return None
    line = f"{setting.name} {setting.wanted}"
    return Flaw(
        "durability",
        f"{server}: {setting.name} is {is_now}: {setting.otherwise}; write `{line}` in its redis.conf, "
        f"or now: CONFIG SET {line}",
    )


def flaws_of_guard(server: str, replies: Sequence[Reply | RelayError], *, has_replicas: bool) -> list[Flaw]:
    """Whether a server would take mail where it has no replica, from its replies to GUARD; no more than a warning."""
    least, lag = map(_number_of, replies)
    if not least:
        return [_unguarded(server, "min-replicas-to-write", least, 1, has_replicas=has_replicas)]
    if not lag or lag > LONGEST_LAG:
        return [_unguarded(server, "min-replicas-max-lag", lag, 10, has_replicas=has_replicas)]
    return []


def least_of(replies: Sequence[Reply | RelayError]) -> int:
    """Without how many replicas a server takes nothing, from its replies to QUESTIONS and GUARD."""
    least, lag = map(_number_of, replies[len(QUESTIONS) :])
    return least if least and lag else 0


def _number_of(reply: Reply | RelayError) -> int | None:
    """The value, whichever name it has; None: the server has no such setting."""
    if isinstance(reply, RelayError):
        raise reply
    return int(reply[1]) if reply else None


def _unguarded(server: str, name: str, is_now: int | None, wanted: int, *, has_replicas: bool) -> Flaw:
    line = f"{name} {wanted}"
    now = (
        f", or now: CONFIG SET {line}" if has_replicas else " when its replica is back: before, it would stop all mail"
    )
    return Flaw(
        "alone",
        f"{server}: {name} is {'not there' if is_now is None else is_now}: cut off from the other servers it takes "
        f"mail alone, which is thrown away when it is with them again; write `{line}` in its redis.conf{now}",
    )


def flaws_told(server: str, facts: Facts) -> list[Flaw]:
    """What a server says by itself that contradicts an admin who asserts that it is safe."""
    found = []
    if not facts.is_appending:
        found.append(
            f"{server}: durability is asserted, but INFO says that it keeps no append-only file (aof_enabled:0)"
        )
    if facts.policy and facts.policy != "noeviction":
        found.append(f"{server}: durability is asserted, but with its memory full it deletes mail ({facts.policy})")
    return [Flaw("durability", text) for text in found]


def flaws_of_all(server: str, replies: Sequence[Reply | RelayError], *, has_replicas: bool) -> list[Flaw]:
    """From the replies to QUESTIONS and GUARD. StoreNotDurable: it does not let the relay ask."""
    settings, guard = replies[: len(QUESTIONS)], replies[len(QUESTIONS) :]
    return [*flaws_of(server, settings), *flaws_of_guard(server, guard, has_replicas=has_replicas)]


def ask_replica(wire: Wire, *, until: int) -> list[Flaw]:
    """What is wrong with one replica, or that it cannot be reached from here. StoreNotDurable: it may not be asked."""
    try:
        wire.open(until)
        return flaws_of_all(f"replica {wire.host}", wire.ask_all((*QUESTIONS, *GUARD), until=until), has_replicas=True)
    except StoreNotDurable:
        raise
    except RelayError as error:
        return [Flaw("replica", f"whether replica {wire.host} would keep mail through a crash is not known: {error}")]
    finally:
        wire.close()


def refuse(flaws: Sequence[Flaw]) -> None:
    """StoreNotDurable with one line for each flaw of durability, if there is one."""
    lines = [flaw.text for flaw in flaws if flaw.what == "durability"]
    if lines:
        raise StoreNotDurable("\n".join(lines))
