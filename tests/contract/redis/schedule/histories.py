"""Random histories that core's schedule and the one in Lua live through together.

Law: a history is made of what happens to a relay, at instants around those at which something opens.
"""

from collections.abc import Callable
from fractions import Fraction
from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule

from relay.core.kinship import Kinship
from relay.core.limits import DAY, HOUR, MINUTE, SECOND, Limit
from relay.core.terms import MailboxTerms, ProviderTerms, Standing
from relay.core.words import Lane
from tests.contract.redis.schedule.place import KINSHIPS, MAILBOXES, PROVIDERS, ROME, Place
from tests.contract.redis.schedule.player import Player
from tests.contract.redis.schedule.reading import compare_reading
from tests.contract.redis.schedule.twins import Twins

NARROW = st.builds(Limit, st.integers(1, 4), st.sampled_from([3, 10, 2 * MINUTE, HOUR, 3 * HOUR, DAY]))
A_DAYS = st.builds(Limit, st.integers(1, 6), st.just(0))
WIDE = st.builds(Limit, st.sampled_from([257, 300, 1000]), st.sampled_from([255 * 4, 3 * MINUTE, 3 * HOUR]))
SHARED = st.builds(Limit, st.sampled_from([2, 33, 66]), st.sampled_from([4, 2 * MINUTE, DAY]))
own_limits = st.lists(st.one_of(NARROW, NARROW, A_DAYS, WIDE), max_size=3).map(tuple)
terms = st.builds(
    MailboxTerms,
    limits=own_limits,
    weight=st.sampled_from([1, 1, 1, 3]),
    connections=st.integers(1, 3),
    login_limit=st.sampled_from([Limit(10, 10 * MINUTE), Limit(2, 10), Limit(5, MINUTE)]),
    express_share=st.sampled_from([Fraction(0), Fraction(1, 3), Fraction(1, 5)]),
    refused_logins=st.sampled_from([Limit(3, HOUR), Limit(1, 20)]),
)
provider_terms = st.builds(
    ProviderTerms,
    total_limits=st.lists(st.one_of(SHARED, SHARED, NARROW, A_DAYS, WIDE), max_size=2).map(tuple),
    total_connections=st.sampled_from([1, 2, 3, 20, 20]),
    zone=st.just(ROME),
)
mailboxes = st.sampled_from([*MAILBOXES, MAILBOXES[0], MAILBOXES[3]])
lanes = st.sampled_from(list(Lane))
GAPS = [1, 2, 3, 4, 7, 11, 20, SECOND, MINUTE, 5 * MINUTE, 5 * MINUTE + 1, HOUR, 11 * HOUR, DAY]


which = st.integers(0, 20)
instants = st.none() | st.sampled_from([0, 3, 20, HOUR])


def read_by_python(self: "Histories") -> None:
    """What Python reads is what core's schedule has."""
    compare_reading(self.twins)


def happens(name: str, **chosen: Any) -> Callable[..., None]:
    """A rule: this happens to both."""

    def step(self: "Histories", **drawn: Any) -> None:
        getattr(self.twins, name)(**drawn)

    step.__name__ = name
    told: Callable[..., None] = rule(**chosen)(step)
    return told


class Histories(RuleBasedStateMachine):
    """Two schedules live through one history."""

    player: Player
    twins: Twins

    @initialize(
        own=st.tuples(*[terms] * len(MAILBOXES)),
        shared=st.tuples(*[provider_terms] * len(PROVIDERS)),
        kinship=st.sampled_from(KINSHIPS),
        waiting=st.lists(st.sampled_from([0, 1, 8]), min_size=len(MAILBOXES), max_size=len(MAILBOXES)),
        health=st.lists(
            st.sampled_from(["new", "connected", "well"]), min_size=len(MAILBOXES), max_size=len(MAILBOXES)
        ),
    )
    def begin(
        self,
        own: tuple[MailboxTerms, ...],
        shared: tuple[ProviderTerms, ...],
        kinship: Kinship,
        waiting: list[int],
        health: list[str],
    ) -> None:
        place = Place(terms=dict(zip(MAILBOXES, own, strict=True)), provider=dict(zip(PROVIDERS, shared, strict=True)))
        place.kinship = kinship
        self.twins = twins = Twins(self.player, place)
        for mailbox, many, how in zip(MAILBOXES, waiting, health, strict=True):
            if how == "new":
                twins.stands(mailbox, Standing(is_proven=False))
            elif how == "connected":
                twins.one_wants_a_session_by_hand(mailbox)
                twins.a_login_ends(place.logging_in()[-1], "opened")
            if many:
                twins.mail_comes(mailbox, 0, Lane.BULK, many)
                twins.mail_comes(mailbox, 1, Lane.EXPRESS, many)
        twins.compare()

    mail_comes = happens(
        "mail_comes", mailbox=mailboxes, account=st.integers(0, 1), lane=lanes, many=st.sampled_from([1, 1, 2, 5])
    )
    mail_is_taken_out = happens("mail_is_taken_out", mailbox=mailboxes, account=st.integers(0, 1), lane=lanes)
    an_account_moves = happens(
        "an_account_moves_and_comes_back", mailbox=mailboxes, through=st.sampled_from([*MAILBOXES, None, None])
    )
    time_passes = happens("time_passes", gap=st.sampled_from(GAPS))
    a_node_sleeps = happens("a_node_sleeps_until_it_is_woken")
    take = happens("take", most=st.sampled_from([0, 1, 2, 50]), most_open=st.sampled_from([0, 1, 50, 50]))
    a_node_works = happens(
        "a_node_works",
        most=st.sampled_from([1, 2, 50]),
        rounds=st.integers(1, 5),
        linger=st.sampled_from([None, 0, 0, 0, 3, MINUTE]),
    )
    busy_hours = happens("busy_hours", seed=st.integers(0, 1 << 32))
    busy_hours_too = happens("busy_hours", seed=st.integers(0, 1 << 32))
    an_attempt_ends = happens("an_attempt_ends", which=which, linger=st.sampled_from([None, 0, 0, 5, MINUTE]))
    a_trial_begins = happens("a_trial_begins", mailbox=mailboxes)
    a_mailbox_was_busy = happens(
        "a_mailbox_was_busy",
        mailbox=mailboxes,
        many=st.sampled_from([31, 63, 250, 290]),
        spread=st.sampled_from([1, 7, SECOND, 30 * SECOND]),
    )
    a_session_by_hand = happens("one_wants_a_session_by_hand", mailbox=mailboxes)
    a_session_is_reported = happens(
        "a_session_is_reported",
        which=which,
        outcome=st.sampled_from(["opened", "opened", "refused", "unsent", "lost"]),
    )
    a_session_is_closed = happens("a_session_is_closed", which=which)
    enough_sessions = happens(
        "there_are_enough_sessions", mailbox=mailboxes, pause=st.sampled_from([1, 7, 60]), is_provider=st.booleans()
    )
    somebody_asks = happens("somebody_asks_whether_it_logged_in", mailbox=mailboxes)
    something_is_seen = happens(
        "something_is_seen_of_a_mailbox",
        mailbox=mailboxes,
        what=st.sampled_from(["accuse", "drop", "break", "tell", "clear", "clear"]),
    )
    health_changes = happens(
        "health_changes",
        mailbox=mailboxes,
        is_stopped=st.sampled_from([False, False, True]),
        after=instants,
        is_proven=st.booleans(),
        slow=st.sampled_from([1, 1, 2, 8, 32]),
        login_after=st.sampled_from([None, None, 0, 9, MINUTE]),
        is_fresh=st.booleans(),
    )
    a_host_fails_or_works = happens(
        "a_host_fails_or_works",
        provider=st.sampled_from(PROVIDERS),
        is_stopped=st.sampled_from([False, False, True]),
        after=instants,
        how=st.sampled_from(["freely", "freely", "for proven", "one by one"]),
    )
    an_admin_edits_a_mailbox = happens("an_admin_edits_a_mailbox", mailbox=mailboxes, new=terms)
    an_admin_edits_a_provider = happens(
        "an_admin_edits_a_provider", provider=st.sampled_from(PROVIDERS), new=provider_terms
    )
    entries_are_kin = happens("entries_turn_out_to_be_kin", kinship=st.sampled_from(KINSHIPS[1:]))
    the_civil_clock = happens("the_civil_clock_is_corrected", step=st.sampled_from([-HOUR, -1, 1, HOUR]))
    what_is_over = happens("what_is_over_is_forgotten")
    read_by_python = rule()(read_by_python)
