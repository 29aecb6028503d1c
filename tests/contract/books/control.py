"""What people say about accounts stays said."""

import pytest

from relay.errors import UnknownAccount
from tests.contract.scene import DELIVERED, A, B, Scene, account, box


async def a_paused_account_keeps_its_mail_and_its_mailbox_goes_on(scene: Scene) -> None:
    await scene.route(account(A, username="practice"), account(B, username="practice"))
    assert await scene.books.control.pause(A, why="on holiday")
    await scene.mail(A, 1)
    await scene.mail(B, 2)
    claims = await scene.work()
    assert [claim.account for claim in claims] == [B]
    view = await scene.store.account(A)
    assert view is not None
    assert (view.health, view.reason) == ("paused", "paused-by-admin")
    assert await scene.books.control.resume(A)
    await scene.send(claims[0], DELIVERED)
    assert [claim.account for claim in await scene.work()] == [A]


async def what_waited_is_kept_back_and_let_go_again_in_its_order(scene: Scene) -> None:
    await scene.route(account(A))
    await scene.mail(A, 1, 2, 3)
    await scene.books.control.pause(A, why="asked by phone")
    assert await scene.work() == []
    await scene.books.control.resume(A)
    claims = await scene.work()
    assert [claim.message for claim in claims] == ["m-1", "m-2", "m-3"]


async def a_second_pause_keeps_the_reason_of_the_first_unless_it_has_one(scene: Scene) -> None:
    await scene.route(account(A))

    async def reason() -> str | None:
        view = await scene.store.account(A)
        assert view is not None
        return None if view.particulars.paused is None else view.particulars.paused.why

    assert await scene.books.control.pause(A, why="asked by phone")
    for why, kept in (("", "asked by phone"), ("on holiday", "on holiday"), ("", "on holiday")):
        assert not await scene.books.control.pause(A, why=why)
        assert await reason() == kept
    await scene.books.control.resume(A)
    await scene.books.control.pause(A, why="")
    assert await reason() == "", "that of an earlier pause is over with it"


async def a_pause_outlives_a_restart_and_an_edit(scene: Scene) -> None:
    await scene.route(account(A))
    await scene.books.control.pause(A, why="asked by phone")
    await scene.harness.crash_and_restart()
    await scene.store.recover("node-1")
    await scene.mail(A, 1)
    await scene.route(account(A, "q"))
    assert await scene.work() == []
    assert await scene.books.control.resume(A)
    assert [claim.mailbox for claim in await scene.work()] == [box(A, "q")]


async def submission_is_told_since_when_a_person_keeps_it_back(scene: Scene) -> None:
    await scene.route(account(A), account(B))
    await scene.books.control.pause(A, why="on holiday")
    pause = scene.store.pause_of(A)
    assert pause is not None
    assert pause.reason == "paused-by-admin"
    await scene.advance(60)
    await scene.books.control.pause(A, why="still on holiday")
    await scene.harness.crash_and_restart()
    assert scene.store.pause_of(A) == pause
    assert scene.store.pause_of(B) is None
    await scene.books.control.resume(A)
    assert scene.store.pause_of(A) is None


async def who_says_it_twice_is_told_so(scene: Scene) -> None:
    await scene.route(account(A))
    assert await scene.books.control.pause(A, why="one")
    assert not await scene.books.control.pause(A, why="two")
    assert await scene.books.control.resume(A)
    assert not await scene.books.control.resume(A)


async def nobody_pauses_an_account_that_is_not_there(scene: Scene) -> None:
    await scene.route(account(A))
    with pytest.raises(UnknownAccount):
        await scene.books.control.pause(B, why="a slip")
    with pytest.raises(UnknownAccount):
        await scene.books.control.resume(B)
