"""What must hold in every world, whatever went wrong in it; judged from the providers' side and the clients' side.

Law: nothing here uses the limiter or the schedule; a finding says which promise was broken, and by what.
"""

from collections import defaultdict
from collections.abc import Iterator

from relay.core.limits import SECOND, Limit, parse_limit
from relay.core.words import MailboxId
from tests.simulation.judge import copies, most_at_once, worst_closed_window
from tests.simulation.world import Society

HELD, DELIVERED, BOUNCED = 1, 2, 3

ONCE_MORE = 30 * 60.0
"""Seconds: what was under way when the faults stopped may fail a last time, and be tried a third one after this."""


def findings(world: Society) -> list[str]:
    """Every promise that was broken; empty: none."""
    checks = (
        _nothing_lost,
        _no_copies_without_a_doubt,
        _no_window_exceeded,
        _nobody_as_anybody_else,
        _ceilings_kept,
        _bounces_told,
        _nobody_overslept,
        _nothing_unforeseen,
        _bodies_kept,
        _nothing_stops_silently,
        _drained_in_time,
    )
    return [f"{check.__name__.strip('_')}: {text}" for check in checks for text in check(world)]


def _nothing_lost(world: Society) -> Iterator[str]:
    states = world.books.states()
    taken = {(name, to) for _, _, name, to in world.seen.taken}
    for name, (_, recipients) in world.told.accepted.items():
        for to in recipients:
            if (name, to) not in states:
                yield f"{name} was accepted and is nowhere"
                continue
            state, _, _ = states[name, to]
            if state not in (HELD, DELIVERED, BOUNCED):
                yield f"{name} is in state {state} at the end"
            if state == DELIVERED and (name, to) not in taken:
                yield f"{name} is called delivered, and the provider never took it"


def _no_copies_without_a_doubt(world: Society) -> Iterator[str]:
    doubts = world.books.doubts()
    for key, many in copies((name, to) for _, _, name, to in world.seen.taken).items():
        if key[0] in world.told.submitted and many > 1 + doubts[key]:
            yield f"{key[0]} arrived {many} times with {doubts[key]} doubts"
    for key, many in doubts.items():
        if many > 2:
            yield f"{key[0]} was in doubt {many} times; the second doubt has to hold it"


def _no_window_exceeded(world: Society) -> Iterator[str]:
    counted = world.seen.counted
    per_mailbox: dict[MailboxId, list[float]] = defaultdict(list)
    for at, mailbox in counted:
        per_mailbox[mailbox].append(at)
    for limit in map(parse_limit, world.scenario.limits):
        for mailbox, instants in per_mailbox.items():
            yield from _exceeded(limit, instants, f"mailbox {mailbox.username}")
    for limit in map(parse_limit, world.scenario.totals):
        for provider in world.routing.providers:
            of_all = [at for at, mailbox in counted if mailbox.provider == provider]
            yield from _exceeded(limit, of_all, f"the total of {provider}")
    per_login: dict[MailboxId, list[float]] = defaultdict(list)
    for at, mailbox, _ in world.seen.logins:
        per_login[mailbox].append(at)
    for mailbox, instants in per_login.items():
        yield from _exceeded(parse_limit("10/10m"), instants, f"logins of {mailbox.username}")
    yield from _no_refusal_repeated(world)


def _no_refusal_repeated(world: Society) -> Iterator[str]:
    """A wrong password is shown once in five minutes and three times in an hour; a crash may lose the one answer."""
    refused: dict[MailboxId, list[float]] = defaultdict(list)
    for at, mailbox, is_right in world.seen.logins:
        if not is_right:
            refused[mailbox].append(at)
    crashes = world.scenario.crashes
    for mailbox, instants in refused.items():
        for limit in (Limit(1 + crashes, 299 * SECOND), Limit(3 + crashes, 3599 * SECOND)):
            yield from _exceeded(limit, instants, f"refused logins of {mailbox.username}")


def _exceeded(limit: Limit, instants: list[float], of: str) -> Iterator[str]:
    worst = worst_closed_window(instants, limit.width / SECOND)
    if worst > limit.count:
        yield f"{worst} in a window of {limit} ({of})"


def _nobody_as_anybody_else(world: Society) -> Iterator[str]:
    for mailbox, sender in world.seen.mail_from:
        account = world.routing.accounts.get(sender)
        if account is None or account.mailbox != mailbox:
            yield f"{sender} went out through {mailbox.username}"


def _ceilings_kept(world: Society) -> Iterator[str]:
    spans: dict[MailboxId, list[tuple[float, float]]] = defaultdict(list)
    for mailbox, start, end in world.seen.sessions:
        spans[mailbox].append((start, world.true_now if end is None else end))
    for mailbox, own in spans.items():
        if (many := most_at_once(own)) > world.scenario.connections:
            yield f"{many} sessions of {mailbox.username}"
    for provider in world.routing.providers:
        every = [span for mailbox, own in spans.items() if mailbox.provider == provider for span in own]
        if (many := most_at_once(every)) > world.scenario.total_connections:
            yield f"{many} sessions at {provider}"


def _bounces_told(world: Society) -> Iterator[str]:
    """The sender of what bounced got a report, or the report is held where an admin sees it."""
    bounced = {key for key, (state, _, _) in world.books.states().items() if state == BOUNCED}
    reports = world.books.reports()
    for name, to in sorted(bounced):
        if (name, to) not in reports:
            yield f"{name} bounced and nobody was told"


def _nobody_overslept(world: Society) -> Iterator[str]:
    """In its last life the node looked at the queue whenever mail came in and whenever the store had said it must."""
    vigil, slack = world.vigil, 0.01 + 3 * world.scenario.fsync
    for number, at in vigil.told_to_look:
        if at + slack < world.quiet_at and vigil.looks[number] > at + slack:
            yield f"the next look after {at:.3f} s was at {vigil.looks[number]:.3f} s"
    for at in vigil.mail_came:
        if at < world.quiet_at and not any(at - slack <= look <= at + slack for look in vigil.looks):
            yield f"mail came at {at:.3f} s and nobody looked"


def _nothing_unforeseen(world: Society) -> Iterator[str]:
    yield from world.watcher.broken_by
    yield from map(repr, world.fatal)


def _bodies_kept(world: Society) -> Iterator[str]:
    """What is held can still be sent when what held it is gone."""
    readable = world.books.readable_bodies()
    for (name, _), (state, _, _) in world.books.states().items():
        if state == HELD and name not in readable:
            yield f"{name} is held and its body is gone"


def _nothing_stops_silently(world: Society) -> Iterator[str]:
    """Whenever an admin looked, all that did not move had a time at which it will, or somebody who has to act."""
    yield from world.admin.unanswered


def _drained_in_time(world: Society) -> Iterator[str]:
    """Once nothing is wrong any more, the queue is empty when the forecast said so, but for what still failed then."""
    late = world.quiet_at - max(world.forecast_at, world.healed_at)
    if late > ONCE_MORE:
        yield f"drained {late:.0f} s after the forecast"
