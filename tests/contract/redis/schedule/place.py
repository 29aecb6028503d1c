"""What both schedules of a test live through: terms, standings, attempts and logins, kept in lists.

Law: core's schedule reads its memory here; the Lua is handed the same by verbs, and keeps its own.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from zoneinfo import ZoneInfo

from relay.core.kinship import NO_KIN, Kinship
from relay.core.limits import HOUR
from relay.core.terms import MailboxTerms, PastAttempt, ProviderTerms, Standing
from relay.core.words import MailboxId

ROME = ZoneInfo("Europe/Rome")

MAILBOXES = [MailboxId("p", "a"), MailboxId("p", "b"), MailboxId("p", "c"), MailboxId("q", "a"), MailboxId("r", "d")]
PROVIDERS = ["p", "q", "r"]

BOTH = Kinship({"host:1": ("p", "q"), "host:2": ("r",)}, frozenset(PROVIDERS))
"""Two entries lead to the same place, and are there together."""
GONE = Kinship(BOTH.places, frozenset({"p", "r"}))
"""The routing has one of them no more, whose attempts still count in the other's totals."""
KINSHIPS = [NO_KIN, BOTH, GONE]

BEGAN = 100 * HOUR
SUMMER_ENDS = round(datetime(2026, 10, 24, 23, 50, tzinfo=ROME).timestamp() * 1_000_000)
"""Ten minutes before the day of 25 hours."""


@dataclass
class Run:
    """An attempt or a login: `ended` None while it runs."""

    mailbox: MailboxId
    started: int
    name: str = ""
    ended: int | None = None
    refused_at: int | None = None

    @property
    def past(self) -> PastAttempt:
        return PastAttempt(self.mailbox, self.started, self.ended)


@dataclass
class Place:
    """All there is to know."""

    now: int = BEGAN
    offset: int = SUMMER_ENDS - BEGAN
    terms: dict[MailboxId, MailboxTerms] = field(default_factory=dict)
    provider: dict[str, ProviderTerms] = field(default_factory=dict)
    standings: dict[MailboxId, Standing] = field(default_factory=dict)
    provider_standings: dict[str, Standing] = field(default_factory=dict)
    kinship: Kinship = NO_KIN
    attempts: list[Run] = field(default_factory=list)
    logins: list[Run] = field(default_factory=list)
    sessions: dict[MailboxId, int] = field(default_factory=lambda: dict.fromkeys(MAILBOXES, 0))
    deliveries: int = 0

    # for core

    def mailbox_terms(self, mailbox: MailboxId) -> MailboxTerms:
        return self.terms[mailbox] if mailbox in self.terms else MailboxTerms()

    def provider_terms(self, provider: str) -> ProviderTerms:
        return self.provider[provider]

    def mailbox_standing(self, mailbox: MailboxId) -> Standing:
        return self.standings.get(mailbox, Standing())

    def provider_standing(self, provider: str) -> Standing:
        return self.provider_standings.get(provider, Standing())

    def mailbox_past(self, mailbox: MailboxId) -> Iterable[PastAttempt]:
        names = {mailbox, *self.kinship.of(mailbox)}
        return [run.past for run in self.attempts if run.mailbox in names]

    def provider_past(self, provider: str) -> Iterable[PastAttempt]:
        names = {provider, *self.kinship.gone_of(provider)}
        return [run.past for run in self.attempts if run.mailbox.provider in names]

    def login_past(self, mailbox: MailboxId) -> Iterable[PastAttempt]:
        names = {mailbox, *self.kinship.of(mailbox)}
        return [login.past for login in self.logins if login.mailbox in names]

    def refusal_past(self, mailbox: MailboxId) -> Iterable[PastAttempt]:
        names = {mailbox, *self.kinship.of(mailbox)}
        for login in (login for login in self.logins if login.mailbox in names):
            if login.refused_at is not None:
                yield PastAttempt(login.mailbox, login.started, login.refused_at)
            elif login.ended is None:
                yield login.past

    def civil_offset(self) -> int:
        return self.offset

    # what there is

    def running(self) -> list[Run]:
        return [run for run in self.attempts if run.ended is None]

    def logging_in(self) -> list[Run]:
        return [login for login in self.logins if login.ended is None]

    def idle(self) -> dict[MailboxId, int]:
        """Open sessions that carry nothing."""
        busy = [run.mailbox for run in self.running()] + [login.mailbox for login in self.logging_in()]
        return {m: many for m in MAILBOXES if (many := self.sessions[m] - busy.count(m)) > 0}

    def new_deliveries(self, many: int) -> list[int]:
        first = self.deliveries + 1
        self.deliveries += many
        return list(range(first, first + many))
