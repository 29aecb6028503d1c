"""What admins read costs the same among many: bounded steps, indexes, and nothing that holds up the mail."""

import asyncio
import sqlite3
from collections.abc import Callable
from dataclasses import replace
from datetime import date
from typing import Any

import pytest

from relay.core.remedy import Needs
from relay.core.reply import Reply
from relay.core.words import Lane
from relay.errors import StoreUnavailable
from relay.store.engine import search as search_module
from relay.store.engine.context import Context
from relay.store.engine.outlooks import LOOK, Outlooks
from relay.store.engine.reader import Reader
from relay.store.engine.search import FEW, SPAN
from relay.store.engine.statements import load_statements
from relay.store.ports.reading import PAGE_MOST, AccountQuery, MessageQuery
from tests.unit.store.workbench import (
    BIANCHI,
    BOUNCED,
    DEFERRED,
    DELIVERED,
    REFUSED,
    ROSSI,
    Bench,
    account,
    message,
    provider,
    result,
)

READING, NOTICES = load_statements("reading"), load_statements("notices")
MANY = 2 * FEW


async def crowd(many: int = MANY) -> Bench:
    """Many accounts with a mail each."""
    bench = Bench()
    await bench.route(*(account(f"d{number:03}@studio.test") for number in range(many)))
    for number in range(many):
        await bench.store.put(message(number, f"d{number:03}@studio.test"))
    return bench


async def pages(bench: Bench, query: MessageQuery) -> list[str]:
    found: list[str] = []
    cursor: str | None = None
    while True:
        page = await bench.store.messages(
            MessageQuery(query.states, query.account, query.message_id, query.limit, cursor)
        )
        found += [each.id for each in page.items]
        cursor = page.next_cursor
        if cursor is None:
            return found


def states(*names: str, limit: int = 7) -> MessageQuery:
    return MessageQuery(states=frozenset(names), limit=limit)


@pytest.mark.parametrize("name", [*READING, *NOTICES])
def test_no_statement_looks_through_a_whole_table(name: str) -> None:
    plan = plan_of({**READING, **NOTICES}[name])
    assert plan
    for step in plan:
        assert not step.startswith("SCAN ") or step.startswith(("SCAN (", "SCAN notices")) or name == "newest_delivery"
        assert "TEMP B-TREE" not in step


def plan_of(statement: str) -> list[str]:
    """How SQLite goes about it."""
    connection = Bench().connection
    for many in range(9):
        try:
            rows = connection.execute(f"EXPLAIN QUERY PLAN {statement}", (1,) * many).fetchall()
        except sqlite3.ProgrammingError:
            continue
        return [row[-1] for row in rows] or ["it writes"]
    raise AssertionError(statement)


async def test_many_accounts_that_wait_are_found_in_order_without_asking_each() -> None:
    bench = await crowd()
    newest_first = [f"m-{number}" for number in reversed(range(MANY))]
    assert await pages(bench, states("waiting")) == newest_first
    claims = {claim.message: claim for claim in await bench.take(3 * MANY)}
    for number in range(0, MANY, 2):
        await bench.send(claims[f"m-{number}"], DELIVERED)
    await bench.send(claims["m-1"], BOUNCED)
    await bench.send(claims["m-3"], REFUSED)
    for number in range(5, MANY, 2):
        await bench.store.settle(claims[f"m-{number}"], result(DEFERRED.verdict, "greylisted"))
    assert await pages(bench, states("delivered")) == newest_first[1::2]
    assert await pages(bench, states("bounced")) == ["m-1"]
    assert await pages(bench, states("held")) == ["m-3"]
    assert await pages(bench, states("waiting")) == newest_first[:-4:2]
    assert await pages(bench, states("waiting", "held", "bounced", "delivered")) == newest_first


async def test_the_few_that_are_held_are_found_behind_any_number_that_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    bench = await crowd()
    claims = {claim.message: claim for claim in await bench.take(3 * MANY)}
    for number, claim in enumerate(claims.values()):
        await bench.send(claim, REFUSED if number == 0 else result(DEFERRED.verdict, "greylisted"))
    looked: list[int] = []
    whole = search_module.Search._span

    def span(self: Any, oldest: int, is_wanted: Callable[[Any], bool], before: int) -> Any:
        looked.append(before)
        return whole(self, oldest, is_wanted, before)

    monkeypatch.setattr(search_module.Search, "_span", span)
    assert await pages(bench, states("held")) == ["m-0"]
    assert looked == [], "its account alone was looked at"


async def test_history_is_gone_through_in_spans() -> None:
    bench = Bench()
    await bench.route()
    await bench.store.put(message("first"))
    (claim,) = await bench.take()
    await bench.send(claim)
    row = bench.rows("SELECT * FROM deliveries")[0]
    message_row = bench.rows("SELECT * FROM messages")[0]
    for table, like in (("deliveries", row), ("messages", message_row)):
        marks = ", ".join("?" * len(like))
        for number in range(2, 3 * SPAN):
            values = list(like)
            values[0] = number
            values[1] = number if table == "deliveries" else f"m-{number}"
            if table == "deliveries":
                values[4] = 4 if number % 2000 == 0 else 3
            bench.connection.execute(f"INSERT INTO {table} VALUES ({marks})", values)
    bench.open()
    assert await pages(bench, states("delivered")) == ["m-first"]
    assert await pages(bench, states("cancelled")) == ["m-4000", "m-2000"]
    found = await bench.store.messages(MessageQuery(limit=10 * PAGE_MOST))
    assert len(found.items) == PAGE_MOST


async def test_a_place_in_a_long_queue_is_counted_from_either_end_and_estimated_in_the_middle() -> None:
    bench = Bench()
    await bench.route(account(ROSSI), providers=(provider("aruba", "1/1s"),))
    await bench.store.put(message(1, wants_express=True))
    row = bench.rows("SELECT * FROM deliveries")[0]
    many = 3 * LOOK
    for number in range(2, many + 1):
        bench.connection.execute(f"INSERT INTO deliveries VALUES ({', '.join('?' * len(row))})", (number, *row[1:]))
    bench.open()
    await bench.log_in()
    (claim,) = await bench.take(1)
    assert claim.delivery == 1
    outlooks = Outlooks(bench.store._core.context, 4)
    for delivery, place in ((2, 1), (900, 899), (many, many - 1), (many - 900, many - 901)):
        assert outlooks.position(ROSSI, Lane.EXPRESS, delivery) == place
    middle = outlooks.position(ROSSI, Lane.EXPRESS, many // 2)
    assert abs(middle - many // 2) < LOOK // 10


async def test_others_have_their_turn_between_the_steps_of_a_page() -> None:
    bench = await crowd()
    order: list[str] = []

    async def reads() -> None:
        await bench.store.messages(MessageQuery(limit=MANY))
        order.append("page")

    async def puts() -> None:
        await asyncio.sleep(0)
        await bench.store.put(message("meanwhile", "d000@studio.test"))
        order.append("mail")

    await asyncio.gather(reads(), puts())
    assert order == ["mail", "page"]


async def test_what_a_page_was_about_may_be_gone_when_it_is_made() -> None:
    bench = await crowd()
    context = bench.store._core.context

    async def ask(work: Callable[[Context], Any], /) -> Any:
        answer = work(context)
        bench.connection.execute("DELETE FROM messages WHERE id = 'm-0'")
        return answer

    page = await Reader(ask).messages(MessageQuery(limit=2 * MANY))
    assert [each.id for each in page.items][-1] == "m-1"


async def test_a_domain_that_does_not_open_any_more_is_said_to_be_unknown() -> None:
    bench = Bench()
    await bench.route()
    await bench.store.put(message(1))
    bench.connection.execute("UPDATE deliveries SET domain = x'00'")
    view = await bench.store.message("m-1")
    assert view is not None
    assert view.deliveries[0].recipient_domain == "unknown.invalid"


async def test_replies_are_shown_as_they_were_masked() -> None:
    bench = Bench()
    await bench.route()
    await bench.store.put(message(1))
    (claim,) = await bench.take()
    await bench.send(claim, result(DEFERRED.verdict, "greylisted", reply=None))
    await bench.store.put(message(2))
    (claim,) = await bench.take()
    await bench.send(claim, result(BOUNCED.verdict, "unknown", reply=Reply(550, "5.0.0", "<address> no")))
    for name, reply in (("m-1", None), ("m-2", "550 5.0.0 <address> no")):
        view = await bench.store.message(name)
        assert view is not None
        assert [each.reply for each in view.deliveries[0].attempts] == [reply]


async def test_a_store_that_is_closed_answers_nothing() -> None:
    bench = Bench()
    await bench.store.close()
    with pytest.raises(StoreUnavailable):
        await bench.store.accounts(AccountQuery())


async def test_times_are_shown_by_the_clock_on_the_wall() -> None:
    bench = Bench()
    await bench.route(account(ROSSI), account(BIANCHI))
    await bench.store.put(message(1))
    before = await bench.store.message("m-1")
    bench.clock.wall_now += 3_600_000_000
    after = await bench.store.message("m-1")
    assert before is not None
    assert after is not None
    assert after.accepted_at - before.accepted_at == 3_600_000_000
    assert after.deliveries[0].eta == bench.clock.wall_now


async def test_gauges_know_who_sent_something_before_a_restart() -> None:
    bench = Bench()
    await bench.route(account(ROSSI), account(BIANCHI), providers=(provider("aruba", "2/1h"),))
    await bench.store.put(message(1))
    (claim,) = await bench.take()
    await bench.send(claim)
    before = await bench.store.account_gauges(5)
    assert [(each.account, each.used_ratio) for each in before.accounts] == [(ROSSI, 0.5)]
    bench.crash()
    assert await bench.store.account_gauges(5) == before


async def test_a_retired_account_is_for_who_edits_the_routing() -> None:
    bench = Bench()
    await bench.route(account(ROSSI, retires=date(2020, 1, 1)))
    view = await bench.store.account(ROSSI)
    assert view is not None
    assert (view.health, view.reason, view.needs, view.eta) == ("retired", "retired", Needs.ADMIN, None)


async def test_a_queue_behind_a_mailbox_that_is_never_tried_again_has_no_end() -> None:
    bench = Bench()
    await bench.route()
    await bench.store.put(message(1))
    (claim,) = await bench.take()
    await bench.send(claim, REFUSED)
    context = bench.store._core.context
    mailbox = claim.mailbox
    stopped = replace(context.remembrance.health(mailbox), reason="something-new", probe_at=None)
    context.remembrance.set_health(mailbox, stopped)
    context.schedule.set_standing(mailbox, stopped.standing, context.clock.now())
    view = await bench.store.account(ROSSI)
    assert view is not None
    assert (view.reason, view.eta, view.needs) == ("something-new", None, Needs.OPS)
    found = await bench.store.message("m-1")
    assert found is not None
    assert (found.deliveries[0].eta, found.deliveries[0].needs) == (None, Needs.OPS)
