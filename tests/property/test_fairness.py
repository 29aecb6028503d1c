"""Nobody waits longer than the bound: with total N/W and weights S in rotation, ceil((S + 1) / N) x (W + L).

Law: the wait is measured in a world where everybody else has mail without end.
"""

from dataclasses import dataclass

from hypothesis import given, settings
from hypothesis import strategies as st

from relay.core.limits import MINUTE, SECOND, Limit
from relay.core.rotation import Line
from relay.core.schedule import Schedule
from relay.core.terms import MailboxTerms, PastAttempt, ProviderTerms, Standing
from relay.core.words import Lane, MailboxId

NEWCOMER = MailboxId("p", "newcomer")


@dataclass(frozen=True)
class Crowd:
    """A provider's total, and the weights of those who send through it all the time."""

    total: Limit
    weights: tuple[int, ...]
    latency: int

    def bound(self) -> int:
        """How long a newcomer waits at most; a closed window opens one instant after its width."""
        rounds = -(-(sum(self.weights) + 1) // self.total.count)
        return rounds * (self.total.width + self.latency + 1)

    # the schedule's memory

    def mailbox_terms(self, mailbox: MailboxId) -> MailboxTerms:
        weight = 1 if mailbox == NEWCOMER else self.weights[int(mailbox.username)]
        return MailboxTerms(weight=weight, connections=1000)

    def provider_terms(self, provider: str) -> ProviderTerms:
        return ProviderTerms((self.total,), 10_000)

    def mailbox_standing(self, mailbox: MailboxId) -> Standing:
        return Standing()

    def provider_standing(self, provider: str) -> Standing:
        return Standing()

    def mailbox_past(self, mailbox: MailboxId) -> tuple[PastAttempt, ...]:
        return ()

    def provider_past(self, provider: str) -> tuple[PastAttempt, ...]:
        return ()

    def login_past(self, mailbox: MailboxId) -> tuple[PastAttempt, ...]:
        return ()

    def refusal_past(self, mailbox: MailboxId) -> tuple[PastAttempt, ...]:
        return ()

    def civil_offset(self) -> int:
        return 0


def wait_of_newcomer(crowd: Crowd, arrives: int, schedule_type: type[Schedule] = Schedule, queued: int = 500) -> int:
    """How long one mail of a newcomer waits that arrives at this instant."""
    schedule, now = schedule_type(crowd), 0
    mailboxes = [MailboxId("p", str(number)) for number in range(len(crowd.weights))]
    for mailbox in mailboxes:
        schedule.add_ready(mailbox, mailbox.username, Lane.BULK, 0, queued)
    idle = dict.fromkeys([*mailboxes, NEWCOMER], 1000)
    running: list[tuple[int, MailboxId, int]] = []
    has_arrived = False
    while True:
        while running and running[0][0] <= now:
            ended, mailbox, started = running.pop(0)
            schedule.end(mailbox, started, ended, now)
        if now >= arrives and not has_arrived:
            schedule.add_ready(NEWCOMER, "new", Lane.BULK, now)
            has_arrived = True
        for grant in schedule.grant(now, idle, 1000):
            if grant.mailbox == NEWCOMER:
                return now - arrives
            running.append((now + crowd.latency, grant.mailbox, now))
        instants = [schedule.wake_at(now, idle), running[0][0] if running else None, None if has_arrived else arrives]
        now = min(instant for instant in instants if instant is not None and instant > now)


crowds = st.builds(
    Crowd,
    total=st.builds(Limit, st.integers(1, 5), st.integers(1, 30)),
    weights=st.lists(st.integers(1, 4), min_size=1, max_size=6).map(tuple),
    latency=st.integers(1, 20),
)


@given(crowds, st.integers(0, 200))
def test_a_newcomer_waits_no_longer_than_the_bound(crowd: Crowd, arrives: int) -> None:
    assert wait_of_newcomer(crowd, arrives) <= crowd.bound()


@given(st.integers(1, SECOND), st.sampled_from([40, 10_000]))
@settings(max_examples=20)
def test_one_mail_waits_two_windows_beside_any_backlog(arrives: int, queued: int) -> None:
    crowd = Crowd(Limit(1, SECOND), (1,), 100_000)
    assert wait_of_newcomer(crowd, arrives, queued=queued) <= 2 * (SECOND + 100_001)


@given(st.integers(0, 10 * MINUTE))
@settings(max_examples=20)
def test_beside_a_wide_total_a_newcomer_starts_at_once(arrives: int) -> None:
    assert wait_of_newcomer(Crowd(Limit(66, MINUTE), (1,), SECOND), arrives) == 0


class NoTurns(Schedule):
    """Planted: whoever was served stays at the head."""

    def _pass_turn(self, line: Line, now: int) -> None:
        line.credit = 2
        super()._pass_turn(line, now)


def test_a_schedule_without_turns_breaks_the_bound() -> None:
    crowd = Crowd(Limit(1, SECOND), (1,), 100_000)
    assert wait_of_newcomer(crowd, 1, NoTurns, queued=40) > crowd.bound()
