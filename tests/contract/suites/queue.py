"""Coming in and being handed out: durable, once, in order, fair, and never more than asked for."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace

from relay.core.envelope import Envelope, Recipient
from relay.core.words import Lane
from relay.errors import CorruptValue
from tests.contract.scene import (
    DEFERRED,
    DELIVERED,
    DROPPED,
    MINUTE,
    NODE,
    OTHER,
    SECOND,
    A,
    B,
    C,
    Scene,
    account,
    box,
    message,
    numbers,
    provider,
)


async def what_was_put_survives_a_crash(scene: Scene) -> None:
    await scene.route(account(A))
    content = b"Subject: x\r\n\r\n" + bytes(range(256)) * 40
    new = message(1, A, "Mixed.Case@Example.TEST", content=content)
    await scene.store.put(new)
    await scene.restart()
    (claim,) = await scene.work()
    assert (claim.message, claim.account, claim.mailbox, claim.node) == ("m-1", A, box(A), NODE)
    assert (claim.size, claim.tries, claim.doubts, claim.is_probe) == (len(content), 0, 0, False)
    assert claim.envelope == new.envelope
    assert await scene.store.content(claim) == content


async def the_envelope_goes_upstream_in_the_very_bytes_accepted(scene: Scene) -> None:
    await scene.route(account(A))
    recipients = (
        Recipient("Ü.Böll@Bücher.example", ("FAILURE", "DELAY"), "rfc822;x@y"),
        Recipient('"a b"@example.test', ("NEVER",)),
    )
    envelope = Envelope("A@Studio.test", recipients, envid="QQ314159", ret="HDRS", needs_smtputf8=True, is_8bit=True)
    await scene.store.put(replace(message(1, A), envelope=envelope))
    claims = await scene.work()
    assert [claim.envelope for claim in claims] == [replace(envelope, recipients=(one,)) for one in recipients]


async def the_same_id_again_changes_nothing(scene: Scene) -> None:
    await scene.route(account(A))
    await scene.mail(A, 1)
    await scene.mail(A, 1)
    await scene.restart()
    await scene.mail(A, 1)
    assert await scene.send_all() == ["m-1"]
    await scene.mail(A, 1)
    assert await scene.work() == []


async def a_message_to_two_patients_is_two_deliveries(scene: Scene) -> None:
    await scene.route(account(A))
    await scene.store.put(message(1, A, "one@example.test", "two@example.test"))
    first, second = await scene.work()
    assert first.message == second.message
    assert first.delivery < second.delivery
    assert first.attempt != second.attempt
    assert [claim.envelope.recipients[0].address for claim in (first, second)] == [
        "one@example.test",
        "two@example.test",
    ]
    await scene.send(first)
    assert await scene.store.content(second) == await scene.store.content(second)


async def there_is_space_in_a_store_that_is_not_full(scene: Scene) -> None:
    assert scene.store.has_space()


async def a_claim_that_is_over_has_no_content(scene: Scene) -> None:
    await scene.route(account(A))
    await scene.mail(A, 1)
    (claim,) = await scene.work()
    await scene.send(claim)
    try:
        await scene.store.content(claim)
    except CorruptValue:
        return
    raise AssertionError("the content of a delivered message was given out")


# order


async def the_oldest_goes_first(scene: Scene) -> None:
    await scene.route(account(A))
    await scene.mail(A, 1, 2, 3)
    assert numbers(await scene.work()) == ["m-1", "m-2", "m-3"]


async def what_returns_takes_its_old_place(scene: Scene) -> None:
    await scene.route(account(A))
    await scene.mail(A, 1, 2, 3)
    (first,) = await scene.work(1)
    await scene.end(first, DROPPED)
    assert numbers(await scene.work()) == ["m-1", "m-2", "m-3"]


async def what_was_deferred_takes_its_old_place_when_its_time_has_come(scene: Scene) -> None:
    await scene.route(account(A), providers=[provider("p", connections=1)])
    await scene.mail(A, 1, 2)
    (first,) = await scene.work()
    await scene.send(first, DEFERRED)
    await scene.advance(5 * 60)
    await scene.mail(A, 3)
    assert await scene.send_all() == ["m-1", "m-2", "m-3"]


async def express_goes_before_bulk(scene: Scene) -> None:
    await scene.route(account(A))
    await scene.mail(A, 1, 2, 3, 4, 5, client="batch")
    await scene.mail(A, 6, client="batch", wants_express=True)
    claims = await scene.work()
    assert numbers(claims) == ["m-1", "m-2", "m-3", "m-6", "m-4", "m-5"]
    assert [claim.lane for claim in claims] == [Lane.EXPRESS] * 4 + [Lane.BULK] * 2


async def a_client_is_in_bulk_from_its_fourth_message_within_a_minute(scene: Scene) -> None:
    await scene.route(account(A), account(B))
    await scene.mail(A, 1, 2, 3, 4, client="batch")
    await scene.mail(B, 5, client="batch")
    await scene.mail(A, 6, client="somebody else")
    await scene.advance(61)
    await scene.mail(A, 7, client="batch")
    lanes = {claim.message: claim.lane for claim in await scene.work()}
    assert [message for message, lane in lanes.items() if lane is Lane.BULK] == ["m-4"]


async def the_accounts_of_a_mailbox_take_turns(scene: Scene) -> None:
    await scene.route(account(A, username="shared"), account(B, username="shared"))
    await scene.mail(A, 1, 2, 3)
    await scene.mail(B, 4, 5)
    assert numbers(await scene.work()) == ["m-1", "m-4", "m-2", "m-5", "m-3"]


# fairness


async def mailboxes_share_by_weight(scene: Scene) -> None:
    await scene.route(account(A, weight=3), account(B))
    await scene.mail(A, *range(6))
    await scene.mail(B, *range(10, 13))
    await scene.log_in()
    assert numbers((await scene.take(8)).claims) == ["m-0", "m-1", "m-2", "m-10", "m-3", "m-4", "m-5", "m-11"]


async def a_newcomer_enters_at_the_tail(scene: Scene) -> None:
    await scene.route(account(A), account(B), account(C))
    await scene.mail(A, 1, 2)
    await scene.mail(B, 3, 4)
    await scene.log_in()
    await scene.mail(C, 5)
    await scene.log_in()
    assert numbers((await scene.take()).claims) == ["m-1", "m-3", "m-5", "m-2", "m-4"]


async def one_mail_does_not_wait_behind_another_accounts_forty(scene: Scene) -> None:
    await scene.route(account(A), account(B), providers=[provider("p", totals=["1/s"])])
    await scene.mail(A, *range(40))
    for _ in range(3):
        assert len(await scene.send_all()) == 1
        await scene.advance(1.000001)
    await scene.mail(B, 99)
    sent = []
    for _ in range(2):
        sent += await scene.send_all()
        await scene.advance(1.000001)
    assert "m-99" in sent


async def a_newcomer_finds_room_though_one_doctor_has_hundreds_queued(scene: Scene) -> None:
    await scene.route(account(A), account(B), providers=[provider("p", totals=["66/m"])])
    await scene.mail(A, *range(80))
    assert len(await scene.send_all()) == 64, "held + 1 <= 32 x free"
    await scene.mail(B, 99)
    assert await scene.send_all() == ["m-99"]


# how much


async def no_more_is_claimed_than_asked_for(scene: Scene) -> None:
    await scene.route(account(A), account(B))
    await scene.mail(A, 1, 2, 3)
    await scene.mail(B, 4, 5, 6)
    await scene.log_in()
    assert (await scene.store.take(NODE, scene.idle(), 0)).claims == ()
    assert len((await scene.take(2)).claims) == 2
    assert len((await scene.take()).claims) == 4


async def nothing_is_claimed_without_an_idle_session(scene: Scene) -> None:
    await scene.route(account(A), account(B))
    await scene.mail(A, 1, 2, 3)
    await scene.mail(B, 4)
    await scene.log_in()
    taken = await scene.store.take(NODE, {box(A): 2, box(B): 0}, 100)
    assert numbers(taken.claims) == ["m-1", "m-2"]


async def one_take_of_many_gives_what_many_takes_of_one_give(scene: Scene) -> None:
    at_once, one_by_one = scene, scene.another()
    for each in (at_once, one_by_one):
        limits = [provider("p", "5/10s", totals=["9/10s"])]
        await each.route(account(A, weight=2), account(B), account(C, "q"), providers=limits)
        for sender, first in ((A, 0), (B, 20), (C, 40)):
            await each.mail(sender, *range(first, first + 7))
        await each.log_in()
    many = (await at_once.take(12)).claims
    ones = [claim for _ in range(12) for claim in (await one_by_one.take(1)).claims]
    assert numbers(many) == numbers(ones)
    assert [claim.delivery for claim in many] == [claim.delivery for claim in ones]


async def claims_and_sessions_to_open_are_together_no_more_than_asked_for(scene: Scene) -> None:
    await scene.route(account(A), account(B))
    await scene.mail(A, *range(4))
    await scene.work(1)
    await scene.mail(B, *range(10, 14))
    taken = await scene.take(2)
    assert len(taken.claims) + sum(taken.open.values()) <= 2


async def a_delivery_is_claimed_once(scene: Scene) -> None:
    await scene.route(account(A))
    await scene.mail(A, 1)
    assert len(await scene.work()) == 1
    assert (await scene.store.take(OTHER, {box(A): 5}, 10)).claims == ()
    assert (await scene.store.take(NODE, {box(A): 5}, 10)).claims == ()


# waking


async def a_mail_that_comes_in_between_is_not_missed(scene: Scene) -> None:
    await scene.route(account(A))
    taken = await scene.take()
    await scene.mail(A, 1)
    await scene.store.wait(taken.mark, None)
    assert len(await scene.work()) == 1


async def whoever_waits_is_woken_by_what_happens(scene: Scene) -> None:
    await scene.route(account(A), providers=[provider("p", connections=1)])
    await _is_woken(scene, lambda: scene.mail(A, 1, 2))
    (claim,) = await scene.work()
    await _is_woken(scene, lambda: scene.send(claim))
    await _is_woken(scene, lambda: scene.close(box(A)))
    await _is_woken(scene, lambda: scene.route(account(A), account(B)))


async def _is_woken(scene: Scene, event: Callable[[], Awaitable[object]]) -> None:
    mark = (await scene.take(0)).mark
    waiting = asyncio.ensure_future(scene.store.wait(mark, None))
    await asyncio.sleep(0)
    await event()
    await waiting


async def nobody_waits_longer_than_until(scene: Scene) -> None:
    await scene.route(account(A))
    mark, until = (await scene.take()).mark, scene.store.now() + 7 * SECOND
    await scene.store.wait(mark, until)
    assert scene.store.now() == until
    await scene.store.wait(mark, until)
    assert scene.store.now() == until, "its time is over already"


async def nobody_is_woken_for_an_empty_queue(scene: Scene) -> None:
    await scene.route(account(A), providers=[provider("p", "1/m")])
    assert (await scene.take()).wake_at is None
    await scene.mail(A, 1)
    await scene.send_all()
    assert (await scene.take()).wake_at is None


async def relay_time_does_not_go_back(scene: Scene) -> None:
    before = scene.store.now()
    scene.harness.step_wall_clock(-3600)
    await scene.restart()
    assert scene.store.now() >= before
    await scene.advance(MINUTE / SECOND)
    assert scene.store.now() >= before + MINUTE


async def a_delivered_message_is_not_sent_again(scene: Scene) -> None:
    await scene.route(account(A))
    await scene.mail(A, 1)
    (claim,) = await scene.work()
    assert await scene.send(claim, DELIVERED)
    assert await scene.work() == []
    await scene.restart()
    assert await scene.work() == []
