"""Whoever can mend it hears of an account whose mail goes nowhere, and of many at once as of one story."""

from relay.core.concerns import Concern, ConcernKind
from tests.contract.scene import A, B, Scene, account

ONE, MANY = ConcernKind.ACCOUNT_STRANDED, ConcernKind.ACCOUNTS_STRANDED
ALL = [f"d{number}@x.it" for number in range(30)]


async def _open(scene: Scene) -> list[tuple[str, str, str | None]]:
    found = await scene.books.notices.concerns(100)
    return sorted((each.kind.value, str(each.subject), each.reason) for each in found)


async def _lose(scene: Scene, *accounts: str) -> None:
    """The credentials of these are gone; all others have some."""
    await scene.route(*map(account, ALL), credentials=dict.fromkeys(accounts))


async def credentials_that_are_gone_are_a_concern_until_they_are_back(scene: Scene) -> None:
    await scene.route(account(A), account(B))
    await scene.route(account(A), account(B), credentials={A: None})
    assert await _open(scene) == [(ONE, A, "no-credentials")]
    view = await scene.store.account(A)
    assert view is not None
    assert view.particulars.stranded_at is not None, "since when is known"
    (due,) = await scene.books.notices.due(10)
    assert due.accounts == (A,)
    await scene.route(account(A), account(B))
    assert await _open(scene) == []


async def an_account_that_never_had_a_way_is_nobodys_concern_before_it_has_mail(scene: Scene) -> None:
    await scene.route(account(A), account(B), credentials={A: None})
    assert await _open(scene) == []
    await scene.mail(A, 1, 2)
    assert await _open(scene) == [(ONE, A, "no-credentials")]


async def an_account_that_is_gone_is_a_concern_only_for_the_mail_that_it_left(scene: Scene) -> None:
    await scene.route(account(A), account(B))
    await scene.mail(A, 1, 2)
    await scene.mail(B, 3)
    await scene.send_all(most=100)
    await scene.mail(A, 4)
    await scene.route()
    assert await _open(scene) == [(ONE, A, "no-account")]
    (due,) = await scene.books.notices.due(10)
    assert (due.accounts, due.waiting) == ((), 1)
    await scene.route(account(A))
    assert await _open(scene) == []


async def what_is_settled_by_itself_is_forgotten_without_a_word(scene: Scene) -> None:
    notices = scene.books.notices
    await scene.route(account(A))
    await scene.mail(A, 1)
    await scene.route()
    (due,) = await notices.due(10)
    await notices.said(due, after=None, notice=None)
    await notices.forget(due.concern.id)
    assert (await _open(scene), await notices.due(10)) == ([], [])


async def an_account_that_is_paused_is_one_until_it_is_resumed(scene: Scene) -> None:
    await scene.route(account(A))
    await scene.books.control.pause(A, why="ferie")
    assert await _open(scene) == [(ONE, A, "paused-by-admin")]
    view = await scene.store.account(A)
    assert view is not None
    assert view.particulars.stranded_at is not None, "since when is known"
    await scene.books.control.resume(A)
    assert await _open(scene) == []


async def another_reason_takes_the_place_of_the_first(scene: Scene) -> None:
    await scene.route(account(A))
    await scene.books.control.pause(A, why="ferie")
    await scene.route(account(A), credentials={A: None})
    await scene.books.control.resume(A)
    assert await _open(scene) == [(ONE, A, "no-credentials")]


async def many_at_once_are_one_story(scene: Scene) -> None:
    await _lose(scene)
    await _lose(scene, *ALL)
    assert await _open(scene) == [(MANY, "relay", "no-credentials")]
    (many,) = await scene.books.notices.concerns(10)
    assert many.detail["count"] == "30"
    await scene.mail(ALL[3], 1)
    assert await _open(scene) == [(MANY, "relay", "no-credentials")], "its mail adds nothing"
    await _lose(scene)
    assert await _open(scene) == []


async def few_that_are_left_of_many_are_told_of_one_by_one(scene: Scene) -> None:
    await _lose(scene)
    for number, sender in enumerate(ALL[:2]):
        await scene.mail(sender, number)
    await _lose(scene, *ALL)
    await _lose(scene, *ALL[:2])
    assert await _open(scene) == [(ONE, ALL[0], "no-credentials"), (ONE, ALL[1], "no-credentials")]


async def mail_for_many_that_never_had_a_way_is_one_story_too(scene: Scene) -> None:
    await _lose(scene, *ALL)
    for number, sender in enumerate(ALL):
        await scene.mail(sender, number)
    found: list[Concern] = list(await scene.books.notices.concerns(100))
    kinds = [each.kind for each in found]
    assert (kinds.count(ONE), kinds.count(MANY)) == (20, 1)


async def whoever_had_no_way_before_is_not_waited_for(scene: Scene) -> None:
    idle = [account(f"idle{number}@x.it") for number in range(40)]
    without = {each.sender: None for each in idle}
    await scene.route(*idle, *map(account, ALL), credentials=without)
    await scene.route(*idle, *map(account, ALL), credentials={**without, **dict.fromkeys(ALL)})
    assert await _open(scene) == [(MANY, "relay", "no-credentials")]
    await scene.route(*idle, *map(account, ALL), credentials=without)
    assert await _open(scene) == []
