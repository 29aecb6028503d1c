"""Who should log in next, and whose idle session should make room for that.

Law: sessions follow the order of the round, under the ceiling and the health of the provider and the login budget of
the mailbox; what is to be opened is reserved at once, so that asking twice opens nothing twice.
"""

from collections.abc import Collection, Mapping
from heapq import heappop

from relay.core.limits import Instant
from relay.core.rotation import Line, ProviderLine
from relay.core.round import Round
from relay.core.words import MailboxId

_FAR: int = 1 << 62
"""The turn of a mailbox that is not in the rotation: after all others."""


def open_sessions(
    round_: Round, now: Instant, most: int, *, left: Collection[MailboxId] = frozenset()
) -> dict[MailboxId, int]:
    """Mailboxes next in order that want a session; the sessions and logins named are reserved at once.

    `left`: mailboxes that are left to others; they keep their places.
    """
    round_.ring_alarms(now)
    opened: dict[MailboxId, int] = {}
    for provider in round_.providers.values():
        others = list[Line]()
        while most > 0 and provider.may_connect(now):
            line = _next_wanting(round_, provider, now)
            if line is not None and line.mailbox in left:
                others.append(line)
                continue
            if line is None:
                break
            reserve_session(round_, line, now)
            if line.wants_session(now):
                round_.push_wanting(line)
            opened[line.mailbox] = opened.get(line.mailbox, 0) + 1
            most -= 1
        for line in others:
            round_.push_wanting(line)
    return opened


def _next_wanting(round_: Round, provider: ProviderLine, now: Instant) -> Line | None:
    """The first in order; where only one may probe, the first of those whose probe shows most."""
    if not provider.standing.is_stopped:
        return _first_wanting(round_, provider, now)
    able = list[Line]()
    while (line := _first_wanting(round_, provider, now)) is not None:
        able.append(line)
    found = min(able, key=lambda line: (provider.probe_rank(line), line.turn), default=None)
    for line in able:
        if line is not found:
            round_.push_wanting(line)
    return found


def _first_wanting(round_: Round, provider: ProviderLine, now: Instant) -> Line | None:
    """The first in order of those that may log in now."""
    sound = _head_of(round_, provider.wanting, now)
    doubtful = _head_of(round_, provider.doubtful, now) if provider.may_doubt() else None
    if sound is None or doubtful is None:
        return sound or doubtful
    assert sound.turn is not None
    assert doubtful.turn is not None
    first, second = (sound, doubtful) if sound.turn < doubtful.turn else (doubtful, sound)
    round_.push_wanting(second)
    return first


def _head_of(round_: Round, heap: list[tuple[int, MailboxId]], now: Instant) -> Line | None:
    """The first in order that wants a session and has login budget; the others leave the list until they do."""
    while heap:
        place, mailbox = heappop(heap)
        line = round_.lines.get(mailbox)
        if line is None or not line.is_in_wanting:
            continue
        line.is_in_wanting = False
        if line.turn is None or not line.wants_session(now):
            continue
        if place != line.place or line.is_doubtful is not (heap is line.provider.doubtful):
            round_.push_wanting(line)
        elif not line.may_log_in(now):
            round_.set_alarm(line, line.logs_in_at(now))
        else:
            return line
    return None


def reserve_session(round_: Round, line: Line, now: Instant) -> None:
    """A session of it and its login count from now on."""
    line.sessions += 1
    line.provider.sessions += 1
    line.provider.begin(line)
    round_.start_login(line, now)


def close_sessions(round_: Round, now: Instant, idle: Mapping[MailboxId, int]) -> dict[MailboxId, int]:
    """Idle sessions to give up where others, earlier in order, find no place under the provider's ceiling.

    `idle` are the sessions that this take left idle: out of room, or not next in order under a closed total.
    """
    closed: dict[MailboxId, int] = {}
    spare = {mailbox: many for mailbox, many in idle.items() if many > 0}
    for name in sorted({mailbox.provider for mailbox in spare}):
        provider = round_.providers.get(name)
        if provider is not None and provider.sessions >= provider.terms.total_connections:
            closed |= _give_up(round_, provider, {m: many for m, many in spare.items() if m.provider == name}, now)
    return closed


def _give_up(
    round_: Round, provider: ProviderLine, idle: Mapping[MailboxId, int], now: Instant
) -> dict[MailboxId, int]:
    """The sessions whose next turn is farthest away, as many as are wanted."""
    head = _next_wanting(round_, provider, now)
    if head is None or head.turn is None:
        return {}
    round_.push_wanting(head)
    wanted, closed = provider.many_wanting(), {}
    turns = [(_FAR if line.turn is None else line.turn, m) for m in idle if (line := round_.lines.get(m)) is not None]
    for turn, mailbox in sorted(turns, reverse=True):
        many = min(idle[mailbox], wanted)
        if turn < head.turn or many < 1:
            break
        closed[mailbox] = many
        wanted -= many
    return closed
