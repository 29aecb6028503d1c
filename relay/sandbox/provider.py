"""The emulated provider: what all its sessions share, and what can be changed while it runs.

Law: sessions ask, the provider decides; it reads the clock once for each command, so that what it counts and what it
logs is one instant.
"""

from relay.core.words import Stage
from relay.sandbox.inbox import Inbox
from relay.sandbox.journal import Journal, Record
from relay.sandbox.replies import Misbehaviour, Refusal
from relay.sandbox.script import Act, Script, parse_reply
from relay.sandbox.settings import CountAt, Fault, SandboxSettings, parse_faults, parse_window
from relay.sandbox.users import Users
from relay.sandbox.windows import Windows
from relay.sandbox.world import Instant, World

NOBODY = ""
"""Whom sessions without a login count as."""


class Provider:
    """Users, limits, faults, scripted replies, log and inbox of one sandbox."""

    def __init__(self, settings: SandboxSettings, world: World) -> None:
        self.settings = settings
        self.world = world
        self.windows = Windows(parse_window(text) for text in settings.limits)
        self.rates = parse_faults(settings.faults)
        self.script = Script(parse_reply(text) for text in settings.replies)
        self.users = Users(settings.users, settings.users_file)
        self.inbox = Inbox(settings.inbox) if settings.inbox else None
        self.journal = Journal(settings.log, remember=settings.remember)

    def strikes(self, fault: Fault) -> bool:
        """Draws whether `fault` happens now."""
        rate = self.rates.get(fault)
        return rate is not None and self.world.chance() < rate

    def draws(self) -> bool:
        """One of two, evenly."""
        return self.world.chance() < 0.5

    def has_room(self, user: str | None, many: int, *, now: Instant) -> bool:
        """Whether `many` more recipients of this user keep every limit."""
        return self.windows.has_room(user or NOBODY, many, now=now.steady)

    def count(self, user: str | None, many: int, *, now: Instant) -> None:
        """Counts recipients of this user."""
        self.windows.count(user or NOBODY, many, now=now.steady)

    def recall(self, records: list[Record], *, now: Instant) -> None:
        """Counts again what an earlier run of this boot logged: a restarted provider has not forgotten."""
        for record in records:
            if record["m"] <= now.steady and (many := record.get("counted", 0)):
                self.windows.count(record["user"] or NOBODY, many, now=record["m"])

    def counts_at(self, moment: CountAt) -> bool:
        """Whether recipients are counted at this command."""
        return self.settings.count_at is moment

    def keep(self, message: bytes, *, now: Instant) -> str | None:
        """Puts a message into the inbox; the name of its file, if there is an inbox."""
        return self.inbox.keep(message, wall=now.wall) if self.inbox else None

    def permit(self, stage: Stage, usual: str, user: str | None = None) -> str:
        """The reply to give at `stage` to `user`; raises Refusal or Misbehaviour if the script has that instead."""
        scripted = self.script.take(stage, user)
        if scripted is None:
            return usual
        if scripted.act is not Act.ANSWER:
            raise Misbehaviour(scripted)
        if scripted.text[0] in "45":
            raise Refusal(scripted.text)
        return scripted.text
