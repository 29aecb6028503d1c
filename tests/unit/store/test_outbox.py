from relay.core.words import MailboxId
from relay.store.engine.reports import top_header
from tests.unit.store.workbench import BOUNCED, DELIVERED, REFUSED, ROSSI, Bench, account, message


async def bounced(*to: str, content: bytes = b"Subject: x\r\nFrom: y\r\n\r\nbody\r\n") -> Bench:
    bench = Bench()
    await bench.route(account(ROSSI))
    await bench.store.put(message(1, ROSSI, *(to or ("a@x.test",)), content=content))
    return bench


async def test_an_entry_stays_until_it_is_done_over_a_crash() -> None:
    bench = await bounced()
    (claim,) = await bench.take()
    await bench.send(claim, BOUNCED)
    bench.crash()
    (entry,) = await bench.store.outbox(10)
    assert entry.headers == b"Subject: x\r\nFrom: y\r\n", "the body is still there for it"
    await bench.store.done(entry.id)
    assert await bench.store.outbox(10) == []
    await bench.rest()
    assert bench.segments.numbers() == (), "and then it is gone"


async def test_done_twice_is_done_once() -> None:
    bench = await bounced()
    (claim,) = await bench.take()
    await bench.send(claim, BOUNCED)
    (entry,) = await bench.store.outbox(10)
    await bench.store.done(entry.id)
    await bench.store.done(entry.id)
    assert bench.rows("SELECT live FROM segments") == [(0,)]


async def test_the_oldest_come_first_and_no_more_than_asked_for() -> None:
    bench = await bounced("a@x.test", "b@x.test", "c@x.test")
    for claim in await bench.take():
        await bench.send(claim, BOUNCED)
    entries = await bench.store.outbox(2)
    assert [entry.envelope.recipients[0].address for entry in entries] == ["a@x.test", "b@x.test"]


async def test_a_body_is_kept_for_the_delivery_that_waits_and_for_the_report_that_is_owed() -> None:
    bench = await bounced("a@x.test", "b@x.test")
    first, second = await bench.take()
    await bench.send(first, BOUNCED)
    (entry,) = await bench.store.outbox(10)
    await bench.store.done(entry.id)
    assert await bench.store.content(second) == message(1, content=b"Subject: x\r\nFrom: y\r\n\r\nbody\r\n").content
    await bench.send(second, DELIVERED)
    assert bench.rows("SELECT live FROM segments") == [(0,)]


async def test_a_delivered_recipient_does_not_take_the_body_from_a_report_of_the_other() -> None:
    bench = await bounced("a@x.test", "b@x.test")
    first, second = await bench.take()
    await bench.send(first, BOUNCED)
    await bench.send(second, DELIVERED)
    bench.crash()
    (entry,) = await bench.store.outbox(10)
    assert entry.headers == b"Subject: x\r\nFrom: y\r\n"


async def test_an_entry_says_whether_the_own_mailbox_could_carry_the_report() -> None:
    bench = await bounced("a@x.test", "b@x.test")
    first, second = await bench.take()
    await bench.send(first, BOUNCED)
    assert [entry.is_mailbox_stopped for entry in await bench.store.outbox(10)] == [False]
    await bench.send(second, REFUSED)
    assert [entry.is_mailbox_stopped for entry in await bench.store.outbox(10)] == [True]
    await bench.route(account("other@x.test"))
    assert [entry.is_mailbox_stopped for entry in await bench.store.outbox(10)] == [True]


def test_the_top_header_ends_before_the_empty_line() -> None:
    assert top_header(b"A: b\r\nC: d\r\n\r\nbody\r\n\r\nmore") == b"A: b\r\nC: d\r\n"
    assert top_header(b"A: b\r\n") == b"A: b\r\n"
    assert top_header(b"\r\nbody") == b""
    assert MailboxId("aruba", ROSSI).provider == "aruba"
