"""A mailbox that is tried by hand is tried inside every limit, and counted whatever happens."""

import pytest

from relay.core.envelope import Verdict
from relay.core.limits import parse_limit
from relay.core.words import Stage
from relay.errors import UnknownAccount
from relay.store.ports.sessions import SessionEvent
from relay.store.ports.trials import NotNow, Trial
from tests.contract.scene import (
    ADDRESS_BLOCKED,
    AUTH_REFUSED,
    DELIVERED,
    HOST_DOWN,
    IN_DOUBT,
    LINGER,
    MAIL_REFUSED,
    NODE,
    A,
    B,
    Scene,
    account,
    box,
    provider,
    result,
)

HOUR = 3600
TAKEN = result(Verdict.DELIVERED, stage=Stage.RCPT)
UNANSWERED = result(Verdict.DEFERRED, "network", stage=Stage.MAIL, reply=None, is_end_known=False)


async def _begun(scene: Scene, sender: str = A) -> Trial:
    trial = await scene.books.trials.begin(sender, node=NODE)
    assert isinstance(trial, Trial), trial
    return trial


async def _at_mail(scene: Scene, sender: str = A) -> int:
    trial = await _begun(scene, sender)
    await scene.store.session(trial.mailbox, SessionEvent.OPENED)
    attempt = await scene.books.trials.claim(trial)
    assert isinstance(attempt, int), attempt
    return attempt


async def _used(scene: Scene, sender: str = A) -> int:
    view = await scene.store.account(sender)
    assert view is not None
    return view.limits[0].used


async def a_trial_counts_from_its_mail_until_the_window_after_its_end(scene: Scene) -> None:
    await scene.route(account(A), providers=[provider("p", "1/10m")])
    attempt = await _at_mail(scene)
    await scene.advance(HOUR)
    assert await _used(scene) == 1, "it has not ended yet"
    await scene.books.trials.end(attempt, TAKEN)
    await scene.store.session(box(A), SessionEvent.CLOSED)
    await scene.advance(600)
    assert await _used(scene) == 1
    await scene.mail(A, 1)
    assert await scene.work() == []
    await scene.advance(1)
    assert len(await scene.work()) == 1


async def a_trial_that_never_said_mail_counts_for_nothing(scene: Scene) -> None:
    await scene.route(account(A), providers=[provider("p", "1/10m")])
    await scene.books.trials.end(await _at_mail(scene), result(Verdict.DROPPED, "network", is_mail_written=False))
    assert await _used(scene) == 0


async def a_trial_without_an_answer_and_one_whose_process_died_count_linger_longer(scene: Scene) -> None:
    for dies in (False, True):
        other = scene.another()
        await other.route(account(A), providers=[provider("p", "1/10m")])
        attempt = await _at_mail(other)
        if dies:
            await other.harness.crash_and_restart()
            await other.store.recover(NODE)
        else:
            await other.books.trials.end(attempt, UNANSWERED)
        await other.advance(600 + LINGER)
        assert await _used(other) == 1
        await other.advance(1)
        assert await _used(other) == 0
        await other.books.trials.end(attempt, TAKEN)
        assert await _used(other) == 0, "it is over, and ends once"
        await other.harness.close()


async def no_room_is_said_with_its_end(scene: Scene) -> None:
    await scene.route(account(A), providers=[provider("p", "1/10m")])
    await scene.books.trials.end(await _at_mail(scene), TAKEN)
    await scene.store.session(box(A), SessionEvent.CLOSED)
    refused = await scene.books.trials.begin(A, node=NODE)
    assert isinstance(refused, NotNow)
    assert refused.reason == "limit"
    assert refused.until is not None


async def its_login_counts_and_its_session_is_one_of_those_allowed(scene: Scene) -> None:
    await scene.route(account(A), providers=[provider("p", login_limit=parse_limit("2/10m"), connections=1)])
    for _ in range(2):
        await _begun(scene)
        assert await scene.books.trials.begin(A, node=NODE) == NotNow("session")
        await scene.store.session(box(A), SessionEvent.OPENED)
        await scene.store.session(box(A), SessionEvent.CLOSED)
    refused = await scene.books.trials.begin(A, node=NODE)
    assert isinstance(refused, NotNow)
    assert refused.reason == "login"


async def a_refused_password_is_tried_again_by_hand_no_sooner_than_by_mail(scene: Scene) -> None:
    await scene.route(account(A))
    await _begun(scene)
    await scene.store.refused(box(A), AUTH_REFUSED)
    refused = await scene.books.trials.begin(A, node=NODE)
    assert isinstance(refused, NotNow)
    assert refused.reason == "refused-logins"
    await scene.route(account(A), credentials={A: "second"})
    assert (await _begun(scene)).is_new


async def what_it_finds_is_heard_of_by_its_mailbox_and_by_nobody_elses(scene: Scene) -> None:
    await scene.route(account(A), account(B))
    await scene.books.trials.end(await _at_mail(scene), MAIL_REFUSED)
    await scene.store.session(box(A), SessionEvent.CLOSED)
    await scene.mail(A, 1)
    await scene.mail(B, 2)
    claims = await scene.work()
    assert [claim.account for claim in claims] == [B]
    await scene.send(claims[0], DELIVERED)
    await scene.books.trials.end(await _at_mail(scene), TAKEN)
    await scene.store.session(box(A), SessionEvent.CLOSED)
    assert [claim.account for claim in await scene.work()] == [A]


async def numbers_of_trials_are_no_others(scene: Scene) -> None:
    await scene.route(account(A), account(B))
    attempt = await _at_mail(scene)
    await scene.mail(B, 1)
    (claim,) = await scene.work()
    assert claim.attempt != attempt
    await scene.books.trials.end(attempt, TAKEN)
    assert await scene.store.gate(claim)
    assert await scene.store.settle(claim, IN_DOUBT)


async def nobody_tries_an_account_that_is_not_there(scene: Scene) -> None:
    await scene.route(account(A))
    with pytest.raises(UnknownAccount):
        await scene.books.trials.begin(B, node=NODE)


async def at_a_provider_that_is_stopped_an_account_says_when_that_is_tried(scene: Scene) -> None:
    await scene.route(account(A), account(B, "q"))
    await scene.mail(A, 1)
    assert (await scene.take()).open
    await scene.store.refused(box(A), HOST_DOWN)
    (view, other) = [await scene.store.account(sender) for sender in (A, B)]
    assert view is not None
    assert view.particulars.tried_at is None, "its mailbox is well"
    assert view.particulars.host_tried_at is not None
    assert view.particulars.host_tried_at > scene.store.now()
    assert other is not None
    assert other.particulars.host_tried_at is None


async def a_provider_that_was_out_of_reach_and_blocks_the_address_is_known_to(scene: Scene) -> None:
    await scene.route(account(A))
    await scene.mail(A, 1)
    assert (await scene.take()).open
    await scene.store.refused(box(A), HOST_DOWN)
    trial = await scene.books.trials.begin(A, node=NODE)
    assert isinstance(trial, Trial)
    await scene.store.refused(box(A), ADDRESS_BLOCKED)
    (host, _) = await scene.store.providers()
    assert (host.health, host.reason) == ("paused", "ip-blocked")
    assert isinstance(await scene.books.trials.begin(A, node=NODE), NotNow), "nor is it bothered again"


async def whoever_says_that_it_is_mended_can_be_told_when_it_is_tried_and_which_budget_says_so(scene: Scene) -> None:
    await scene.route(account(A), providers=[provider("p", login_limit=parse_limit("9/10m"))])
    await scene.mail(A, 1)
    for _ in range(3):
        assert (await scene.take()).open
        await scene.store.refused(box(A), AUTH_REFUSED)
        await scene.books.control.fixed(A)
        await scene.advance(300)
    view = await scene.store.account(A)
    assert view is not None
    wait = view.particulars.login_wait
    assert wait is not None
    assert (wait.budget, wait.limit) == ("refused-logins", str(parse_limit("3/h")))
    assert (view.eta, view.particulars.tried_at) == (wait.until, wait.until), "all who are asked say the same"
    (due,) = await scene.books.notices.due(10)
    later = wait.until - due.now
    await scene.harness.crash_and_restart()
    view = await scene.store.account(A)
    assert view is not None
    assert view.particulars.login_wait == wait
    await scene.advance(later / 1_000_000 - 1)
    assert not (await scene.take()).open, "fixed is no login more than the budget has"
    await scene.advance(1)
    assert (await scene.take()).open


async def a_budget_that_has_room_or_a_new_password_keeps_nobody_waiting(scene: Scene) -> None:
    await scene.route(account(A), providers=[provider("p", login_limit=parse_limit("1/10m"))])
    await _begun(scene)
    await scene.store.refused(box(A), AUTH_REFUSED)
    view = await scene.store.account(A)
    assert view is not None
    assert view.particulars.login_wait is not None
    assert view.particulars.login_wait.budget == "login"
    await scene.route(account(A), credentials={A: "second"})
    view = await scene.store.account(A)
    assert view is not None
    assert view.particulars.login_wait is None
