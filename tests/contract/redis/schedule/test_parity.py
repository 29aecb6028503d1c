"""The Lua schedule decides as core's: the same histories give the same grants, sessions and wake-ups."""

from collections.abc import Callable, Iterator

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import run_state_machine_as_test

from relay.core.limits import HOUR, MINUTE, Limit
from relay.core.terms import MailboxTerms, ProviderTerms, Standing
from relay.core.words import Lane
from tests.contract.redis.schedule.histories import Histories
from tests.contract.redis.schedule.place import MAILBOXES, PROVIDERS, ROME, Place
from tests.contract.redis.schedule.player import Player, player_of
from tests.contract.redis.schedule.twins import Twins
from tests.fakes.redisservers import NAMES, Server, binary, server

A, B, C = MAILBOXES[:3]

OTHERS = [name for name in NAMES if name != "redis-7"]

Story = Callable[[Player], None]


@pytest.fixture(scope="module")
def started() -> Iterator[Server]:
    with server(binary("redis-7"), is_durable=False) as found:
        yield found


def bounded(examples: int) -> settings:
    """The same histories each time; one that fails is shown as it is, for to shorten it takes minutes."""
    return settings(
        max_examples=examples,
        stateful_step_count=30,
        derandomize=True,
        database=None,
        deadline=None,
        phases=[Phase.generate],
        report_multiple_bugs=False,
        suppress_health_check=list(HealthCheck),
    )


def play(player: Player, examples: int) -> None:
    class Played(Histories):
        pass

    Played.player = player
    run_state_machine_as_test(Played, settings=bounded(examples))


def place_of(provider: ProviderTerms, mailbox: MailboxTerms | None = None) -> Place:
    """Everybody alike."""
    own = mailbox or MailboxTerms()
    return Place(terms=dict.fromkeys(MAILBOXES, own), provider=dict.fromkeys(PROVIDERS, provider))


def beside_a_newcomer(player: Player) -> None:
    """Whoever holds 32 times what is free of a total gets no more, and others do."""
    twins = Twins(player, place_of(ProviderTerms((Limit(66, HOUR),)), MailboxTerms(connections=9)))
    twins.a_mailbox_was_busy(A, 63, 1)
    for mailbox in (A, B):
        twins.mail_comes(mailbox, 0, Lane.BULK, 5)
        twins.a_node_works(50, 3, 0)


def new_ones_logging_in(player: Player) -> None:
    """Of three places at a provider, logins that may hang get one."""
    twins = Twins(player, place_of(ProviderTerms(total_connections=3)))
    for mailbox in (A, B, C):
        twins.stands(mailbox, Standing(is_proven=False))
        twins.mail_comes(mailbox, 0, Lane.BULK, 1)
    twins.take(50, 50)
    twins.a_session_is_reported(0, "opened")
    twins.take(50, 50)


def under_a_wide_limit(player: Player) -> None:
    """Above 256 ends share buckets, which open at the end of their step."""
    twins = Twins(player, place_of(ProviderTerms(), MailboxTerms((Limit(260, 255 * 4),))))
    twins.a_mailbox_was_busy(A, 260, 3)
    twins.mail_comes(A, 0, Lane.BULK, 50)
    twins.a_node_works(50, 20, 0)


def around_midnight(player: Player) -> None:
    """What ends within five minutes of midnight counts on both days."""
    twins = Twins(player, place_of(ProviderTerms(zone=ROME), MailboxTerms((Limit(2, 0),))))
    twins.time_passes(6 * MINUTE)
    for mailbox in (A, B):
        twins.mail_comes(mailbox, 0, Lane.BULK, 3)
        twins.a_node_works(50, 4, MINUTE)


def test_the_server_decides_as_core_does(started: Server) -> None:
    play(player_of(started), 25)


@pytest.mark.parametrize("name", OTHERS)
def test_the_oldest_server_and_the_other_one_decide_alike(name: str) -> None:
    with server(binary(name), is_durable=False) as found:
        play(player_of(found), 6)


@pytest.mark.parametrize("story", [beside_a_newcomer, new_ones_logging_in, under_a_wide_limit, around_midnight])
def test_the_server_decides_as_core_does_where_chance_hardly_leads(started: Server, story: Story) -> None:
    story(player_of(started))


@pytest.mark.parametrize(
    ("library", "right", "wrong"),
    [
        ("windows", "then return at - window.width end", "then return at - window.width + 1 end"),
        ("grants", "if self.credit <= 0 then", "if self.credit < 0 then"),
    ],
)
def test_a_fault_in_one_line_is_found(started: Server, library: str, right: str, wrong: str) -> None:
    with pytest.raises(AssertionError):
        play(player_of(started, **{library: (right, wrong)}), 50)


@pytest.mark.parametrize(
    ("story", "library", "right", "wrong"),
    [
        (beside_a_newcomer, "ledger", "return own_used + 1 <=", "return own_used <="),
        (new_ones_logging_in, "sessions", "doubtful < math.max", "doubtful <= math.max"),
        (around_midnight, "calendar", "midnight - window.offset - DOUBT", "midnight - window.offset + DOUBT"),
        (under_a_wide_limit, "windows", "* window.step + 1", "* window.step"),
    ],
)
def test_a_fault_that_chance_hardly_finds_is_found(
    started: Server, story: Story, library: str, right: str, wrong: str
) -> None:
    with pytest.raises(AssertionError):
        story(player_of(started, **{library: (right, wrong)}))
