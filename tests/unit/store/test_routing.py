import asyncio

import pytest

from relay.core.envelope import LoginFailure
from relay.core.limits import HOUR
from relay.core.meaning import Fault
from relay.core.routing import Auth, Client, Owner, Routing, SecretKind, SecretReference, Tls
from relay.core.words import MailboxId, Stage
from relay.store.ports.events import EventKind
from relay.store.ports.sessions import SessionEvent
from tests.unit.store.workbench import (
    BIANCHI,
    DEFERRED,
    DELIVERED,
    MINUTE,
    NODE,
    REFUSED,
    ROSSI,
    Bench,
    account,
    fingerprints,
    message,
    provider,
    replace,
    routing,
)

ARUBA, GMAIL = MailboxId("aruba", ROSSI), MailboxId("gmail", ROSSI)
BOTH = (provider("aruba"), provider("gmail"))


async def test_before_the_first_routing_there_is_none() -> None:
    assert await Bench().store.applied() is None


async def test_the_routing_in_force_comes_back_over_a_restart() -> None:
    bench = Bench()
    secret = SecretReference(SecretKind.LITERAL, "hunter2")
    made = replace(
        routing(
            account(ROSSI, password=secret, owner=Owner("Dr. Rossi", "rossi@other.test", "0974")),
            providers=(provider("aruba", "150/20m", tls=Tls.IMPLICIT, auth=Auth.PASSWORD),),
        ),
        clients={"studio": Client("studio", ("*@studio.test",), secret)},
    )
    assert await bench.store.apply(made, fingerprints(made)) == 1
    bench.crash()
    applied = await bench.store.applied()
    assert applied is not None
    assert (applied.version, applied.routing, applied.fingerprints) == (1, made, fingerprints(made))
    assert b"hunter2" not in bench.connection.serialize()


async def test_an_equal_routing_makes_no_new_version() -> None:
    bench = Bench()
    for _ in range(2):
        await bench.route(account(ROSSI))
    assert (await bench.store.applied()).version == 1  # type: ignore[union-attr]
    await bench.route(account(ROSSI), account(BIANCHI))
    assert (await bench.store.applied()).version == 2  # type: ignore[union-attr]


async def test_another_password_alone_makes_no_new_version_but_is_remembered() -> None:
    bench = Bench()
    await bench.route(account(ROSSI))
    await bench.route(account(ROSSI), secrets={ROSSI: "second"})
    bench.crash()
    applied = await bench.store.applied()
    assert applied is not None
    assert (applied.version, applied.fingerprints) == (1, {ARUBA: "second"})


async def test_what_waits_follows_its_account_to_another_mailbox_in_order() -> None:
    bench = Bench()
    await bench.route(account(ROSSI), providers=BOTH)
    for number in range(4):
        await bench.store.put(message(number))
    (first,) = await bench.take(1)
    await bench.route(account(ROSSI, "gmail"), providers=BOTH)
    moved = await bench.take()
    assert [claim.message for claim in moved] == ["m-1", "m-2", "m-3"]
    assert {claim.mailbox for claim in moved} == {GMAIL}
    assert await bench.send(first), "what is under way keeps its route"
    assert first.mailbox == ARUBA


async def test_what_waits_for_a_time_follows_its_account_too() -> None:
    bench = Bench()
    await bench.route(account(ROSSI), providers=BOTH)
    await bench.store.put(message(1))
    (claim,) = await bench.take()
    await bench.send(claim, DEFERRED)
    await bench.route(account(ROSSI, "gmail"), providers=BOTH)
    bench.clock.advance(5 * MINUTE)
    (claim,) = await bench.take()
    assert claim.mailbox == GMAIL


async def test_an_attempt_under_way_counts_at_the_mailbox_that_it_is_made_with() -> None:
    providers = (provider("aruba", "1/1h"), provider("gmail", "1/1h"))
    bench = Bench()
    await bench.route(account(ROSSI), providers=providers)
    await bench.store.put(message(1))
    (claim,) = await bench.take()
    await bench.route(account(ROSSI, "gmail"), providers=providers)
    await bench.send(claim)
    await bench.store.put(message(2))
    await bench.store.put(message(3))
    assert [each.message for each in await bench.take()] == ["m-2"]
    await bench.route(account(ROSSI), providers=providers)
    assert await bench.take() == ()


async def test_moves_survive_a_restart() -> None:
    bench = Bench()
    await bench.route(account(ROSSI), providers=BOTH)
    await bench.store.put(message(1))
    await bench.route(account(ROSSI, "gmail"), providers=BOTH)
    bench.crash()
    (claim,) = await bench.take()
    assert claim.mailbox == GMAIL


async def test_a_removed_accounts_mail_is_held_and_goes_on_when_it_is_back() -> None:
    bench = Bench()
    await bench.route(account(ROSSI), account(BIANCHI))
    for number in range(3):
        await bench.store.put(message(number))
    await bench.route(account(BIANCHI))
    assert await bench.take() == ()
    (count,) = await bench.store.queue_counts()
    assert (count.provider, count.held) == ("none", 3)
    bench.crash()
    assert await bench.take() == ()
    await bench.route(account(ROSSI), account(BIANCHI))
    assert [claim.message for claim in await bench.take()] == ["m-0", "m-1", "m-2"]


async def test_mail_without_credentials_waits_for_them() -> None:
    bench = Bench()
    await bench.route(account(ROSSI), account(BIANCHI), secrets={ROSSI: None})
    await bench.store.put(message(1))
    await bench.store.put(message(2, BIANCHI))
    assert [claim.account for claim in await bench.take()] == [BIANCHI]
    (count,) = await bench.store.queue_counts()
    assert (count.provider, count.held, count.sending) == ("aruba", 1, 1)
    await bench.route(account(ROSSI), account(BIANCHI))
    assert [claim.account for claim in await bench.take()] == [ROSSI]


async def test_an_edit_that_takes_credentials_away_holds_and_one_that_gives_some_releases() -> None:
    bench = Bench()
    await bench.route(account(ROSSI))
    await bench.store.put(message(1))
    await bench.route(account(ROSSI), secrets={ROSSI: None})
    assert await bench.take() == ()
    await bench.store.put(message(2))
    await bench.route(account(ROSSI), secrets={ROSSI: "second"})
    assert [claim.message for claim in await bench.take()] == ["m-1", "m-2"]


async def test_a_stopped_mailbox_with_another_password_is_tried_at_once() -> None:
    bench = Bench()
    await bench.route(account(ROSSI))
    await bench.store.put(message(1))
    (claim,) = await bench.take()
    await bench.send(claim, REFUSED)
    assert await bench.take() == ()
    await bench.route(account(ROSSI), secrets={ROSSI: "second"})
    assert [each.message for each in await bench.take()] == ["m-1"]


async def test_a_stopped_mailbox_is_not_released_by_an_edit_of_somebody_else() -> None:
    bench = Bench()
    await bench.route(account(ROSSI))
    await bench.store.put(message(1))
    (claim,) = await bench.take()
    await bench.send(claim, REFUSED)
    await bench.route(account(ROSSI), account(BIANCHI))
    assert await bench.take() == ()


async def test_health_survives_a_restart() -> None:
    bench = Bench()
    await bench.route(account(ROSSI))
    await bench.store.put(message(1))
    (claim,) = await bench.take()
    await bench.send(claim, REFUSED)
    bench.crash()
    assert await bench.take() == ()
    (count,) = await bench.store.health_counts()
    assert (count.health, count.accounts) == ("paused", 1)


async def test_new_limits_bind_what_waits_and_remember_what_was_sent() -> None:
    bench = Bench()
    await bench.route(account(ROSSI), providers=(provider("aruba"),))
    for number in range(4):
        await bench.store.put(message(number))
    for claim in await bench.take(2):
        await bench.send(claim)
    await bench.route(account(ROSSI), providers=(provider("aruba", "3/1h"),))
    assert len(await bench.take()) == 1


async def test_a_long_limit_put_in_force_later_does_not_start_empty() -> None:
    bench = Bench()
    await bench.route(account(ROSSI), providers=(provider("aruba", "100/1m"),))
    await bench.store.put(message(0))
    (claim,) = await bench.take()
    await bench.send(claim)
    bench.clock.advance(20 * HOUR)
    await bench.store.heartbeat(NODE)
    await bench.route(account(ROSSI), providers=(provider("aruba", "1/d"),))
    await bench.store.put(message(1))
    assert await bench.take() == ()


async def test_new_totals_count_what_was_sent() -> None:
    bench = Bench()
    await bench.route(account(ROSSI), account(BIANCHI))
    for number in range(30):
        await bench.store.put(message(number, (ROSSI, BIANCHI)[number % 2]))
    for claim in (await bench.take())[:20]:
        await bench.send(claim, DELIVERED)
    await bench.route(account(ROSSI), account(BIANCHI), providers=(provider("aruba", totals=("30/1h",)),))
    await bench.store.put(message("more"))
    assert await bench.take() == (), "twenty were sent and ten are under way"


async def test_who_moves_to_a_mailbox_of_a_group_shares_it() -> None:
    bench = Bench()
    await bench.route(account(ROSSI), account(BIANCHI), providers=(provider("aruba", "2/1h"),))
    for number in range(4):
        await bench.store.put(message(number, (ROSSI, BIANCHI)[number % 2]))
    shared = [account(ROSSI, username="studio"), account(BIANCHI, username="studio")]
    await bench.route(*shared, providers=(provider("aruba", "2/1h"),))
    claims = await bench.take()
    assert [claim.account for claim in claims] == [ROSSI, BIANCHI]
    assert {claim.mailbox.username for claim in claims} == {"studio"}


async def test_a_routing_that_changes_is_told() -> None:
    bench = Bench()
    await bench.route(account(ROSSI))
    await bench.route(account(ROSSI))
    assert [event.reason for event in bench.events if event.kind is EventKind.ROUTING] == ["1"]


async def test_a_session_of_the_old_mailbox_may_still_be_closed() -> None:
    bench = Bench()
    await bench.route(account(ROSSI), providers=BOTH)
    await bench.store.put(message(1))
    assert await bench.log_in() == {ARUBA: 1}
    await bench.route(account(ROSSI, "gmail"), providers=(provider("gmail"),))
    await bench.store.session(ARUBA, SessionEvent.CLOSED)
    assert await bench.log_in() == {GMAIL: 1}


async def test_an_edit_of_one_account_writes_one_account() -> None:
    bench = Bench()
    await bench.route(account(ROSSI), account(BIANCHI), account("c@studio.test"))
    before = dict(bench.rows("SELECT sender, body FROM routed_accounts"))
    await bench.route(account(ROSSI), account(BIANCHI, weight=4))
    after = dict(bench.rows("SELECT sender, body FROM routed_accounts"))
    assert after.keys() == {ROSSI, BIANCHI}
    assert after[ROSSI] == before[ROSSI]
    assert after[BIANCHI] != before[BIANCHI]
    assert bench.rows("SELECT username FROM fingerprints ORDER BY username") == [(BIANCHI,), (ROSSI,)]


async def test_two_edits_at_once_follow_each_other() -> None:
    bench = Bench()
    first, second = routing(account(ROSSI)), routing(account(ROSSI), account(BIANCHI))
    edits = [bench.store.apply(each, fingerprints(each)) for each in (first, second)]
    assert list(await asyncio.gather(*edits)) == [1, 2]
    bench.crash()
    applied = await bench.store.applied()
    assert applied is not None
    assert (applied.version, applied.routing) == (2, second)


@pytest.mark.parametrize("many", [0, 3])
async def test_an_empty_routing_is_one(many: int) -> None:
    bench = Bench()
    await bench.route(account(ROSSI))
    for number in range(many):
        await bench.store.put(message(number))
    assert await bench.store.apply(Routing(), {}) == 2
    assert await bench.take() == ()


async def test_an_account_whose_mail_goes_nowhere_is_named_and_named_again_when_it_goes() -> None:
    bench = Bench()
    await bench.route(account(ROSSI), account(BIANCHI))
    await bench.store.put(message(1))
    await bench.route(account(BIANCHI))
    await bench.route(account(ROSSI), account(BIANCHI))
    told = [(event.account, event.reason) for event in bench.events if event.kind is EventKind.STRANDED]
    assert told == [(ROSSI, "no-account"), (ROSSI, None)]


async def test_where_a_mail_went_cannot_be_read_from_the_files() -> None:
    bench = Bench()
    await bench.route(account(ROSSI))
    await bench.store.put(message(1, ROSSI, "figlia@famiglia-verdi.example"))
    assert b"famiglia-verdi" not in bench.connection.serialize()


async def test_a_provider_at_another_host_is_tried_at_once_whatever_stopped_the_old_one() -> None:
    bench = Bench()
    await bench.route(account(ROSSI), providers=(provider("aruba"),))
    await bench.store.put(message(1))
    taken = await bench.store.take(NODE, {}, 1)
    (box,) = taken.open
    await bench.store.refused(box, LoginFailure("network", Stage.CONNECT, None, is_provider=True, is_login_sent=False))
    assert not (await bench.store.take(NODE, {}, 1)).open
    await bench.route(account(ROSSI), providers=(provider("aruba", "9/1s"),))
    assert not (await bench.store.take(NODE, {}, 1)).open, "other limits do not mend a host"
    moved = replace(provider("aruba", "9/1s"), host="other.example.test")
    await bench.route(account(ROSSI), providers=(moved,))
    assert (await bench.store.take(NODE, {}, 1)).open


async def test_a_provider_whose_oauth_client_is_mended_is_tried_at_once() -> None:
    bench = Bench()
    await bench.route(account(ROSSI), providers=(provider("aruba"),), secrets={ROSSI: "wrong client"})
    await bench.store.put(message(1))
    (box,) = (await bench.store.take(NODE, {}, 1)).open
    refused = LoginFailure(
        "auth-method", Stage.AUTH, None, is_provider=True, is_login_sent=False, fault=Fault.OAUTH_CLIENT
    )
    await bench.store.refused(box, refused)
    await bench.route(account(ROSSI), providers=(provider("aruba", "9/1s"),), secrets={ROSSI: "wrong client"})
    assert not (await bench.store.take(NODE, {}, 1)).open, "other limits do not mend a client"
    await bench.route(account(ROSSI), providers=(provider("aruba", "9/1s"),), secrets={ROSSI: "right client"})
    assert (await bench.store.take(NODE, {}, 1)).open
