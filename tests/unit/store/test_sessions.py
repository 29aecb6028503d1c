from dataclasses import replace

import pytest

from relay.core.envelope import LoginFailure
from relay.core.limits import HOUR, parse_limit
from relay.core.reply import Reply
from relay.core.rotation import CROWDED
from relay.core.words import MailboxId, Stage
from relay.errors import StoreUnavailable
from relay.store.ports.sessions import SessionEvent
from tests.unit.store.workbench import (
    BIANCHI,
    MINUTE,
    NODE,
    ROSSI,
    SECOND,
    Bench,
    account,
    message,
    provider,
)

BOX, OTHER = MailboxId("aruba", ROSSI), MailboxId("aruba", BIANCHI)
WRONG = LoginFailure("auth-rejected", Stage.AUTH, Reply(535, None, "no"), is_provider=False, is_login_sent=True)
UNREACHABLE = LoginFailure("network", Stage.CONNECT, None, is_provider=True, is_login_sent=False)


async def queued(*accounts: str, **terms: object) -> Bench:
    bench = Bench()
    senders = accounts or (ROSSI,)
    await bench.route(*map(account, senders), providers=(provider("aruba", **terms),))  # type: ignore[arg-type]
    for number in range(3):
        for sender in senders:
            await bench.store.put(message(f"{sender[0]}{number}", sender))
    return bench


async def test_a_mailbox_with_mail_wants_a_session_once() -> None:
    bench = await queued()
    assert (await bench.store.take(NODE, {}, 10)).open == {BOX: 1}
    assert (await bench.store.take(NODE, {}, 10)).open == {}


async def test_claims_and_sessions_together_are_at_most_what_was_asked_for() -> None:
    bench = await queued(ROSSI, BIANCHI, connections=5)
    taken = await bench.store.take(NODE, {BOX: 2}, 3)
    assert len(taken.claims) + sum(taken.open.values()) == 3


async def test_a_session_that_was_never_tried_counts_as_no_login() -> None:
    bench = await queued(login_limit=parse_limit("1/1h"))
    await bench.store.take(NODE, {}, 10)
    await bench.store.session(BOX, SessionEvent.DECLINED)
    assert (await bench.store.take(NODE, {}, 10)).open == {BOX: 1}
    assert bench.rows("SELECT count(*) FROM logins") == [(1,)]


async def test_logins_are_limited_and_remembered_over_a_restart() -> None:
    bench = await queued(login_limit=parse_limit("1/1h"))
    await bench.log_in()
    await bench.store.session(BOX, SessionEvent.CLOSED)
    assert (await bench.store.take(NODE, {}, 10)).open == {}
    bench.crash()
    await bench.store.recover(NODE)
    assert (await bench.store.take(NODE, {}, 10)).open == {}
    bench.clock.advance(HOUR + 1)
    assert (await bench.store.take(NODE, {}, 10)).open == {BOX: 1}


async def test_a_wrong_password_stops_that_mailbox_alone() -> None:
    bench = await queued(ROSSI, BIANCHI)
    taken = await bench.store.take(NODE, {}, 10)
    assert taken.open == {BOX: 1, OTHER: 1}
    await bench.store.refused(BOX, WRONG)
    await bench.store.session(OTHER, SessionEvent.OPENED)
    assert {claim.account for claim in await bench.take()} == {BIANCHI}
    assert (await bench.store.take(NODE, {}, 10)).open == {}
    bench.clock.advance(HOUR)
    await bench.store.heartbeat(NODE)
    assert (await bench.store.take(NODE, {}, 10)).open == {BOX: 1}, "the same password again after an hour"


async def test_a_refusal_of_what_was_mended_meanwhile_stops_nobody() -> None:
    """The old password's answer comes after the new one is in force: the new one is tried at once, and both count."""
    bench = await queued()
    await bench.store.take(NODE, {}, 10)
    await bench.store.refused(BOX, replace(WRONG, is_outdated=True))
    assert (await bench.store.take(NODE, {}, 10)).open == {BOX: 1}
    await bench.store.refused(BOX, WRONG)
    assert (await bench.store.take(NODE, {}, 10)).open == {}


async def test_a_login_that_works_opens_the_mailbox_again() -> None:
    bench = await queued()
    await bench.store.take(NODE, {}, 10)
    await bench.store.refused(BOX, WRONG)
    bench.clock.advance(HOUR)
    await bench.log_in()
    assert len(await bench.take()) == 3


async def test_a_refused_login_spends_no_retry_of_a_message() -> None:
    bench = await queued()
    await bench.store.take(NODE, {}, 10)
    await bench.store.refused(BOX, WRONG)
    assert bench.rows("SELECT DISTINCT state, due, tries FROM deliveries") == [(0, 0, 0)]


async def test_a_host_that_fails_is_tried_by_one_session_at_a_time() -> None:
    bench = await queued(ROSSI, BIANCHI)
    await bench.store.take(NODE, {}, 10)
    await bench.store.refused(BOX, UNREACHABLE)
    await bench.store.refused(OTHER, UNREACHABLE)
    taken = await bench.store.take(NODE, {}, 10)
    assert taken.open == {}
    assert taken.wake_at is not None
    bench.clock.advance(taken.wake_at - bench.store.now())
    probe = (await bench.store.take(NODE, {}, 10)).open
    assert sum(probe.values()) == 1
    for mailbox in probe:
        await bench.store.session(mailbox, SessionEvent.OPENED)
    assert sum((await bench.store.take(NODE, {}, 10)).open.values()) == 1, "the host answers: now the other one too"


async def test_a_login_that_never_reached_the_host_counts_for_no_limit() -> None:
    bench = await queued(login_limit=parse_limit("1/1h"))
    await bench.store.take(NODE, {}, 10)
    await bench.store.refused(BOX, UNREACHABLE)
    bench.clock.advance(MINUTE)
    assert (await bench.store.take(NODE, {}, 10)).open == {BOX: 1}


async def test_a_host_that_fails_is_remembered_over_a_restart() -> None:
    bench = await queued()
    await bench.store.take(NODE, {}, 10)
    await bench.store.refused(BOX, UNREACHABLE)
    bench.crash()
    await bench.store.recover(NODE)
    assert (await bench.store.take(NODE, {}, 10)).open == {}


async def test_a_failed_commit_leaves_the_sessions_as_they_were() -> None:
    bench = await queued(ROSSI, BIANCHI, total_connections=1)
    assert sum((await bench.log_in()).values()) == 1
    bench.disk.refuse.append(StoreUnavailable())
    with pytest.raises(StoreUnavailable):
        await bench.store.put(message("x"))
    assert (await bench.store.take(NODE, {}, 10)).open == {}, "the one place is still taken"


async def test_a_take_that_failed_reserved_nothing() -> None:
    bench = await queued()
    bench.disk.refuse.append(StoreUnavailable())
    with pytest.raises(StoreUnavailable):
        await bench.store.take(NODE, {}, 10)
    assert (await bench.store.take(NODE, {}, 10)).open == {BOX: 1}


async def test_a_mailbox_gives_its_place_up_where_others_find_none() -> None:
    bench = await queued(ROSSI, BIANCHI, total_connections=1)
    (box,) = await bench.log_in()
    for claim in (await bench.store.take(NODE, {box: 3}, 3)).claims:
        await bench.send(claim)
    taken = await bench.store.take(NODE, {box: 1}, 10)
    assert taken.close == {box: 1}


async def test_time_alone_says_nothing() -> None:
    bench = await queued()
    await bench.log_in()
    bench.clock.advance(10 * SECOND + MINUTE)
    assert (await bench.store.take(NODE, {}, 10)).open == {}


FULL = Reply(421, "4.7.0", "too many connections")


async def test_too_many_sessions_stop_nobody_and_leave_those_that_are_open() -> None:
    bench = await queued(connections=3)
    await bench.log_in()
    assert (await bench.store.take(NODE, {}, 10)).open == {BOX: 2}
    await bench.store.session(BOX, SessionEvent.OPENED)
    crowded = LoginFailure("too-many-connections", Stage.CONNECT, FULL, is_provider=False, is_login_sent=False)
    await bench.store.refused(BOX, crowded)
    again = await bench.store.take(NODE, {BOX: 1}, 10)
    assert (len(again.claims), again.open) == (1, {}), "one session fewer, and the mail goes on"
    bench.clock.advance(CROWDED - 1)
    assert (await bench.store.take(NODE, {}, 10)).open == {}
    bench.clock.advance(1)
    assert (await bench.store.take(NODE, {}, 10)).open == {BOX: 1}


async def test_a_login_without_an_answer_counts_until_linger_is_over_even_after_a_crash() -> None:
    bench = await queued(login_limit=parse_limit("1/10m"), linger=2 * MINUTE)
    assert (await bench.store.take(NODE, {}, 10)).open == {BOX: 1}
    await bench.store.refused(BOX, LoginFailure("network", Stage.AUTH, None, is_provider=False, is_login_sent=True))
    for is_crashed in (False, True):
        if is_crashed:
            bench.crash()
            await bench.store.recover(NODE)
            bench.clock.advance(2 * MINUTE)
        else:
            bench.clock.advance(10 * MINUTE)
        assert (await bench.store.take(NODE, {}, 10)).open == {}
    bench.clock.advance(1)
    assert (await bench.store.take(NODE, {}, 10)).open == {BOX: 1}
