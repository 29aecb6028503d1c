"""Core's schedule and the one in Lua, to which the same things happen; after each, both are asked the same.

Law: nothing is compared with what a test thinks should happen; core's schedule is the model, and its own tests are law.
"""

from heapq import heapify
from random import Random
from typing import Any

from relay.core.kinship import Kinship
from relay.core.limits import HOUR, MINUTE
from relay.core.loading import load_totals, recount
from relay.core.schedule import Schedule
from relay.core.terms import MailboxTerms, ProviderTerms, Standing
from relay.core.witnesses import Told
from relay.core.words import Lane, MailboxId
from relay.store.redis.keys import ready
from relay.store.redis.packing import midnights, pack_kinship, pack_provider_terms, pack_standing, pack_terms
from tests.contract.redis.schedule.place import MAILBOXES, PROVIDERS, ROME, Place, Run
from tests.contract.redis.schedule.player import Player


def tidy(schedule: Schedule) -> None:
    """Core leaves in its lists of those that want a session who does not any more, and counts them until they come up;
    the sets of the server hold nobody twice."""
    for provider in schedule._providers.values():
        for heap, is_doubtful in ((provider.wanting, False), (provider.doubtful, True)):
            heap[:] = {
                (place, mailbox)
                for place, mailbox in heap
                if (line := schedule._lines.get(mailbox)) is not None
                and (line.is_in_wanting, line.is_among_doubtful, line.stands_at) == (True, is_doubtful, place)
            }
            heapify(heap)


class Twins:
    """Core's schedule and the server's; what happens, happens to both."""

    def __init__(self, player: Player, place: Place) -> None:
        """`place` has the terms of everybody."""
        player.forget()
        self.player, self.place = player, place
        self.core = Schedule(place)
        self.core.set_kinship(place.kinship, place.now)
        for name in PROVIDERS:
            self.core.host(name)
            self.hand_in_provider(name)
        for mailbox in MAILBOXES:
            self.core.look(mailbox)
            self.play("set_terms", *mailbox, pack_terms(place.terms[mailbox]))
        self.play("set_civil_offset", place.offset)
        self.play("set_kinship", pack_kinship(place.kinship))

    # both

    def play(self, name: str, *args: Any) -> None:
        self.player.call(f"schedule.{name}", self.place.now, *args)

    def hand_in_provider(self, name: str) -> None:
        packed = pack_provider_terms(self.place.provider[name])
        self.play("set_provider_terms", name, packed, midnights(ROME, self.place.now + self.place.offset))

    def compare(self) -> None:
        """What each keeps of every mailbox; turns are numbered differently, so their order is compared."""
        found = self.player.state(MAILBOXES, self.place.now)
        lines = {mailbox: self.core._lines.get(mailbox) for mailbox in MAILBOXES}
        for mailbox, line in lines.items():
            if line is not None:
                host = line.provider
                told = [line.alarm or -1, int(line.is_in_wanting), line.sessions, line.opening, line.express, line.bulk]
                assert found[mailbox][2:] == [*told, host.sessions, host.opening], mailbox
                assert line.turn is None or found[mailbox][1] == line.credit, mailbox
        turns = sorted((line.turn, m) for m, line in lines.items() if line is not None and line.turn is not None)
        assert [m for _, m in turns] == sorted((m for m in MAILBOXES if found[m][0] >= 0), key=lambda m: found[m][0])

    def check_wake_at(self) -> None:
        place, idle = self.place, self.place.idle()
        tidy(self.core)
        assert self.core.wake_at(place.now, idle) == self.player.wake_at(place.now, idle)

    # what waits

    def mail_comes(self, mailbox: MailboxId, account: int, lane: Lane, many: int) -> None:
        name = f"{account}@{'.'.join(mailbox)}"
        self.core.add_ready(mailbox, name, lane, self.place.now, many)
        self.play("add_ready", *mailbox, name, lane.value, self.place.new_deliveries(many))

    def an_account_moves_and_comes_back(self, mailbox: MailboxId, through: MailboxId | None) -> None:
        name, place = f"0@{'.'.join(mailbox)}", self.place
        if through == mailbox:
            return
        waiting = self.core.ready_of(mailbox, name)
        self.core.move_account(name, mailbox, through, place.now)
        self.play("move_account", name, list(mailbox), through and list(through))
        if through is None:
            for lane, many in zip(Lane, waiting, strict=True):
                if many:
                    self.core.add_ready(mailbox, name, lane, place.now, many)
        else:
            self.core.move_account(name, through, mailbox, place.now)
        self.play("move_account", name, through and list(through), list(mailbox))

    def mail_is_taken_out(self, mailbox: MailboxId, account: int, lane: Lane) -> None:
        name = f"{account}@{'.'.join(mailbox)}"
        if self.core.ready_of(mailbox, name)[lane is Lane.BULK]:
            delivery = self.player.first(ready(mailbox, name, lane))
            self.core.remove_ready(mailbox, name, lane, self.place.now)
            self.play("remove_ready", *mailbox, name, lane.value, delivery)

    # time

    def time_passes(self, gap: int) -> None:
        self.place.now += gap
        self.core.grant(self.place.now, {}, 0)
        self.player.grant(self.place.now, {}, 0)
        self.compare()

    def a_node_sleeps_until_it_is_woken(self) -> None:
        at = self.core.wake_at(self.place.now, self.place.idle())
        if at is not None:
            self.time_passes(max(0, at - self.place.now))

    # attempts

    def take(self, most: int, most_open: int) -> None:
        place, now = self.place, self.place.now
        tidy(self.core)
        idle = place.idle()
        expected = self.core.grant(now, idle, most)
        granted = self.player.grant(now, idle, most)
        assert [(g.mailbox, g.account, g.lane, g.is_probe) for g in granted] == [
            (g.mailbox, g.account, g.lane, g.is_probe) for g in expected
        ]
        place.attempts += [Run(grant.mailbox, now, grant.attempt) for grant in granted]
        opened = self.core.open_sessions(now, most_open)
        assert self.player.open(now, most_open) == opened
        for mailbox, many in opened.items():
            place.logins += [Run(mailbox, now) for _ in range(many)]
            place.sessions[mailbox] += many
        self.compare()
        tidy(self.core)
        closed = self.core.close_sessions(now, place.idle())
        assert self.player.close(now, place.idle()) == closed
        for mailbox in [mailbox for mailbox, many in closed.items() for _ in range(many)]:
            self.close(mailbox)
        self.check_wake_at()

    def a_node_works(self, most: int, rounds: int, linger: int | None) -> None:
        """It takes, logs in, sends, and looks again when it is woken, and an instant before."""
        for _ in range(rounds):
            self.take(most, 50)
            for login in self.place.logging_in():
                self.a_login_ends(login, "opened")
            self.take(most, 50)
            for run in self.place.running():
                self.end(run, None if linger is None else self.place.now + linger)
            self.check_wake_at()
            at = self.core.wake_at(self.place.now, self.place.idle())
            if at is not None and at - 1 > self.place.now:
                self.place.now = at - 1
                self.take(most, 50)
                self.place.now = at

    def an_attempt_ends(self, which: int, linger: int | None) -> None:
        """`linger` None: MAIL was not written."""
        running = self.place.running()
        if not running:
            return
        self.end(running[which % len(running)], None if linger is None else self.place.now + linger)
        self.compare()

    def end(self, run: Run, at: int | None) -> None:
        place = self.place
        run.ended = at
        if at is None:
            place.attempts.remove(run)
        self.core.end(run.mailbox, run.started, at, place.now)
        self.play("end_attempt", *run.mailbox, run.name, run.started, at)

    def a_trial_begins(self, mailbox: MailboxId) -> None:
        run = Run(mailbox, self.place.now, f"trial-{len(self.place.attempts)}-{self.place.now}")
        if any(each.name == run.name for each in self.place.attempts):
            return
        self.place.attempts.append(run)
        self.core.start_trial(mailbox, self.place.now)
        self.play("start_trial", *mailbox, run.name)

    def a_mailbox_was_busy(self, mailbox: MailboxId, many: int, spread: int) -> None:
        place = self.place
        for index in range(many):
            run = Run(mailbox, place.now - index * spread, f"old-{len(place.attempts)}-{place.now}-{index}")
            run.ended = run.started
            place.attempts.append(run)
            if index < many - 1:
                self.player.remember(mailbox, run.name, run.started)
            else:
                self.play("end_attempt", *mailbox, run.name, run.started, run.ended)
        self.core.reload_provider(mailbox.provider, place.now)
        for provider in place.kinship.heirs_of(mailbox.provider):
            self.core.reload_provider(provider, place.now)
        self.core.reload(mailbox, place.now)
        self.play("reload", *mailbox)
        self.compare()

    def busy_hours(self, seed: int) -> None:
        """Mail comes, nodes take and send, and time goes by from one opening to the next."""
        chance = Random(seed)
        for _ in range(8):
            for _ in range(chance.randrange(3)):
                self.mail_comes(
                    chance.choice(MAILBOXES), chance.randrange(2), chance.choice(list(Lane)), chance.choice([1, 3, 12])
                )
            self.a_node_works(
                chance.choice([1, 3, 50]), chance.randrange(1, 3), chance.choice([None, 0, 0, 0, 3, MINUTE])
            )
            if chance.randrange(3) == 0:
                self.take(50, chance.choice([0, 50]))
                self.time_passes(chance.choice([1, 3, 10, MINUTE, 5 * MINUTE, HOUR]))
                self.an_attempt_ends(chance.randrange(20), chance.choice([None, 0, 0, 3]))
            if chance.randrange(4) == 0:
                self.a_session_is_closed(chance.randrange(20))

    # sessions

    def one_wants_a_session_by_hand(self, mailbox: MailboxId) -> None:
        self.core.reserve_session(mailbox, self.place.now)
        self.play("reserve_session", *mailbox)
        self.place.sessions[mailbox] += 1
        self.place.logins.append(Run(mailbox, self.place.now))

    def a_session_is_reported(self, which: int, outcome: str) -> None:
        found = self.place.logging_in()
        if not found:
            return
        self.a_login_ends(found[which % len(found)], outcome)
        self.compare()

    def a_login_ends(self, login: Run, outcome: str) -> None:
        """The oldest of its mailbox: which one a report is about makes no difference to any budget."""
        place, mailbox = self.place, login.mailbox
        login = next(each for each in place.logging_in() if each.mailbox == mailbox)
        if outcome == "opened":
            login.ended = place.now
            self.core.session_opened(mailbox, place.now)
            self.play("session_opened", *mailbox)
            return
        is_sent, is_refusal = outcome != "unsent", outcome == "refused"
        ends_at = place.now + MINUTE if outcome == "lost" else None
        login.refused_at = place.now if is_refusal else None
        if is_sent:
            login.ended = ends_at or place.now
        else:
            place.logins.remove(login)
        place.sessions[mailbox] -= 1
        self.core.session_refused(mailbox, place.now, is_login_sent=is_sent, ends_at=ends_at, is_refusal=is_refusal)
        self.play("session_refused", *mailbox, is_sent, ends_at, is_refusal)

    def a_session_is_closed(self, which: int) -> None:
        found = sorted(self.place.idle())
        if found:
            self.close(found[which % len(found)])

    def close(self, mailbox: MailboxId) -> None:
        self.place.sessions[mailbox] -= 1
        self.core.session_closed(mailbox, self.place.now)
        self.play("session_closed", *mailbox)

    def there_are_enough_sessions(self, mailbox: MailboxId, pause: int, is_provider: bool) -> None:
        until = self.place.now + pause
        self.core.crowded(mailbox, until, self.place.now, is_provider=is_provider)
        self.play("crowded", *mailbox, until, is_provider)

    def somebody_asks_whether_it_logged_in(self, mailbox: MailboxId) -> None:
        expected = self.core.look(mailbox).is_spent(self.place.now)
        assert bool(self.player.call("spent", self.place.now, *mailbox)) == expected

    # witnesses

    def something_is_seen_of_a_mailbox(self, mailbox: MailboxId, what: str) -> None:
        now, witnesses = self.place.now, self.core.host(mailbox.provider).witnesses
        if what == "accuse":
            self.core.accuse(mailbox.provider, [mailbox])
            self.play("accuse", mailbox.provider, [mailbox.username])
        elif what == "drop":
            self.core.blame_drops(mailbox.provider, [mailbox])
            self.play("blame_drops", mailbox.provider, [mailbox.username])
        elif what == "break":
            witnesses.break_line(mailbox, now)
            self.play("break_line", *mailbox, now)
        elif what == "tell":
            witnesses.tell(mailbox, Told(now, is_at_login=False))
            self.play("tell", *mailbox, now, False)
        else:
            self.core.clear(mailbox, now)
            self.play("clear", *mailbox)

    # health and terms

    def health_changes(
        self,
        mailbox: MailboxId,
        is_stopped: bool,
        after: int | None,
        is_proven: bool,
        slow: int,
        login_after: int | None,
        is_fresh: bool,
    ) -> None:
        now = self.place.now
        probe_at = now + after if after is not None and is_stopped else None
        logs_in_at = 0 if login_after is None else now + login_after
        standing = Standing(is_stopped, probe_at, is_proven, slow, logs_in_at, is_fresh)
        self.stands(mailbox, standing)
        self.compare()

    def stands(self, mailbox: MailboxId, standing: Standing) -> None:
        self.place.standings[mailbox] = standing
        self.core.set_standing(mailbox, standing, self.place.now)
        self.play("set_standing", *mailbox, pack_standing(standing))

    def a_host_fails_or_works(self, provider: str, is_stopped: bool, after: int | None, how: str) -> None:
        probe_at = self.place.now + after if after is not None and is_stopped else None
        standing = Standing(
            is_stopped,
            probe_at,
            is_for_proven=is_stopped and how == "for proven",
            is_one_by_one=is_stopped and how == "one by one",
        )
        self.place.provider_standings[provider] = standing
        self.core.set_provider_standing(provider, standing)
        self.play("set_provider_standing", provider, pack_standing(standing))

    def an_admin_edits_a_mailbox(self, mailbox: MailboxId, new: MailboxTerms) -> None:
        self.place.terms[mailbox] = new
        self.core.reload(mailbox, self.place.now)
        self.play("set_terms", *mailbox, pack_terms(new))
        self.compare()

    def an_admin_edits_a_provider(self, provider: str, new: ProviderTerms) -> None:
        self.place.provider[provider] = new
        self.core.reload_provider(provider, self.place.now)
        self.hand_in_provider(provider)

    def entries_turn_out_to_be_kin(self, kinship: Kinship) -> None:
        self.place.kinship = kinship
        self.core._lines = self.core._round.lines = dict(sorted(self.core._lines.items()))
        self.core.set_kinship(kinship, self.place.now)
        self.play("set_kinship", pack_kinship(kinship))
        self.compare()

    def the_civil_clock_is_corrected(self, step: int) -> None:
        """The server counts days anew by the corrected clock, as core does when it reads its memory again."""
        place, core = self.place, self.core
        place.offset += step
        core._lines = core._round.lines = dict(sorted(core._lines.items()))
        for line in core._lines.values():
            recount(place, line)
        for provider in core._providers.values():
            provider.totals = load_totals(place, provider.name, provider.terms)
        core.set_civil_offset(place.offset, place.now)
        self.play("set_civil_offset", place.offset)
        self.compare()

    def what_is_over_is_forgotten(self) -> None:
        """On the server alone: it makes no difference to anything that is decided."""
        self.player.call("rest", self.place.now, 100)
