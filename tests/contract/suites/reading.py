"""What admins read: every delivery that does not move says why, since when, until when, and who has to act."""

from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any, TypeVar

from relay.core.limits import DAY, Limit, parse_limit
from relay.core.remedy import Needs
from relay.core.words import Lane, Plan
from relay.store.ports.history import AccountGauge, LimitWait
from relay.store.ports.reading import AccountQuery, DeliveryView, MessageQuery, WrongCursor
from tests.contract.clock import START
from tests.contract.scene import (
    AUTH_REFUSED,
    BANNER_CROWDED,
    BOUNCED,
    DEFERRED,
    DELIVERED,
    DROPPED,
    HOST_DOWN,
    HOUR,
    IN_DOUBT,
    LINGER,
    MAIL_REFUSED,
    MINUTE,
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

Q = TypeVar("Q")


async def _ids(scene: Scene, **asked: Any) -> list[str]:
    """The messages of all pages of a query."""
    found: list[str] = []
    query = MessageQuery(**asked)
    while True:
        page = await scene.store.messages(query)
        assert len(page.items) <= query.limit
        found += [each.id for each in page.items]
        if page.next_cursor is None:
            return found
        query = replace(query, cursor=page.next_cursor)


async def _senders(scene: Scene, **asked: Any) -> list[str]:
    """The accounts of all pages of a query."""
    found: list[str] = []
    query = AccountQuery(**asked)
    while True:
        page = await scene.store.accounts(query)
        found += [each.sender for each in page.items]
        if page.next_cursor is None:
            return found
        query = replace(query, cursor=page.next_cursor)


async def _delivery(scene: Scene, number: object) -> DeliveryView:
    """The one delivery of a message; what waits or is held keeps promise 5."""
    view = await scene.store.message(f"m-{number}")
    assert view is not None
    (found,) = view.deliveries
    if found.state in ("waiting", "held"):
        assert found.reason is not None
        assert found.eta is not None or found.needs is not None
    return found


# messages


async def messages_come_newest_first_page_by_page(scene: Scene) -> None:
    await scene.route(account(A), account(B))
    await scene.mail(A, *range(5))
    await scene.mail(B, 5, 6)
    assert await _ids(scene) == [f"m-{number}" for number in (6, 5, 4, 3, 2, 1, 0)]
    assert await _ids(scene, limit=2) == await _ids(scene)
    assert await _ids(scene, account=A, limit=2) == ["m-4", "m-3", "m-2", "m-1", "m-0"]
    assert await _ids(scene, account="nobody@studio.test") == []
    assert await _ids(scene, message_id="<5@studio.test>") == ["m-5"]
    assert await _ids(scene, message_id="<5@studio.test>", account=A) == []
    assert await _ids(scene, message_id="<nobody@studio.test>") == []


async def a_page_goes_on_where_it_ended_though_mail_comes_in(scene: Scene) -> None:
    await scene.route(account(A))
    await scene.mail(A, 1, 2, 3)
    page = await scene.store.messages(MessageQuery(limit=2))
    await scene.mail(A, 4)
    assert [each.id for each in page.items] == ["m-3", "m-2"]
    rest = await scene.store.messages(MessageQuery(limit=2, cursor=page.next_cursor))
    assert [each.id for each in rest.items] == ["m-1"]
    assert rest.next_cursor is None


async def a_cursor_of_somebody_else_is_refused(scene: Scene) -> None:
    for cursor in ("", "x", "m", "m-1", "a", "z00", "m" + "f" * 40):
        assert await _is_refused(scene.store.messages, MessageQuery(cursor=cursor))
        assert await _is_refused(scene.store.accounts, AccountQuery(cursor=cursor))


async def _is_refused(ask: Callable[[Q], Awaitable[object]], query: Q) -> bool:
    try:
        await ask(query)
    except WrongCursor:
        return True
    return False


async def messages_are_found_by_the_state_of_a_delivery(scene: Scene) -> None:
    await scene.route(
        account(A), account(B), account(C), providers=[provider("p", connections=2)], credentials={C: None}
    )
    await scene.mail(A, 1, 2, 3, 4)
    await scene.mail(B, 5, 6)
    await scene.mail(C, 7)
    claims = {claim.message: claim for claim in await scene.work()}
    await scene.send(claims["m-1"])
    await scene.send(claims["m-2"], BOUNCED)
    await scene.end(claims["m-5"], MAIL_REFUSED)
    claims |= {claim.message: claim for claim in await scene.work(1)}
    assert await _ids(scene, states=frozenset({"delivered"})) == ["m-1"]
    assert await _ids(scene, states=frozenset({"bounced"})) == ["m-2"]
    assert await _ids(scene, states=frozenset({"sending"})) == ["m-6", "m-3"]
    assert await _ids(scene, states=frozenset({"waiting"})) == ["m-4"]
    assert await _ids(scene, states=frozenset({"held"}), limit=1) == ["m-7", "m-5"]
    assert await _ids(scene, states=frozenset({"held", "bounced", "waiting"}), limit=2) == ["m-7", "m-5", "m-4", "m-2"]
    assert await _ids(scene, states=frozenset({"waiting"}), account=A) == ["m-4"]
    assert await _ids(scene, states=frozenset({"delivered", "bounced"}), account=A, limit=1) == ["m-2", "m-1"]
    assert await _ids(scene, states=frozenset({"cancelled"})) == []
    assert await _ids(scene, states=frozenset({"waiting"}), account=B) == []


async def a_message_says_what_became_of_each_recipient(scene: Scene) -> None:
    await scene.route(account(A))
    await scene.store.put(message(1, A, "Anna@Example.test", "Anna@example.TEST", "bruno@other.test"))
    await scene.advance(10)
    first, second, third = await scene.work()
    await scene.send(first)
    await scene.send(second, BOUNCED)
    view = await scene.store.message("m-1")
    assert view is not None
    assert (view.id, view.account, view.client, view.accepted_at) == ("m-1", A, "studio", START)
    assert (view.state, view.size) == ("sending", len(message(1, A).content))
    assert [each.state for each in view.deliveries] == ["delivered", "bounced", "sending"]
    assert [each.recipient_domain for each in view.deliveries] == ["example.test", "example.test", "other.test"]
    assert view.deliveries[0].recipient_hash == view.deliveries[1].recipient_hash != view.deliveries[2].recipient_hash
    assert "anna" not in repr(view).lower()
    assert (view.deliveries[0].reason, view.deliveries[1].reason) == (None, "recipient-unknown")
    (sent,) = view.deliveries[1].attempts
    assert (sent.started_at, sent.ended_at) == (START + 10 * SECOND, START + 10 * SECOND)
    assert (sent.stage, sent.reply_class, sent.reply) == ("rcpt", "recipient-unknown", "550 5.1.1 nobody")
    (under_way,) = view.deliveries[2].attempts
    assert (under_way.started_at, under_way.ended_at) == (START + 10 * SECOND, None)
    assert (view.deliveries[2].reason, view.deliveries[2].eta, view.deliveries[2].needs) == (None, None, None)
    await scene.send(third)
    listed = (await scene.store.messages(MessageQuery())).items[0]
    assert listed.state == "bounced"
    assert all(each.attempts == () for each in listed.deliveries)
    assert await scene.store.message("m-2") is None


# why


async def a_deferral_says_its_class_and_the_next_try(scene: Scene) -> None:
    await scene.route(account(A))
    await scene.mail(A, 1)
    (claim,) = await scene.work()
    await scene.advance(7)
    await scene.send(claim, DEFERRED)
    found = await _delivery(scene, 1)
    assert (found.state, found.lane, found.reason, found.needs) == ("waiting", Lane.EXPRESS, "greylisted", None)
    assert (found.since, found.eta) == (START + 7 * SECOND, START + 7 * SECOND + 5 * MINUTE)
    await scene.advance(5 * 60)
    found = await _delivery(scene, 1)
    assert found.reason == "queue"


async def a_closed_limit_says_when_it_opens_for_each(scene: Scene) -> None:
    await scene.route(account(A), providers=[provider("p", "2/1m")])
    await scene.mail(A, *range(6))
    assert await scene.send_all() == ["m-0", "m-1"]
    await scene.advance(20)
    foreseen = {}
    for number in range(2, 6):
        found = await _delivery(scene, number)
        assert (found.reason, found.since, found.needs) == ("limit", START, None)
        foreseen[f"m-{number}"] = found.eta
    left: dict[str, int] = {}
    while len(left) < 4:
        taken = await scene.take()
        for claim in taken.claims:
            left[claim.message] = scene.store.now()
            await scene.send(claim)
        if not taken.claims:
            assert taken.wake_at is not None
            await scene.advance_to(taken.wake_at)
    for name, at in left.items():
        assert abs((foreseen[name] or 0) - at) <= SECOND, "exact, if nothing new happens"


async def a_closed_total_is_a_limit_too(scene: Scene) -> None:
    await scene.route(account(A), account(B), providers=[provider("p", totals=["2/1m"])])
    await scene.mail(A, 1, 2)
    await scene.send_all()
    await scene.mail(B, 3)
    await scene.log_in()
    found = await _delivery(scene, 3)
    assert found.reason == "limit"
    assert abs((found.eta or 0) - (START + MINUTE)) <= SECOND


async def who_is_next_waits_for_a_turn(scene: Scene) -> None:
    await scene.route(account(A), providers=[provider("p", connections=1)])
    await scene.mail(A, 1, 2)
    found = await _delivery(scene, 1)
    assert (found.reason, found.since, found.eta) == ("queue", START, START)
    await scene.work()
    found = await _delivery(scene, 2)
    assert found.reason == "queue"
    assert 0 <= (found.eta or 0) - START <= SECOND


async def a_spent_login_budget_is_named(scene: Scene) -> None:
    await scene.route(account(A), providers=[provider("p", login_limit=parse_limit("1/10m"))])
    await scene.mail(A, 1)
    await scene.send_all()
    await scene.close(box(A))
    await scene.mail(A, 2)
    found = await _delivery(scene, 2)
    assert (found.reason, found.needs) == ("login", None)
    assert abs((found.eta or 0) - (START + 10 * MINUTE)) <= SECOND
    view = await scene.store.account(A)
    assert view is not None
    assert (view.health, view.reason) == ("ok", "login")


async def a_stopped_mailbox_names_its_reason_and_who_mends_it(scene: Scene) -> None:
    await scene.route(account(A))
    await scene.advance(30)
    await scene.mail(A, 1)
    await scene.store.take(NODE, {}, 10)
    await scene.advance(5)
    await scene.store.refused(box(A), AUTH_REFUSED)
    found = await _delivery(scene, 1)
    assert (found.state, found.reason, found.needs) == ("held", "auth-rejected", Needs.OWNER)
    assert (found.since, found.eta) == (START + 35 * SECOND, START + 35 * SECOND + HOUR)
    await scene.advance(100)
    await scene.mail(A, 2)
    assert (await _delivery(scene, 2)).since == START + 135 * SECOND, "it was not there before"
    view = await scene.store.account(A)
    assert view is not None
    assert (view.health, view.reason, view.since) == ("paused", "auth-rejected", START + 35 * SECOND)
    assert (view.eta, view.needs, view.queued) == (found.eta, Needs.OWNER, 2), "as its deliveries say"


async def what_somebody_has_to_mend_comes_before_a_deferral(scene: Scene) -> None:
    await scene.route(account(A))
    await scene.mail(A, 1, 2)
    first, second = await scene.work()
    await scene.send(first, DEFERRED)
    await scene.end(second, MAIL_REFUSED)
    found = await _delivery(scene, 1)
    assert (found.state, found.reason, found.needs) == ("held", "sender-refused", Needs.OWNER)


async def nobody_is_told_of_a_time_after_the_end_of_the_lifetime(scene: Scene) -> None:
    await scene.route(account(A, lifetime=3 * DAY), providers=[provider("p", "2/d")])
    await scene.mail(A, *range(10))
    await scene.send_all()
    found = [await _delivery(scene, number) for number in range(2, 10)]
    assert all(each.state == "waiting" and each.reason == "limit" for each in found)
    in_time = [each for each in found if each.eta is not None]
    assert 0 < len(in_time) < len(found)
    assert all(each.eta < START + 3 * DAY and each.needs is None for each in in_time if each.eta is not None)
    late = [each for each in found if each.eta is None]
    assert all(each.needs is Needs.ADMIN for each in late), "somebody has to raise the limit"
    assert all(each.bounces_at == START + 3 * DAY for each in late)
    assert all(each.bounces_at is None for each in in_time)
    view = await scene.store.account(A)
    assert view is not None
    assert (view.reason, view.eta, view.needs) == ("limit", None, Needs.ADMIN)


async def what_bounced_at_its_own_deadline_says_when_that_was(scene: Scene) -> None:
    await scene.route(account(A, lifetime=20 * MINUTE))
    for number, is_dated in ((1, True), (2, False)):
        await scene.mail(A, number, lifetime=10 * MINUTE if is_dated else None, is_dated=is_dated)
    await scene.advance(20 * 60 + 1)
    await scene.take()
    found = [await _delivery(scene, number) for number in (1, 2)]
    assert {each.state for each in found} == {"bounced"}
    assert [each.bounces_at for each in found] == [START + 10 * MINUTE, None]


async def a_retry_that_comes_too_late_is_no_promise(scene: Scene) -> None:
    await scene.route(account(A, lifetime=20 * MINUTE))
    await scene.mail(A, 1)
    (claim,) = await scene.work()
    await scene.end(claim, replace(DEFERRED, retry_after=HOUR))
    found = await _delivery(scene, 1)
    assert (found.state, found.eta, found.needs) == ("waiting", None, Needs.ADMIN)


async def a_time_that_is_told_is_one_at_which_a_login_is_left(scene: Scene) -> None:
    scene = scene.under(health=replace(scene.settings.health, refused_logins=Limit(1, HOUR), login=(MINUTE,)))
    await scene.route(account(A))
    await scene.mail(A, 1)
    assert (await scene.take()).open
    await scene.store.refused(box(A), AUTH_REFUSED)
    found, view = await _delivery(scene, 1), await scene.store.account(A)
    assert view is not None
    assert (found.reason, found.eta) == ("auth-rejected", START + HOUR + 1), "its probe would be due in a minute"
    assert (view.needs, view.eta) == (found.needs, found.eta)
    await scene.advance(3600)
    assert not (await scene.take()).open
    await scene.advance(0.000001)
    assert (await scene.take()).open, "and then it is tried"


async def a_probe_waits_for_room_and_without_a_session_for_a_login(scene: Scene) -> None:
    await scene.route(account(A), providers=[provider("p", "1/30h", login_limit=parse_limit("1/40h"))])
    await scene.mail(A, 1)
    (claim,) = await scene.work()
    await scene.send(claim, MAIL_REFUSED)
    await scene.advance(60)
    room = START + 30 * HOUR + 1
    assert (await _delivery(scene, 1)).eta == room, "it has a session; its limit has room in 30 hours"
    await scene.close(box(A))
    assert (await _delivery(scene, 1)).eta == START + 40 * HOUR + 1, "it has none, and its next login is later still"


async def who_gets_no_session_at_all_says_so_and_after_an_hour_names_somebody(scene: Scene) -> None:
    await scene.route(account(A))
    await scene.mail(A, 1)
    began = scene.store.now()
    while scene.store.now() < began + HOUR:
        assert (await scene.store.take(NODE, {}, 10)).open == {box(A): 1}
        await scene.store.refused(box(A), BANNER_CROWDED)
        found, view = await _delivery(scene, 1), await scene.store.account(A)
        assert (found.reason, found.since, found.needs) == ("too-many-connections", START, None)
        assert found.eta == scene.store.now() - began + START + 45 * SECOND, "the next try"
        assert view is not None
        assert (view.health, view.reason, view.since, view.needs) == ("waiting", found.reason, START, None)
        await scene.advance(45)
    lasting, view = await _delivery(scene, 1), await scene.store.account(A)
    assert view is not None
    assert (lasting.reason, lasting.since, lasting.needs) == ("too-many-connections", START, Needs.OPS)
    assert (view.needs, view.eta) == (Needs.OPS, lasting.eta)
    await scene.log_in()
    view = await scene.store.account(A)
    assert view is not None
    assert (view.health, view.reason, view.needs) == ("ok", None, None), "one session is enough"


async def too_many_of_this_address_is_the_providers(scene: Scene) -> None:
    await scene.route(account(A))
    await scene.mail(A, 1)
    assert (await scene.store.take(NODE, {}, 10)).open == {box(A): 1}
    await scene.store.refused(box(A), replace(BANNER_CROWDED, is_provider=True))
    found, view, (host, _) = await _delivery(scene, 1), await scene.store.account(A), await scene.store.providers()
    assert view is not None
    assert (found.state, found.reason, found.eta) == ("waiting", "too-many-connections", START + 45 * SECOND)
    assert (view.health, view.reason) == ("ok", "too-many-connections")
    assert (host.health, host.reason, host.eta) == ("waiting", "too-many-connections", START + 45 * SECOND)
    await scene.advance(45)
    await scene.log_in()
    assert [each.health for each in await scene.store.providers()] == ["ok", "ok"]


async def what_was_never_begun_is_no_attempt(scene: Scene) -> None:
    await scene.route(account(A))
    await scene.mail(A, 1)
    (claim,) = await scene.work()
    await scene.end(claim, DROPPED)
    view = await scene.store.message("m-1")
    assert view is not None
    assert view.deliveries[0].attempts == ()
    assert view.state == "waiting"


async def a_host_that_is_down_names_the_next_probe(scene: Scene) -> None:
    await scene.route(account(A), account(B, "q"), account(C))
    await scene.mail(A, 1)
    await scene.mail(B, 2)
    await scene.store.take(NODE, {}, 10)
    await scene.store.refused(box(A), HOST_DOWN)
    found = await _delivery(scene, 1)
    assert (found.state, found.reason, found.since, found.needs) == ("waiting", "network", START, None)
    assert found.eta == START + 10 * SECOND
    assert (await _delivery(scene, 2)).reason == "queue", "the other provider is well"
    first, other = await scene.store.providers()
    assert (first.provider, first.health, first.reason, first.since) == ("p", "waiting", "network", START)
    assert (first.eta, first.needs, first.sessions) == (START + 10 * SECOND, None, 0)
    assert (first.accounts, other.accounts) == (2, 1), "whose mail waits there"
    assert (other.provider, other.health, other.reason, other.eta) == ("q", "ok", None, None)


async def mail_that_goes_nowhere_is_for_who_edits_the_routing(scene: Scene) -> None:
    await scene.route(account(A), account(B), credentials={B: None})
    await scene.mail(A, 1)
    await scene.mail(B, 2)
    await scene.route(account(B), credentials={B: None})
    for number, reason in ((1, "no-account"), (2, "no-credentials")):
        found = await _delivery(scene, number)
        assert (found.state, found.reason, found.since) == ("held", reason, START)
        assert (found.eta, found.needs) == (None, Needs.ADMIN)
    gone, other = (await scene.store.accounts(AccountQuery())).items
    assert (gone.sender, gone.plan, gone.mailbox, gone.queued) == (A, None, None, 1)
    assert (gone.health, gone.reason, gone.needs, gone.eta) == ("paused", "no-account", Needs.ADMIN, None)
    assert (other.sender, other.plan, other.reason, other.needs) == (B, Plan.BUSINESS, "no-credentials", Needs.ADMIN)


async def what_is_held_by_itself_is_for_an_admin(scene: Scene) -> None:
    await scene.route(account(A))
    await scene.mail(A, 1)
    for _ in range(2):
        (claim,) = await scene.work()
        await scene.send(claim, IN_DOUBT)
        await scene.advance(15 * 60)
    found = await _delivery(scene, 1)
    assert (found.state, found.reason, found.needs, found.eta) == ("held", "in-doubt", Needs.ADMIN, None)
    assert await _ids(scene, states=frozenset({"held"})) == ["m-1"]
    view = await scene.store.account(A)
    assert view is not None
    assert (view.reason, view.needs, view.eta) == ("in-doubt", Needs.ADMIN, None), "its mailbox, stopped too, heals"
    await scene.mail(A, 2)
    await scene.send_all()
    view = await scene.store.account(A)
    assert view is not None
    assert (view.reason, view.needs, view.eta, view.queued) == ("in-doubt", Needs.ADMIN, None, 1)


async def every_delivery_keeps_promise_five(scene: Scene) -> None:
    await scene.route(account(A), account(B), account(C), providers=[provider("p", "3/1m")], credentials={C: None})
    outcomes = [DELIVERED, DEFERRED, IN_DOUBT, MAIL_REFUSED, BOUNCED, DEFERRED]
    number = 0
    for outcome in outcomes:
        for sender in (A, B, C):
            number += 1
            await scene.mail(sender, number)
        for claim in await scene.work():
            await scene.send(claim, outcome)
        for each in range(1, number + 1):
            await _delivery(scene, each)
        await scene.advance(LINGER / 2)
        for each in range(1, number + 1):
            await _delivery(scene, each)


# accounts


async def accounts_come_by_sender_page_by_page(scene: Scene) -> None:
    everybody = [f"{name}@studio.test" for name in "ebadc"]
    await scene.route(*map(account, everybody[:4]), replace(account(everybody[4]), plan=Plan.PERSONAL))
    assert await _senders(scene, limit=2) == sorted(everybody)
    assert await _senders(scene, plan=Plan.PERSONAL) == [everybody[4]]
    await scene.mail("d@studio.test", 1)
    await scene.mail("b@studio.test", 2)
    assert await _senders(scene, has_queued=True, limit=1) == ["b@studio.test", "d@studio.test"]
    claims = {claim.message: claim for claim in await scene.work()}
    await scene.end(claims["m-1"], MAIL_REFUSED)
    assert await _senders(scene, health="paused") == ["d@studio.test"]
    assert await _senders(scene, health="ok", has_queued=True) == ["b@studio.test"]
    assert await scene.store.account("z@studio.test") is None


async def an_account_says_what_is_used_of_its_limits_and_when_its_queue_is_empty(scene: Scene) -> None:
    await scene.route(account(A, limits=(parse_limit("100/d"),)), providers=[provider("p", "2/1m", totals=["50/1h"])])
    await scene.mail(A, *range(4))
    await scene.send_all()
    view = await scene.store.account(A)
    assert view is not None
    assert [(each.limit, each.used, each.most) for each in view.limits] == [("2/m", 2, 2), ("100/d", 2, 100)]
    assert (view.health, view.reason, view.queued, view.mailbox) == ("ok", "limit", 2, box(A))
    assert abs((view.eta or 0) - (START + MINUTE)) <= SECOND
    (totals,) = (await scene.store.providers())[0].limits
    assert (totals.limit, totals.used, totals.most) == ("50/h", 2, 50)
    await scene.advance(60.000001)
    await scene.send_all()
    view = await scene.store.account(A)
    assert view is not None
    assert (view.reason, view.eta, view.queued) == (None, None, 0)


# figures


async def the_wait_for_limits_is_told_by_provider(scene: Scene) -> None:
    await scene.route(account(A), account(B, "q"), account(C), providers=[provider("p", "2/1m")])
    assert await scene.store.limit_waits() == []
    await scene.mail(A, 1, 2, 3)
    await scene.mail(B, 4)
    assert await scene.store.limit_waits() == [LimitWait("p", 0.0), LimitWait("q", 0.0)]
    await scene.send_all()
    await scene.advance(20)
    assert await scene.store.limit_waits() == [LimitWait("p", 40.000001)]
    await scene.mail(C, 5)
    assert await scene.store.limit_waits() == [LimitWait("p", 0.0)]


async def accounts_that_matter_are_told_by_name(scene: Scene) -> None:
    await scene.route(account(A), account(B), account(C), account("d@studio.test"), providers=[provider("p", "4/d")])
    await scene.mail(A, 1)
    await scene.mail(B, 2)
    await scene.mail(C, 3)
    claims = {claim.message: claim for claim in await scene.work()}
    await scene.send(claims["m-2"])
    await scene.end(claims["m-3"], MAIL_REFUSED)
    await scene.end(claims["m-1"])
    await scene.mail(A, 4)
    gauges = await scene.store.account_gauges(10)
    assert [(each.account, each.health, each.used_ratio) for each in gauges.accounts] == [
        (C, "paused", 0.25),
        (A, "ok", 0.25),
        (B, "ok", 0.25),
    ]
    assert gauges.accounts[0].drain_seconds is None
    assert 0.0 <= (gauges.accounts[1].drain_seconds or 0.0) <= 1.0
    assert gauges.accounts[2] == AccountGauge(B, "ok", 0.25, 0.0)
    assert gauges.dropped == 0
    few = await scene.store.account_gauges(1)
    assert ([each.account for each in few.accounts], few.dropped) == ([C], 2)
    await scene.send_all()
    await scene.advance(24 * 3600 + 1)
    assert B not in [each.account for each in (await scene.store.account_gauges(10)).accounts]


async def a_message_says_whether_its_sender_named_the_day_on_which_its_lifetime_ends(scene: Scene) -> None:
    await scene.route(account(A))
    await scene.mail(A, 1, lifetime=2 * 3600 * SECOND, is_dated=True)
    await scene.mail(A, 2)
    found = (await scene.store.messages(MessageQuery())).items
    assert [each.is_dated for each in found] == [False, True]
