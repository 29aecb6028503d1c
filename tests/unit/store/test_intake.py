import asyncio

import pytest

from relay.core.envelope import Envelope, Kind, Recipient
from relay.core.words import Lane
from relay.errors import StoreFull
from relay.store.ports.events import EventKind
from tests.unit.store.workbench import BIANCHI, MINUTE, ROSSI, Bench, message, replace


async def test_a_message_is_durable_when_put_returns() -> None:
    bench = Bench()
    await bench.route()
    await bench.store.put(message(1))
    bench.crash()
    (claim,) = await bench.take()
    assert claim.message == "m-1"
    assert await bench.store.content(claim) == message(1).content


async def test_the_same_id_again_changes_nothing() -> None:
    bench = Bench()
    await bench.route()
    await bench.store.put(message(1))
    await bench.store.put(message(1, content=b"another"))
    claims = await bench.take()
    assert [claim.message for claim in claims] == ["m-1"]
    assert await bench.store.content(claims[0]) == message(1).content


async def test_a_message_to_two_patients_is_two_deliveries_with_one_body() -> None:
    bench = Bench()
    await bench.route()
    await bench.store.put(message(1, ROSSI, "a@x.test", "b@y.test"))
    claims = await bench.take()
    assert [claim.envelope.recipients[0].address for claim in claims] == ["a@x.test", "b@y.test"]
    assert all(len(claim.envelope.recipients) == 1 for claim in claims)
    assert len(bench.segments.numbers()) == 1
    await bench.send(claims[0])
    assert await bench.store.content(claims[1]) == message(1).content


async def test_everything_of_an_envelope_comes_back_over_a_restart() -> None:
    bench = Bench()
    await bench.route()
    recipient = Recipient("Pàziente+x@Example.TEST", ("FAILURE", "DELAY"), "rfc822;P@Example.TEST")
    envelope = Envelope(ROSSI, (recipient,), "envid", "HDRS", needs_smtputf8=True, is_8bit=True)
    await bench.store.put(replace(message(1), envelope=envelope))
    bench.crash()
    (claim,) = await bench.take()
    assert claim.envelope == envelope


async def test_addresses_in_no_known_encoding_survive() -> None:
    bench = Bench()
    await bench.route()
    strange = b"p\xe0ziente@x.test".decode("utf-8", "surrogateescape")
    await bench.store.put(message(1, ROSSI, strange))
    bench.crash()
    (claim,) = await bench.take()
    assert claim.envelope.recipients[0].address == strange


async def test_the_first_three_of_a_minute_are_express_and_the_rest_is_bulk() -> None:
    bench = Bench()
    await bench.route()
    for number in range(5):
        await bench.store.put(message(number))
    await bench.store.put(message("other", BIANCHI))
    await bench.store.put(message("hasty", wants_express=True))
    lanes = {claim.message: claim.lane for claim in await bench.take()}
    assert [lanes[f"m-{number}"] for number in range(5)] == [Lane.EXPRESS] * 3 + [Lane.BULK] * 2
    assert lanes["m-other"] is Lane.EXPRESS, "another account's messages do not count"
    assert lanes["m-hasty"] is Lane.EXPRESS, "who asks is not asked back"


async def test_a_minute_later_an_account_is_express_again() -> None:
    bench = Bench()
    await bench.route()
    for number in range(5):
        await bench.store.put(message(number))
    bench.clock.advance(MINUTE + 1)
    await bench.store.put(message("late"))
    assert {claim.message: claim.lane for claim in await bench.take()}["m-late"] is Lane.EXPRESS


async def test_a_restart_does_not_make_a_burst_express() -> None:
    bench = Bench()
    await bench.route()
    for number in range(3):
        await bench.store.put(message(number))
    bench.crash()
    await bench.store.put(message(3))
    assert {claim.message: claim.lane for claim in await bench.take()}["m-3"] is Lane.BULK


async def test_neither_patient_nor_content_is_readable_in_the_files() -> None:
    bench = Bench()
    await bench.route()
    await bench.store.put(message(1, ROSSI, "paziente.segreto@x.test", content=b"Subject: diagnosi\r\n\r\ncorpo\r\n"))
    stored = bench.connection.serialize() + b"".join(map(bytes, bench.segments._durable.values()))
    for secret in (b"paziente.segreto", b"diagnosi", b"corpo"):
        assert secret not in stored


async def test_an_account_that_is_not_routed_any_more_is_still_accepted_for() -> None:
    bench = Bench()
    await bench.route()
    await bench.store.put(message(1, "gone@studio.test"))
    assert await bench.take() == ()
    (count,) = await bench.store.queue_counts()
    assert (count.provider, count.held, count.waiting) == ("none", 1, 0)


async def test_a_full_disk_accepts_nothing_and_keeps_what_it_has() -> None:
    bench = Bench()
    await bench.route()
    await bench.store.put(message(1))
    bench.disk.refuse.append(StoreFull())
    with pytest.raises(StoreFull):
        await bench.store.put(message(2))
    await bench.store.put(message(3))
    assert [claim.message for claim in await bench.take()] == ["m-1", "m-3"]


async def test_there_is_no_space_below_the_bound() -> None:
    bench = Bench()
    assert bench.store.has_space()
    bench.free = bench.settings.least_free_bytes - 1
    assert not bench.store.has_space()


async def test_what_arrives_during_a_commit_goes_into_the_next_one_together() -> None:
    bench = Bench()
    await bench.route()
    bench.disk.hold = asyncio.Event()
    before = bench.disk.commits
    puts = [asyncio.create_task(bench.store.put(message(0)))]
    for _ in range(3):
        await asyncio.sleep(0)
    puts += [asyncio.create_task(bench.store.put(message(number))) for number in range(1, 20)]
    await asyncio.sleep(0)
    bench.disk.hold.set()
    await asyncio.gather(*puts)
    assert bench.disk.commits - before == 2


async def test_who_gives_up_waiting_may_still_find_the_message_accepted_but_never_half() -> None:
    bench = Bench()
    await bench.route()
    bench.disk.hold = asyncio.Event()
    put = asyncio.create_task(bench.store.put(message(1, ROSSI, "a@x.test", "b@x.test")))
    for _ in range(4):
        await asyncio.sleep(0)
    put.cancel()
    bench.disk.hold.set()
    await bench.store.put(message(2))
    assert [claim.message for claim in await bench.take()] in (["m-1", "m-1", "m-2"], ["m-2"])


async def test_a_message_is_told_of_once_it_is_durable() -> None:
    bench = Bench()
    await bench.route()
    bench.events.clear()
    bench.disk.refuse.append(StoreFull())
    with pytest.raises(StoreFull):
        await bench.store.put(message(1))
    assert bench.events == []
    await bench.store.put(message(2))
    (event,) = bench.events
    assert (event.kind, event.message, event.account, event.lane) == (EventKind.ACCEPTED, "m-2", ROSSI, Lane.EXPRESS)


async def test_reports_are_kept_as_reports() -> None:
    bench = Bench()
    await bench.route()
    await bench.store.put(message(1, kind=Kind.REPORT))
    bench.crash()
    assert [claim.message for claim in await bench.take()] == ["m-1"]
