"""The schedule of an operation that is judged in Python: it reads what the server has, and notes what it would change.

Law: nothing is changed on the server before the operation is committed; until then the operation sees its own changes.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import Any

from relay.core.kinship import Kinship
from relay.core.limits import Instant
from relay.core.rotation import Line, ProviderLine
from relay.core.schedule import Schedule
from relay.core.terms import Grant, Memory, Standing
from relay.core.words import AccountId, DeliveryId, Lane, MailboxId
from relay.store.redis.editing import Asked, Left
from relay.store.redis.looking import LookedAt, Read
from relay.store.redis.noted import NotedWitnesses, Record
from relay.store.redis.packing import Packed, midnights, pack_kinship, pack_provider_terms, pack_standing, pack_terms


class RedisSchedule(Schedule):
    """As core's, of one operation."""

    def __init__(
        self, memory: Memory, read: Read, record: Record, *, node: str | None = None, asked: Asked | None = None
    ) -> None:
        """`node` opens the sessions that are reserved; `asked` asks about many mailboxes at once.

        `memory` knows terms, standings and clocks; its pasts are not asked for, because the server counts them.
        """
        self._looked_at = LookedAt(memory, read)
        super().__init__(memory, round_=self._looked_at)
        self._read = read
        self._record = record
        self._node = node
        self._asked = asked
        self._needed: set[MailboxId] = set()
        self._left: Left | None = None
        self._with_logins: Collection[MailboxId] | None = None

    # an edit of many

    def leave(self) -> None:
        """From here on terms and moves of many are not done at once: `left` says what is left."""
        self._left = Left()

    def left(self) -> Iterator[tuple[str, list[Packed]]]:
        """The verbs that are left, each with all that it is about, as it is known now."""
        return iter(()) if self._left is None else self._left.verbs(self._terms, self._standing)

    def look_ahead(self, mailboxes: Collection[MailboxId]) -> None:
        """The logins of these will be asked for, one by one."""
        if self._asked is not None and len(mailboxes) > 1:
            kin = [each for each in mailboxes if self._round.kinship.has_kin(each.provider)]
            self._with_logins = {*kin, *self._asked.with_logins(mailboxes)}

    def reload_all(self, mailboxes: Collection[MailboxId], now: Instant) -> None:
        """As `reload`; who never had anything ready is told its terms when it has."""
        found = mailboxes if self._asked is None else self._asked.with_terms(mailboxes)
        if self._left is not None:
            self._left.terms += found
            return
        for mailbox in found:
            self.reload(mailbox, now)

    def _need_terms(self, mailbox: MailboxId) -> None:
        """Something becomes ready there, perhaps for the first time."""
        if mailbox not in self._needed:
            self._needed.add(mailbox)
            self._note("need_terms", *mailbox, self._terms(mailbox), self._standing(mailbox))

    def _terms(self, mailbox: MailboxId) -> Packed:
        return pack_terms(self._memory.mailbox_terms(mailbox))

    def _standing(self, mailbox: MailboxId) -> Packed:
        return pack_standing(self._memory.mailbox_standing(mailbox))

    def _note(self, name: str, *args: Any) -> None:
        self._record(f"schedule.{name}", list(args))

    # what waits: by their ids

    def add_deliveries(
        self, mailbox: MailboxId | None, account: AccountId, lane: Lane, ids: Sequence[DeliveryId], now: Instant
    ) -> None:
        """These became ready; without a mailbox they only wait, for mail of the account goes nowhere."""
        if mailbox is not None:
            self._need_terms(mailbox)
        self._note("add_ready", *(mailbox or (None, None)), account, lane.value, list(ids))
        if mailbox is not None:
            super().add_ready(mailbox, account, lane, now, len(ids))

    def remove_delivery(
        self, mailbox: MailboxId | None, account: AccountId, lane: Lane, delivery: DeliveryId, now: Instant
    ) -> None:
        """It was ready and is not any more."""
        self._note("remove_ready", *(mailbox or (None, None)), account, lane.value, delivery)
        if mailbox is not None:
            super().remove_ready(mailbox, account, lane, now)

    def follow_account(
        self, account: AccountId, origin: MailboxId | None, target: MailboxId | None, now: Instant
    ) -> None:
        """What is ready of an account follows it; None: its mail goes nowhere."""
        if self._left is not None:
            self._left.moves.append((account, origin, target))
            return
        if target is not None:
            self._need_terms(target)
        self._note("move_account", account, origin and list(origin), target and list(target))
        waiting = self.waiting_of(None, account) if origin is None else self.ready_of(origin, account)
        for lane, many in zip(Lane, waiting, strict=True):
            if origin is not None and many:
                super().remove_ready(origin, account, lane, now, many)
            if target is not None and many:
                super().add_ready(target, account, lane, now, many)

    def waiting_of(self, mailbox: MailboxId | None, account: AccountId) -> tuple[int, int]:
        """How many the server has ready, express and bulk, of an account whose mail may go nowhere."""
        express, bulk = self._read("schedule_ready", [*(mailbox or ("", "")), account])
        return express, bulk

    def ready_of(self, mailbox: MailboxId, account: AccountId) -> tuple[int, int]:
        """How many are ready: express, bulk."""
        if mailbox in self._lines:
            return super().ready_of(mailbox, account)
        return self.waiting_of(mailbox, account)

    # what only the server does, or does by ids and numbers: here it would change nothing there

    def grant(self, now: Instant, idle: Mapping[MailboxId, int], most: int) -> list[Grant]:
        raise TypeError("take.lua grants")

    def open_sessions(
        self, now: Instant, most: int, *, left: Collection[MailboxId] = frozenset()
    ) -> dict[MailboxId, int]:
        raise TypeError("take.lua opens sessions")

    def add_ready(self, mailbox: MailboxId, account: AccountId, lane: Lane, now: Instant, many: int = 1) -> None:
        raise TypeError("add_deliveries names them")

    def remove_ready(self, mailbox: MailboxId, account: AccountId, lane: Lane, now: Instant, many: int = 1) -> None:
        raise TypeError("remove_delivery names it")

    def move_account(self, account: AccountId, origin: MailboxId, target: MailboxId | None, now: Instant) -> None:
        raise TypeError("follow_account moves what goes nowhere too")

    def start_trial(self, mailbox: MailboxId, now: Instant) -> None:
        raise TypeError("begin_trial numbers it")

    def end(self, mailbox: MailboxId, started: Instant, at: Instant | None, now: Instant) -> None:
        raise TypeError("end_attempt knows its number")

    # attempts, by their numbers

    def end_attempt(
        self, mailbox: MailboxId, attempt: int, started: Instant, *, at: Instant | None, now: Instant
    ) -> None:
        """An attempt ended at `at`; None: MAIL was not written, its slots return."""
        self._note("end_attempt", *mailbox, str(attempt), started, at)
        super().end(mailbox, started, at, now)

    def begin_trial(self, mailbox: MailboxId, attempt: int, now: Instant) -> None:
        """An attempt of no delivery takes its slots."""
        self._note("start_trial", *mailbox, str(attempt))
        super().start_trial(mailbox, now)

    # sessions

    def reserve_session(self, mailbox: MailboxId, now: Instant) -> None:
        self._note("reserve_session", *mailbox, self._node)
        super().reserve_session(mailbox, now)

    def session_opened(self, mailbox: MailboxId, now: Instant) -> None:
        self._note("session_opened", *mailbox)
        super().session_opened(mailbox, now)

    def session_refused(
        self,
        mailbox: MailboxId,
        now: Instant,
        *,
        is_login_sent: bool,
        ends_at: Instant | None = None,
        is_refusal: bool = False,
    ) -> None:
        self._note("session_refused", *mailbox, is_login_sent, ends_at, is_refusal)
        line = self.look(mailbox)  # core's own would note that the session is closed
        line.provider.begin(line, -1)
        at = (now if ends_at is None else ends_at) if is_login_sent else None
        self._round.end_login(line, now, at, is_refusal=is_refusal)
        super().session_closed(mailbox, now)

    def session_closed(self, mailbox: MailboxId, now: Instant) -> None:
        self._note("session_closed", *mailbox)
        super().session_closed(mailbox, now)

    def resume_sessions(self, mailbox: MailboxId, now: Instant, *, sessions: int, opening: int) -> None:
        """Sessions of a node that is back, or (negative) of one that is gone."""
        self._note("resume_sessions", *mailbox, sessions, opening)
        super().resume_sessions(mailbox, now, sessions=sessions, opening=opening)

    def end_logins(self, mailbox: MailboxId, at: Instant, *, is_refusal: bool) -> None:
        """All that are under way end, and nobody knows how."""
        self._note("end_logins", *mailbox, at, is_refusal)
        line = self.look(mailbox)
        for _ in range(line.logins.in_flight):
            self._round.end_login(line, at, at, is_refusal=is_refusal)

    def acquit_logins(self, mailbox: MailboxId, since: Instant) -> None:
        """That it was refused since then was no matter of its password."""
        self._note("acquit_logins", *mailbox, since)
        self._looked_at.recount(self.look(mailbox), refused_before=since)

    def crowded(self, mailbox: MailboxId, until: Instant, now: Instant, *, is_provider: bool) -> None:
        self._note("crowded", *mailbox, until, is_provider)
        super().crowded(mailbox, until, now, is_provider=is_provider)

    def has_logged_in(self, mailbox: MailboxId, now: Instant) -> bool:
        if self._with_logins is not None and mailbox not in self._with_logins:
            return False
        return self.look(mailbox).is_spent(now)

    # witnesses

    def accuse(self, provider: str, mailboxes: Iterable[MailboxId]) -> None:
        found = list(mailboxes)
        self._note("accuse", provider, [each.username for each in found])
        super().accuse(provider, found)

    def blame_drops(self, provider: str, mailboxes: Sequence[MailboxId]) -> None:
        self._note("blame_drops", provider, [each.username for each in mailboxes])
        super().blame_drops(provider, mailboxes)

    def clear(self, mailbox: MailboxId, now: Instant) -> None:
        self._note("clear", *mailbox)
        super().clear(mailbox, now)

    def host(self, name: str) -> ProviderLine:
        """A provider as it stands; what its witnesses are told is noted."""
        found = super().host(name)
        if not isinstance(found.witnesses, NotedWitnesses):
            found.witnesses = NotedWitnesses.of(found.witnesses, self._record)
        return found

    # health and terms

    def set_standing(self, mailbox: MailboxId, standing: Standing, now: Instant) -> None:
        self._note("set_standing", *mailbox, pack_standing(standing))
        super().set_standing(mailbox, standing, now)

    def set_provider_standing(self, provider: str, standing: Standing) -> None:
        self._note("set_provider_standing", provider, pack_standing(standing))
        super().set_provider_standing(provider, standing)

    def set_kinship(self, kinship: Kinship, now: Instant) -> None:
        """Which mailboxes are one, under several names; whoever is looked at after this is read when it is in force."""
        self._note("set_kinship", pack_kinship(kinship))
        self.know_kinship(kinship)

    def know_kinship(self, kinship: Kinship) -> None:
        """As the server has it already."""
        self._round.kinship = kinship

    def set_civil_offset(self, offset: int, now: Instant) -> None:
        self._note("set_civil_offset", offset)
        super().set_civil_offset(offset, now)

    def reload(self, mailbox: MailboxId, now: Instant) -> None:
        """The mailbox's terms changed: they, and what it is remembered to stand at, are handed to the server."""
        self._note("set_terms", *mailbox, self._terms(mailbox), self._standing(mailbox))
        self._looked_at.begin_anew(mailbox, now)

    def reload_provider(self, name: str, now: Instant) -> None:
        """The provider's terms changed: they, its calendar and its standing are handed to the server."""
        terms, civil = self._memory.provider_terms(name), now + self._memory.civil_offset()
        self._note("set_provider_standing", name, pack_standing(self._memory.provider_standing(name)))
        self._note("set_provider_terms", name, pack_provider_terms(terms), midnights(terms.zone, civil))
        provider = self._providers.get(name)
        if provider is not None:
            provider.terms, provider.standing = terms, self._memory.provider_standing(name)
            self._looked_at.recount_totals(provider)

    def hand_in_calendar(self, name: str, now: Instant) -> None:
        """A provider's midnights from now on: at every start, and long before those that it has are over."""
        zone, civil = self._memory.provider_terms(name).zone, now + self._memory.civil_offset()
        self._note("set_midnights", name, midnights(zone, civil))

    # for others to read

    def lines(self) -> list[Line]:
        """All mailboxes with something ready."""
        self._looked_at.all_busy()
        return [line for line in super().lines() if line.ready]
