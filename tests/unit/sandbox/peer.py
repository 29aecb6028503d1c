"""The other end of a session without a socket, and a world whose clock and lots the test decides."""

from base64 import b64encode
from collections.abc import Iterable

from relay.sandbox.journal import Record
from relay.sandbox.provider import Provider
from relay.sandbox.session import Session
from relay.sandbox.settings import SandboxSettings
from relay.sandbox.voice import After, Step
from relay.sandbox.world import Instant, World

EPOCH = 1_790_000_000.0


class FakeWorld:
    """Time stands until the test moves it; lots come from a list, then never strike."""

    def __init__(self) -> None:
        self.seconds = 1_000.0
        self.lots: list[float] = []

    def advance(self, seconds: float) -> None:
        self.seconds += seconds

    def world(self) -> World:
        return World(now=lambda: Instant(EPOCH + self.seconds, self.seconds), chance=self._chance)

    def _chance(self) -> float:
        return self.lots.pop(0) if self.lots else 0.999


class Peer:
    """A client of a sandbox provider; remembers every step that the session asked for."""

    def __init__(self, provider: Provider, number: int = 1, *, can_upgrade: bool = False) -> None:
        self.provider = provider
        self.session = Session(provider, number, can_upgrade=can_upgrade)
        self.steps: list[Step] = []
        self.banner = self._take(self.session.greet())

    def say(self, line: str) -> str:
        return self.send(line.encode() + b"\r\n")

    def send(self, data: bytes) -> str:
        return self._take(self.session.receive(data))

    def codes(self, *lines: str) -> list[str]:
        return [self.say(line)[:3] for line in lines]

    def login(self, user: str = "mario", password: str = "pw") -> str:
        self.say("EHLO relay.test")
        return self.say(f"AUTH PLAIN {b64encode(f'{chr(0)}{user}{chr(0)}{password}'.encode()).decode()}")

    def mail(self, message: bytes = b"Message-ID: <1@x>\r\n\r\nhello\r\n", *, rcpt: str = "p@y.test") -> str:
        """One transaction; the first refusal, or the last reply."""
        for line in ("MAIL FROM:<d@x.test>", f"RCPT TO:<{rcpt}>", "DATA"):
            reply = self.say(line)
            if reply[:1] not in "23":
                self.say("RSET")
                return reply
        return self.send(message + b".\r\n")

    @property
    def last(self) -> Step:
        return self.steps[-1]

    def is_dropped(self) -> bool:
        return self.last.after is After.DROP

    def _take(self, steps: Iterable[Step]) -> str:
        steps = list(steps)
        self.steps += steps
        return b"".join(step.data for step in steps).decode("utf-8", "replace")


def provider_of(world: FakeWorld, **settings: object) -> Provider:
    return Provider(SandboxSettings(**settings), world.world())  # type: ignore[arg-type]


def records(provider: Provider, event: str) -> list[Record]:
    return [record for record in provider.journal.records if record["event"] == event]
