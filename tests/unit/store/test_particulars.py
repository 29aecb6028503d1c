"""What the store tells of an account beyond its health: who owns it, what it sends, what was said to it."""

from datetime import date

import pytest

from relay.core.envelope import Kind
from relay.core.routing import Owner
from relay.store.engine import sent
from relay.store.engine.context import Context
from relay.store.ports.reading import AccountQuery, PausedView, SentView
from tests.unit.store.workbench import BIANCHI, DEFERRED, ROSSI, START, Bench, account, message

DAY = 24 * 3600 * 1_000_000
OWNER = Owner("Dr. M. Rossi", "rossi@other.example", "0974 1")


@pytest.fixture
def bench():
    return Bench()


async def routed(bench):
    rossi = account(
        ROSSI, owner=OWNER, aliases=("segreteria@studio.test",), replaces={"rossi@old.test": date(2027, 1, 1)},
        retires=date(2027, 10, 31), paid_until=date(2026, 12, 31),
    )  # fmt: skip
    await bench.route(rossi, account(BIANCHI))


@pytest.mark.parametrize("address", [ROSSI, ROSSI.upper(), "Segreteria@Studio.test", "ROSSI@old.test"])
async def test_an_account_is_found_by_any_address_that_it_sends_as_in_any_case(bench, address):
    await routed(bench)
    view = await bench.store.account(address)
    assert view is not None
    assert view.sender == ROSSI
    known = view.particulars
    assert (known.owner, known.aliases) == (OWNER, ("segreteria@studio.test",))
    assert (known.retires, known.paid_until) == (date(2027, 10, 31), date(2026, 12, 31))
    assert known.replaces == {"rossi@old.test": date(2027, 1, 1)}


async def test_a_letter_that_only_looks_like_one_finds_nobody(bench):
    await bench.route(account("kiko@studio.test"))
    assert await bench.store.account("\u212aiko@studio.test") is None


async def test_who_paused_it_is_told_with_his_words(bench):
    await routed(bench)
    await bench.store.books.control.pause(ROSSI, why="il dottore cambia casella")
    view = await bench.store.account(ROSSI)
    assert view.particulars.paused == PausedView(START, "il dottore cambia casella")
    assert (await bench.store.account(BIANCHI)).particulars.paused is None


async def test_what_an_account_hands_in_is_counted_by_week_and_month_without_reports(bench):
    await routed(bench)
    for number, days in enumerate((40, 25, 10, 3, 0)):
        bench.clock.advance(-bench.clock.boottime_now + 5_000_000 + (60 - days) * DAY)
        bench.clock.wall_now = START + (60 - days) * DAY
        await bench.store.put(message(f"{number}a"))
        await bench.store.put(message(f"{number}r", kind=Kind.REPORT))
    view = await bench.store.account(ROSSI)
    assert view.particulars.sent == SentView(START + 60 * DAY, week=2, month=4)
    assert (await bench.store.account(BIANCHI)).particulars.sent == SentView(None, 0, 0)


async def test_a_list_tells_it_only_where_it_is_asked(bench):
    await routed(bench)
    await bench.store.put(message(1))
    plain = (await bench.store.accounts(AccountQuery())).items
    assert [each.particulars.sent for each in plain] == [None, None]
    assert [each.particulars.owner for each in plain] == [Owner(), OWNER]
    asked = (await bench.store.accounts(AccountQuery(with_sent=True))).items
    assert [each.particulars.sent.month for each in asked] == [0, 1]


async def test_an_account_that_sends_much_is_counted_in_small_steps(bench, monkeypatch):
    monkeypatch.setattr(sent, "ROWS", 3)
    await routed(bench)
    for number in range(10):
        await bench.store.put(message(number))
        await bench.store.put(message(f"r{number}", kind=Kind.REPORT))
    for number in range(7):
        await bench.store.put(message(f"late{number}", kind=Kind.REPORT))
    steps: list[int] = []
    original = sent.Sent.go_on

    def counted(self: sent.Sent, context: Context) -> bool:
        steps.append(1)
        return original(self, context)

    monkeypatch.setattr(sent.Sent, "go_on", counted)
    assert (await bench.store.account(ROSSI)).particulars.sent == SentView(START, 10, 10)
    assert len(steps) > 9, "27 messages, three in a step"


async def test_the_last_answer_of_the_provider_is_told(bench):
    await routed(bench)
    assert (await bench.store.account(ROSSI)).particulars.last_reply is None
    await bench.store.put(message(1))
    await bench.log_in()
    (claim,) = await bench.take()
    await bench.send(claim, DEFERRED)
    said = (await bench.store.account(ROSSI)).particulars.last_reply
    assert (said.stage, said.reply_class, said.reply) == ("rcpt", "greylisted", "450 later")
    assert said.at == START
