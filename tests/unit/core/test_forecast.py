"""The forecast says to the microsecond when a delivery leaves, if nothing new happens."""

from collections.abc import Iterable

from hypothesis import given
from hypothesis import strategies as st

from relay.core.forecast import Place, forecast
from relay.core.limits import SECOND, Limit, parse_limit
from relay.core.schedule import Schedule
from relay.core.terms import MailboxTerms, PastAttempt, ProviderTerms, Standing
from relay.core.words import Lane, MailboxId

A, B = MailboxId("p", "a"), MailboxId("p", "b")


class Terms:
    """A schedule's memory of a provider whose mailboxes have no past."""

    def __init__(self, own: tuple[Limit, ...], total: tuple[Limit, ...], connections: int) -> None:
        self.own, self.total, self.connections = own, total, connections
        self.standings: dict[MailboxId, Standing] = {}

    def mailbox_terms(self, mailbox: MailboxId) -> MailboxTerms:
        return MailboxTerms(limits=self.own, connections=self.connections)

    def provider_terms(self, provider: str) -> ProviderTerms:
        return ProviderTerms(total_limits=self.total)

    def mailbox_standing(self, mailbox: MailboxId) -> Standing:
        return self.standings.get(mailbox, Standing())

    def provider_standing(self, provider: str) -> Standing:
        return Standing()

    def mailbox_past(self, mailbox: MailboxId) -> Iterable[PastAttempt]:
        return ()

    def provider_past(self, provider: str) -> Iterable[PastAttempt]:
        return ()

    def login_past(self, mailbox: MailboxId) -> Iterable[PastAttempt]:
        return ()

    def civil_offset(self) -> int:
        return 0


def run(schedule: Schedule, *, now: int, latency: int, sessions: int) -> list[tuple[int, str]]:
    """Plays the schedule as a node would and writes down when each delivery was taken."""
    taken: list[tuple[int, str]] = []
    running: list[tuple[int, MailboxId]] = []
    while True:
        busy = {m: len([other for _, other in running if other == m]) for m in (A, B)}
        idle = {m: sessions - busy[m] for m in (A, B)}
        for grant in schedule.grant(now, idle, 1000):
            taken.append((now, grant.account))
            running.append((now + latency, grant.mailbox))
            idle[grant.mailbox] -= 1
        instants = [end for end, _ in running] + [w for w in [schedule.wake_at(now, idle)] if w is not None]
        if not instants:
            return taken
        now = min(instants)
        for end, mailbox in [entry for entry in running if entry[0] <= now]:
            running.remove((end, mailbox))
            schedule.end(mailbox, end - latency, end, now)


@given(
    own=st.lists(st.builds(Limit, st.integers(1, 5), st.integers(1, 9).map(lambda s: s * SECOND)), max_size=2),
    total=st.lists(st.builds(Limit, st.integers(1, 5), st.integers(1, 9).map(lambda s: s * SECOND)), max_size=2),
    queued=st.tuples(st.integers(1, 12), st.integers(0, 12)),
    latency=st.integers(1, 3 * SECOND),
    sessions=st.integers(1, 3),
    data=st.data(),
)
def test_the_forecast_is_when_it_leaves(own, total, queued, latency, sessions, data) -> None:
    schedule = Schedule(Terms(tuple(own), tuple(total), sessions))
    schedule.add_ready(A, "a@d.test", Lane.BULK, 0, queued[0])
    if queued[1]:
        schedule.add_ready(B, "b@d.test", Lane.EXPRESS, 0, queued[1])
    position = data.draw(st.integers(1, queued[0]))
    foreseen = forecast(schedule, Place(A, "a@d.test", Lane.BULK, position), now=0, latency=latency)
    left_at = [at for at, account in run(schedule, now=0, latency=latency, sessions=sessions) if account == "a@d.test"]
    assert foreseen == left_at[position - 1]


def test_what_nobody_can_foresee_is_not_foretold() -> None:
    terms = Terms((parse_limit("1/1s"),), (), 1)
    terms.standings[A] = Standing(is_stopped=True, probe_at=None)
    schedule = Schedule(terms)
    schedule.add_ready(A, "a@d.test", Lane.BULK, 0)
    assert forecast(schedule, Place(A, "a@d.test", Lane.BULK), now=0, latency=SECOND) is None


def test_looking_ahead_changes_nothing() -> None:
    schedule = Schedule(Terms((parse_limit("1/1s"),), (), 1))
    schedule.add_ready(A, "a@d.test", Lane.BULK, 0, 5)
    forecast(schedule, Place(A, "a@d.test", Lane.BULK, 5), now=0, latency=SECOND)
    assert schedule.ready_of(A, "a@d.test") == (0, 5)
    assert len(schedule.grant(0, {A: 1}, 10)) == 1
