"""What follows from an outcome: written with it, kept until it is done, and never a report on a report."""

from dataclasses import replace

from relay.core.envelope import Kind, NewMessage, Recipient, Result
from relay.core.limits import MINUTE
from relay.store.ports import OutboxKind
from tests.contract.clock import START
from tests.contract.scene import (
    BOUNCED,
    DEFERRED,
    DELIVERED,
    HOST_DOWN,
    HOST_UNTRUSTED,
    IN_DOUBT,
    LINGER,
    MAIL_REFUSED,
    NODE,
    SECOND,
    A,
    B,
    C,
    Scene,
    account,
    box,
    message,
    provider,
)


async def a_bounce_says_all_that_a_report_needs(scene: Scene) -> None:
    await scene.route(account(A))
    content = b"From: a\r\nSubject: x\r\n\r\nthe body\r\n"
    await scene.store.put(message(1, A, "Paziente@Example.test", content=content))
    await scene.advance(40)
    (claim,) = await scene.work()
    await scene.send(claim, BOUNCED)
    (entry,) = await scene.store.outbox(10)
    assert (entry.kind, entry.message, entry.delivery, entry.account) == (OutboxKind.BOUNCE, "m-1", claim.delivery, A)
    assert entry.envelope == claim.envelope
    assert (entry.reason, entry.reply) == (BOUNCED.reply_class, BOUNCED.reply)
    assert (entry.accepted_at, entry.at) == (START, START + 40 * SECOND)
    assert entry.headers == b"From: a\r\nSubject: x\r\n"
    assert not entry.is_mailbox_stopped


async def only_a_bounce_is_reported(scene: Scene) -> None:
    await scene.route(account(A))
    await scene.mail(A, 1, 2, 3)
    for claim, outcome in zip(await scene.work(), (DELIVERED, DEFERRED, IN_DOUBT), strict=True):
        await scene.send(claim, outcome)
    assert await scene.store.outbox(10) == []


async def a_report_is_never_reported_on(scene: Scene) -> None:
    await scene.route(account(A))
    await scene.store.put(message(1, A, kind=Kind.REPORT))
    await scene.store.put(message(2, A, kind=Kind.REPORT, lifetime=MINUTE))
    first, second = await scene.work()
    await scene.send(first, BOUNCED)
    await scene.send(second, DEFERRED)
    await scene.advance(3600)
    await scene.take()
    assert await scene.store.outbox(10) == []


async def _reported(scene: Scene, through: str, outcome: Result, *, number: object = 1) -> None:
    """The report of the one entry that is open is put, and ends like this."""
    (entry,) = await scene.store.outbox(10)
    report = message(f"report-{number}", through, A, answers=entry.id, kind=Kind.REPORT, client="relay")
    await scene.store.put(report)
    await scene.store.put(report)
    assert await scene.store.outbox(10) == []
    assert await scene.send_all(outcome) == [f"m-report-{number}"]


async def a_bounce_is_told_when_its_report_was_taken_and_not_before(scene: Scene) -> None:
    await scene.route(account(A), account(B))
    await scene.mail(A, 1)
    await scene.send_all(BOUNCED)
    await _reported(scene, A, BOUNCED)
    await scene.restart()
    (again,) = await scene.store.outbox(10)
    assert (again.message, again.refused_by, again.refused_at) == ("m-1", box(A), again.now)
    assert again.envelope.recipients[0].address == "Paziente@Example.test"
    assert again.headers == b"Subject: 1\r\n"
    await _reported(scene, B, DELIVERED, number=2)
    assert await scene.store.outbox(10) == []
    assert await scene.store.lost() == 0


async def a_report_that_does_not_leave_in_its_time_is_not_told_either(scene: Scene) -> None:
    await scene.route(account(A), account(B))
    await scene.mail(A, 1)
    await scene.send_all(BOUNCED)
    (entry,) = await scene.store.outbox(10)
    await scene.store.put(message("late", A, A, answers=entry.id, kind=Kind.REPORT, lifetime=MINUTE))
    (claim,) = await scene.work()
    await scene.send(claim, DEFERRED)
    await scene.advance(3600)
    await scene.take()
    (again,) = await scene.store.outbox(10)
    assert (again.id, again.refused_by) == (entry.id, box(A))


async def a_second_report_that_is_refused_is_the_last_and_is_counted(scene: Scene) -> None:
    await scene.route(account(A), account(B))
    await scene.mail(A, 1)
    await scene.send_all(BOUNCED)
    await _reported(scene, A, BOUNCED)
    await _reported(scene, B, BOUNCED, number=2)
    await scene.restart()
    assert await scene.store.outbox(10) == []
    assert await scene.store.lost() == 1
    await scene.advance(8 * 24 * 3600)
    assert await scene.store.outbox(10) == []


async def what_nobody_can_be_told_of_is_given_up_and_counted(scene: Scene) -> None:
    await scene.route(account(A))
    await scene.mail(A, 1)
    await scene.send_all(BOUNCED)
    (entry,) = await scene.store.outbox(10)
    await scene.store.give_up(entry.id)
    await scene.store.give_up(entry.id)
    assert await scene.store.outbox(10) == []
    assert await scene.store.lost() == 1


async def an_entry_stays_until_it_is_done(scene: Scene) -> None:
    await scene.route(account(A))
    await scene.mail(A, 1)
    await scene.send_all(BOUNCED)
    (before,) = await scene.store.outbox(10)
    await scene.restart()
    (entry,) = await scene.store.outbox(10)
    assert entry == before
    await scene.store.done(entry.id)
    assert await scene.store.outbox(10) == []
    await scene.store.done(entry.id)
    await scene.restart()
    assert await scene.store.outbox(10) == []


async def the_oldest_entries_come_first(scene: Scene) -> None:
    await scene.route(account(A), account(B))
    await scene.mail(A, 1, 2)
    await scene.mail(B, 3)
    claims = {claim.message: claim for claim in await scene.work()}
    for number in ("m-3", "m-1", "m-2"):
        await scene.advance(1)
        await scene.send(claims[number], BOUNCED)
    assert [entry.message for entry in await scene.store.outbox(10)] == ["m-3", "m-1", "m-2"]
    assert [entry.message for entry in await scene.store.outbox(2)] == ["m-3", "m-1"]


async def each_patient_of_a_message_has_an_entry(scene: Scene) -> None:
    await scene.route(account(A))
    await scene.store.put(message(1, A, "one@example.test", "two@example.test"))
    await scene.send_all(BOUNCED)
    first, second = await scene.store.outbox(10)
    await scene.store.done(first.id)
    (left,) = await scene.store.outbox(10)
    assert left == second
    assert left.headers == b"Subject: 1\r\n", "the message stays for the one that is not done"


async def it_says_when_the_report_has_to_go_another_way(scene: Scene) -> None:
    await scene.route(account(A), account(B))
    await scene.mail(A, 1, 2)
    first, second = await scene.work()
    await scene.send(first, BOUNCED)
    await scene.end(second, MAIL_REFUSED)
    (entry,) = await scene.store.outbox(10)
    assert entry.is_mailbox_stopped
    await scene.route(account(B))
    (entry,) = await scene.store.outbox(10)
    assert entry.is_mailbox_stopped


async def a_stopped_provider_carries_no_report(scene: Scene) -> None:
    for failure in (HOST_DOWN, HOST_UNTRUSTED):
        scene = scene.another()
        await scene.route(account(A), account(B), account(C, "q"))
        await scene.mail(A, 1)
        await scene.send_all(BOUNCED)
        assert not scene.store.is_stopped(A)
        await scene.mail(B, 2)
        assert (await scene.store.take(NODE, {}, 100)).open == {box(B): 1}
        await scene.store.refused(box(B), failure)
        (entry,) = await scene.store.outbox(10)
        assert entry.is_mailbox_stopped
        assert entry.headers == b"", "whoever else carries it sees nothing of the mail"
        assert [scene.store.is_stopped(each) for each in (A, B, C)] == [True, True, False]
        assert scene.store.is_stopped("removed@studio.test")


async def what_waits_for_a_way_can_be_passed_over(scene: Scene) -> None:
    await scene.route(account(A))
    await scene.mail(A, 1, 2, 3)
    await scene.send_all(BOUNCED)
    first, *others = await scene.store.outbox(10)
    assert await scene.store.outbox(10, first.id) == others
    assert await scene.store.outbox(1, first.id) == others[:1]
    assert await scene.store.outbox(10, others[-1].id) == []


async def an_entry_says_when_it_was_read(scene: Scene) -> None:
    await scene.route(account(A))
    await scene.mail(A, 1)
    await scene.send_all(BOUNCED)
    await scene.advance(30)
    (entry,) = await scene.store.outbox(10)
    assert entry.now - entry.at == 30 * SECOND


# what was handed over


def asked(number: object, *notify: str) -> NewMessage:
    """A mail whose sender says what he wants to hear."""
    new = message(number, A)
    to = Recipient("paziente@example.test", notify, "rfc822;paziente@example.test")
    return replace(new, envelope=replace(new.envelope, recipients=(to,), envid="QQ314159", ret="FULL"))


async def who_asks_for_success_hears_of_it_unless_the_provider_tells_him(scene: Scene) -> None:
    await scene.route(account(A))
    for number, notify in enumerate([("SUCCESS",), ("SUCCESS", "FAILURE"), (), ("FAILURE", "DELAY"), ("NEVER",)]):
        await scene.store.put(asked(number, *notify))
    await scene.store.put(asked("passed-on", "SUCCESS"))
    await scene.store.put(replace(asked("report", "SUCCESS"), kind=Kind.REPORT))
    for claim in await scene.work():
        await scene.send(claim, replace(DELIVERED, is_dsn_passed_on=claim.message == "m-passed-on"))
    entries = await scene.store.outbox(10)
    assert [(entry.kind, entry.message) for entry in entries] == [
        (OutboxKind.RELAYED, "m-0"),
        (OutboxKind.RELAYED, "m-1"),
    ]
    assert entries[0].envelope.envid == "QQ314159"
    assert entries[0].envelope.recipients[0].orcpt == "rfc822;paziente@example.test"
    assert entries[0].headers == b"Subject: 0\r\n", "never more than the headers, whatever RET says"
    await scene.restart()
    assert await scene.store.outbox(10) == entries
    for entry in entries:
        await scene.store.done(entry.id)
    assert await scene.store.outbox(10) == []


async def a_success_that_is_told_late_is_told_all_the_same(scene: Scene) -> None:
    await scene.route(account(A))
    await scene.store.put(asked(1, "SUCCESS"))
    (claim,) = await scene.work()
    assert await scene.store.gate(claim)
    await scene.restart()
    await scene.advance(LINGER)
    assert await scene.store.settle(claim, DELIVERED)
    assert [entry.kind for entry in await scene.store.outbox(10)] == [OutboxKind.RELAYED]


# what was never sent


async def a_lifetime_that_ends_says_what_held_the_mail_and_since_when(scene: Scene) -> None:
    await scene.route(account(A), account(B), providers=[provider("p", "1/5d")])
    await scene.mail(A, 1)
    await scene.send_all()
    await scene.mail(A, 2)
    await scene.mail(B, 3)
    (claim,) = await scene.work()
    await scene.advance(60)
    await scene.end(claim, MAIL_REFUSED)
    await scene.advance(72 * 3600)
    (entry,) = await scene.store.outbox(10)
    assert (entry.message, entry.reason, entry.since) == ("m-2", "limit", START)
    await scene.route(account(A), providers=[provider("p", "1/5d")])
    await scene.advance(96 * 3600)
    _, entry = await scene.store.outbox(10)
    assert (entry.message, entry.reason) == ("m-3", "no-account")


async def what_was_refused_has_no_since(scene: Scene) -> None:
    await scene.route(account(A))
    await scene.mail(A, 1)
    await scene.send_all(BOUNCED)
    (entry,) = await scene.store.outbox(10)
    assert entry.since is None
