"""A mailbox tried by hand: inside every limit, counted whatever happens, and heard of by the mailbox's health."""

from dataclasses import replace

import pytest

from relay.core.envelope import LoginFailure, Result, Verdict
from relay.core.health import Health, HealthEvent, HealthState
from relay.core.limits import parse_limit
from relay.core.reply import Reply
from relay.core.words import MailboxId, Stage
from relay.errors import UnknownAccount
from relay.store.engine.context import Context
from relay.store.engine.healths import Symptom, change_mailbox
from relay.store.ports.sessions import SessionEvent
from relay.store.ports.trials import NotNow, Trial, Trials
from tests.unit.store.workbench import (
    BIANCHI,
    MINUTE,
    NODE,
    REFUSED,
    ROSSI,
    SECOND,
    START,
    Bench,
    account,
    message,
    provider,
    result,
)  # fmt: skip

BOX = MailboxId("aruba", ROSSI)
LINGER = 2 * MINUTE
TAKEN = result(Verdict.DELIVERED, stage=Stage.RCPT)
SILENT = result(Verdict.DEFERRED, "network", stage=Stage.RCPT, reply=None, is_end_known=False)
NEVER_SAID = result(Verdict.DROPPED, "network", stage=Stage.MAIL, reply=None, is_mail_written=False)
WRONG = LoginFailure("auth-rejected", Stage.AUTH, Reply(535, "5.7.8", "no"), is_provider=False, is_login_sent=True)


@pytest.fixture
def bench():
    return Bench()


def trials(bench: Bench) -> Trials:
    """Of the store that runs now."""
    return bench.store.books.trials


async def routed(bench: Bench, *limits: str, totals: tuple[str, ...] = (), **more: object) -> None:
    await bench.route(account(ROSSI), account(BIANCHI), providers=(provider("aruba", *limits, totals=totals, **more),))


async def begun(bench: Bench) -> Trial:
    trial = await trials(bench).begin(ROSSI, node=NODE)
    assert isinstance(trial, Trial), trial
    return trial


async def logged_in(bench: Bench) -> Trial:
    trial = await begun(bench)
    await bench.store.session(BOX, SessionEvent.OPENED)
    return trial


async def at_mail(bench: Bench) -> int:
    attempt = await trials(bench).claim(await logged_in(bench))
    assert isinstance(attempt, int), attempt
    return attempt


async def tried(bench: Bench, outcome: Result = TAKEN) -> None:
    attempt = await at_mail(bench)
    await trials(bench).end(attempt, outcome)
    await bench.store.session(BOX, SessionEvent.CLOSED)


async def prove(bench: Bench) -> None:
    """The credential has worked before."""
    await bench.store.put(message("proof"))
    await bench.log_in()
    (claim,) = await bench.take()
    await bench.send(claim)
    await bench.store.session(BOX, SessionEvent.CLOSED)
    bench.clock.advance(60 * MINUTE)


def used(bench: Bench, mailbox: MailboxId = BOX) -> int:
    return bench.store._core.context.schedule.look(mailbox).ledger.windows[0].used(bench.store.now())


# the law of the limiter


async def test_a_trial_takes_a_slot_from_its_mail_until_the_window_after_its_end(bench):
    await routed(bench, "1/10m")
    attempt = await at_mail(bench)
    await bench.store.put(message(1))
    assert await bench.take() == (), "the one slot is the trial's"
    bench.clock.advance(MINUTE)
    await trials(bench).end(attempt, TAKEN)
    bench.clock.advance(10 * MINUTE)
    assert await bench.take() == ()
    bench.clock.advance(1)
    assert len(await bench.take()) == 1


async def test_a_trial_without_a_last_answer_counts_linger_longer(bench):
    await routed(bench, "1/10m")
    await tried(bench, SILENT)
    await bench.store.put(message(1))
    await bench.store._note(lambda context: context.remembrance.set_health(BOX, Health()))
    bench.clock.advance(10 * MINUTE + LINGER)
    assert isinstance(await trials(bench).begin(ROSSI, node=NODE), Trial)
    assert used(bench) == 1
    bench.clock.advance(1)
    assert used(bench) == 0


async def test_a_trial_that_never_said_mail_gives_its_slot_back(bench):
    await routed(bench, "1/10m")
    await tried(bench, NEVER_SAID)
    assert used(bench) == 0
    assert bench.rows("SELECT count(*) FROM attempts") == [(0,)]


async def test_a_trial_finds_no_room_where_mail_finds_none_and_is_told_until_when(bench):
    await routed(bench, "1/10m")
    await prove(bench)
    await bench.store.put(message(1))
    await bench.log_in()
    (claim,) = await bench.take()
    await bench.send(claim)
    await bench.store.session(BOX, SessionEvent.CLOSED)
    refused = await trials(bench).begin(ROSSI, node=NODE)
    assert refused == NotNow("limit", START + 60 * MINUTE + 10 * MINUTE + 1)


async def test_a_total_of_the_provider_binds_a_trial_too(bench):
    await routed(bench, totals=("1/10m",))
    await prove(bench)
    await bench.store.put(message(1, BIANCHI))
    await bench.log_in()
    (claim,) = await bench.take()
    refused = await trials(bench).begin(ROSSI, node=NODE)
    assert refused == NotNow("limit", None), "while an attempt is under way nobody knows when it ends"
    await bench.send(claim)
    refused = await trials(bench).begin(ROSSI, node=NODE)
    assert refused == NotNow("limit", START + 70 * MINUTE + 1)


@pytest.mark.parametrize("lives_on", [False, True])
async def test_no_slot_is_lost_when_the_process_dies_in_the_middle(bench, lives_on):
    await routed(bench, "1/10m")
    await at_mail(bench)
    await bench.store.put(message(1))
    bench.clock.advance(SECOND)
    bench.crash()
    if not lives_on:
        await bench.store.recover(NODE)
    assert used(bench) == 1
    assert bench.store._core.context.schedule.look(BOX).ledger.in_flight == (1 if lives_on else 0)
    bench.clock.advance(10 * MINUTE + LINGER - SECOND)
    assert used(bench) == 1
    bench.clock.advance(10 * MINUTE + LINGER)
    assert used(bench) == (1 if lives_on else 0)


async def test_a_failed_commit_forgets_no_slot(bench):
    await routed(bench, "2/10m")
    attempt = await at_mail(bench)
    bench.store._life.failed()
    assert used(bench) == 1
    await trials(bench).end(attempt, TAKEN)
    assert used(bench) == 1
    assert bench.store._core.context.schedule.look(BOX).ledger.in_flight == 0


async def test_an_edit_of_the_limits_forgets_no_slot(bench):
    await routed(bench, "2/10m")
    attempt = await at_mail(bench)
    await routed(bench, "5/10m")
    assert used(bench) == 1
    await trials(bench).end(attempt, TAKEN)
    assert used(bench) == 1


async def test_a_trial_is_ended_once(bench):
    await routed(bench, "2/10m")
    attempt = await at_mail(bench)
    for _ in range(2):
        await trials(bench).end(attempt, TAKEN)
    assert used(bench) == 1


async def test_numbers_of_trials_and_of_attempts_never_meet(bench):
    await routed(bench)
    await bench.store.put(message(1))
    attempt = await at_mail(bench)
    (claim,) = await bench.take()
    assert claim.attempt > attempt
    await trials(bench).end(attempt, TAKEN)
    await bench.send(claim)
    bench.crash()
    await bench.store.recover(NODE)
    assert await at_mail(bench) > claim.attempt


# logins and sessions


async def test_a_login_by_hand_counts_in_the_budget_and_is_told_when_it_is_spent(bench):
    await routed(bench, login_limit=parse_limit("2/10m"))
    await tried(bench)
    await tried(bench)
    assert await trials(bench).begin(ROSSI, node=NODE) == NotNow("login", START + 10 * MINUTE + 1)


async def test_a_login_counts_although_the_process_died_in_it(bench):
    await routed(bench, login_limit=parse_limit("1/10m"))
    await begun(bench)
    bench.crash()
    await bench.store.recover(NODE)
    logins = bench.store._core.context.schedule.look(BOX).logins
    assert logins.used(bench.store.now()) == 1


async def test_a_trial_needs_a_session_of_those_that_are_allowed(bench):
    await routed(bench)
    await bench.store.put(message(1))
    await bench.log_in()
    assert await trials(bench).begin(ROSSI, node=NODE) == NotNow("session")
    await bench.store.session(BOX, SessionEvent.CLOSED)
    assert isinstance(await trials(bench).begin(ROSSI, node=NODE), Trial)
    assert await trials(bench).begin(ROSSI, node=NODE) == NotNow("session")


async def test_a_trial_leaves_no_session_behind(bench):
    await routed(bench)
    await tried(bench)
    line = bench.store._core.context.schedule.look(BOX)
    assert (line.sessions, line.opening, line.provider.sessions, line.provider.opening) == (0, 0, 0, 0)


async def test_a_new_credential_is_tried_although_budgets_are_spent_and_says_mail_only_with_room(bench):
    await routed(bench, "1/10m", login_limit=parse_limit("1/10m"))
    await tried(bench)
    assert isinstance(await trials(bench).begin(ROSSI, node=NODE), NotNow)
    await bench.route(
        account(ROSSI), providers=(provider("aruba", "1/10m", login_limit=parse_limit("1/10m")),),
        secrets={ROSSI: "second"},
    )  # fmt: skip
    trial = await logged_in(bench)
    assert trial.is_new
    assert await trials(bench).claim(trial) == NotNow("limit", START + 10 * MINUTE + 1)


# whom it cannot be about


async def test_an_account_that_nobody_knows_is_an_error(bench):
    await routed(bench)
    with pytest.raises(UnknownAccount):
        await trials(bench).begin("nobody@d.test", node=NODE)


async def test_without_a_password_there_is_nothing_to_try(bench):
    await bench.route(account(ROSSI), secrets={ROSSI: None})
    assert await trials(bench).begin(ROSSI, node=NODE) == NotNow("no-credentials")


async def test_an_account_that_a_person_paused_can_be_tried(bench):
    await routed(bench)
    await bench.store.books.control.pause(ROSSI, why="prova")
    assert isinstance(await trials(bench).begin(ROSSI, node=NODE), Trial)


@pytest.mark.parametrize("reason", ["rate-limited", "quota-exceeded"])
async def test_a_mailbox_that_was_asked_to_send_less_logs_in_and_says_no_mail_before(bench, reason):
    await routed(bench)
    await prove(bench)
    attempt = await at_mail(bench)
    await trials(bench).end(attempt, result(Verdict.DEFERRED, reason, stage=Stage.MAIL, reply=Reply(450, None, "slow")))
    await bench.store.session(BOX, SessionEvent.CLOSED)
    before = health(bench)
    assert before.state is HealthState.WAITING or before.probe_at is not None
    trial = await logged_in(bench)
    refused = await trials(bench).claim(trial)
    assert isinstance(refused, NotNow)
    assert refused.reason == reason
    assert refused.until is not None
    assert refused.until > START
    await bench.store.session(BOX, SessionEvent.CLOSED)
    assert health(bench) == before, "a login shows nothing of what is counted at MAIL"


async def test_its_login_is_of_the_budget_like_any(bench):
    await routed(bench, login_limit=parse_limit("1/10m"))
    await tried(
        bench, result(Verdict.DEFERRED, "quota-exceeded", stage=Stage.MAIL, reply=Reply(550, "5.4.5", "enough"))
    )
    refused = await trials(bench).begin(ROSSI, node=NODE)
    assert isinstance(refused, NotNow)
    assert refused.reason == "login"


async def test_a_mailbox_whose_logins_were_asked_to_wait_is_not_tried_before(bench):
    await routed(bench)
    await prove(bench)
    await begun(bench)
    later = LoginFailure("auth-temporary", Stage.AUTH, Reply(454, "4.7.0", "no"), is_provider=False, is_login_sent=True)
    await bench.store.refused(BOX, later)
    refused = await trials(bench).begin(ROSSI, node=NODE)
    assert isinstance(refused, NotNow)
    assert refused.reason == "auth-temporary"


async def test_a_provider_that_blocks_this_address_is_not_bothered(bench):
    await routed(bench)
    await begun(bench)
    blocked = LoginFailure("ip-blocked", Stage.CONNECT, Reply(554, None, "go"), is_provider=True, is_login_sent=False)
    await bench.store.refused(BOX, blocked)
    refused = await trials(bench).begin(ROSSI, node=NODE)
    assert isinstance(refused, NotNow)
    assert (refused.reason, refused.is_provider) == ("ip-blocked", True)


async def test_a_provider_out_of_reach_may_be_tried_by_hand(bench):
    await routed(bench)
    await begun(bench)
    down = LoginFailure("network", Stage.CONNECT, None, is_provider=True, is_login_sent=False)
    await bench.store.refused(BOX, down)
    assert isinstance(await trials(bench).begin(ROSSI, node=NODE), Trial)


# what health hears


def health(bench: Bench):
    return bench.store._core.context.remembrance.health(BOX)


async def test_a_refused_login_by_hand_pauses_the_mailbox_like_any(bench):
    await routed(bench)
    await begun(bench)
    await bench.store.refused(BOX, WRONG)
    assert (health(bench).state, health(bench).reason) == (HealthState.PAUSED, "auth-rejected")


async def test_a_refused_mail_pauses_and_a_trial_that_works_ends_the_pause(bench):
    await routed(bench)
    await tried(bench, REFUSED)
    assert (health(bench).state, health(bench).reason) == (HealthState.PAUSED, "sender-refused")
    await bench.store.put(message(1))
    assert await bench.take() == ()
    await tried(bench)
    assert health(bench).state is HealthState.OK
    assert len(await bench.take()) == 1


async def test_a_trial_that_works_says_nothing_about_a_quota(bench):
    await routed(bench)
    await prove(bench)
    attempt = await at_mail(bench)
    await bench.store.put(message(1))
    await trials(bench).end(attempt, result(Verdict.DEFERRED, "quota-exceeded", reply=Reply(452, None, "enough")))
    await bench.store.session(BOX, SessionEvent.CLOSED)
    probe_at = health(bench).probe_at
    bench.clock.advance(probe_at - bench.store.now())
    await tried(bench)
    assert health(bench).state is HealthState.WAITING


async def refuse(bench: Bench) -> None:
    await begun(bench)
    await bench.store.refused(BOX, WRONG)


async def test_a_password_that_was_refused_is_not_tried_again_before_five_minutes_nor_more_than_thrice_an_hour(bench):
    await routed(bench)
    for minutes in (5, 10):
        await refuse(bench)
        assert await trials(bench).begin(ROSSI, node=NODE) == NotNow("refused-logins", START + minutes * MINUTE)
        bench.clock.advance(5 * MINUTE)
    await refuse(bench)
    assert await trials(bench).begin(ROSSI, node=NODE) == NotNow("refused-logins", START + 60 * MINUTE + 1)


async def test_a_new_password_is_tried_at_once_and_again_when_it_works(bench):
    await routed(bench)
    await refuse(bench)
    await bench.route(account(ROSSI), secrets={ROSSI: "second"})
    await tried(bench)
    await tried(bench)
    assert health(bench).state is HealthState.OK


async def test_clicking_finds_out_no_more_passwords_than_the_mail_would(bench):
    await routed(bench)
    refused = 0
    for _ in range(12 * 60):
        trial = await trials(bench).begin(ROSSI, node=NODE)
        if isinstance(trial, Trial):
            await bench.store.refused(BOX, WRONG)
            refused += 1
        bench.clock.advance(SECOND * 10)
    assert refused <= 6, "two hours of clicking: three an hour"


async def test_a_trial_that_works_does_not_end_what_only_messages_show(bench):
    await routed(bench)
    await tried(bench)

    def guard(context: Context) -> None:
        change_mailbox(context, BOX, Symptom(HealthEvent.GUARDED, "bounce-guard"))

    await bench.store._note(guard)
    await tried(bench)
    assert (health(bench).state, health(bench).reason) == (HealthState.PAUSED, "bounce-guard")


async def test_a_host_that_is_out_of_reach_is_said_to_have_been(bench):
    await routed(bench)
    assert not (await begun(bench)).was_out_of_reach
    down = LoginFailure("network", Stage.CONNECT, None, is_provider=True, is_login_sent=False)
    await bench.store.refused(BOX, down)
    probe_at = bench.store._core.context.remembrance.provider_health("aruba").probe_at
    bench.clock.advance(SECOND)
    assert (await begun(bench)).was_out_of_reach
    await bench.store.refused(BOX, replace(down, is_outdated=True))
    assert bench.store._core.context.remembrance.provider_health("aruba").probe_at == probe_at, "it is not put off"
