"""What a session says: to its client as steps, to the log as records.

Law: whatever is said to the client was noted before; the faults that spoil any reply are drawn here and nowhere else.
"""

from enum import Enum
from typing import NamedTuple, TypedDict, Unpack

from relay.core.words import Stage
from relay.sandbox.journal import Record
from relay.sandbox.provider import Provider
from relay.sandbox.replies import GARBAGE, on_wire
from relay.sandbox.script import Act, ScriptedReply
from relay.sandbox.settings import Fault

FLOOD_BYTES = 10_000_000
"""How much of an endless line is sent: more than any client should read, little enough to end."""


class After(Enum):
    """What happens to the connection once the bytes of a step are sent."""

    STAY = "stay"
    CLOSE = "close"
    DROP = "drop"
    UPGRADE = "upgrade"
    HANG = "hang"


class Step(NamedTuple):
    """Bytes to send, how late in seconds, whether byte by byte at that pace, and what then."""

    data: bytes
    after: After = After.STAY
    late: float = 0.0
    is_trickle: bool = False


class Details(TypedDict, total=False):
    """What only some records hold."""

    user: str
    rcpt: str | None
    size: int
    counted: int
    fault: str
    file: str | None


class Voice:
    """The mouth of one session; `steps` is what its owner has to do next, in order."""

    def __init__(self, provider: Provider, number: int) -> None:
        self.steps: list[Step] = []
        self.now = provider.world.now()
        self.user: str | None = None
        self.sender: str | None = None
        self.named: str | None = None
        self.message_id: str | None = None
        self.is_silent = False
        self._provider = provider
        self._number = number

    def say(self, stage: Stage | None, reply: str, after: After = After.STAY) -> None:
        """Sends a reply; 421 closes the connection (RFC 5321 section 3.8)."""
        data, late, is_trickle = on_wire(reply), 0.0, False
        if stage is not None and self._provider.rates:
            data, late, is_trickle = self._spoil(stage, data)
        if after is After.STAY and reply.startswith("421"):
            after = After.CLOSE
        self._step(Step(data, after, late, is_trickle))

    def misbehave(self, stage: Stage | None, what: ScriptedReply | Fault) -> None:
        """Does something else than reply."""
        if isinstance(what, Fault):
            self.note("fault", stage, rcpt=self.named, fault=what)
            self._step(Step(b"", After.DROP))
            return
        self.note("fault", stage, rcpt=self.named, fault=what.act.removeprefix("!"))
        match what.act:
            case Act.DROP:
                self._step(Step(on_wire(what.text)[:-2], After.DROP))
            case Act.HANG:
                self._step(Step(on_wire(what.text)[:-2], After.HANG))
            case Act.FLOOD:
                self._step(Step(b"2" * FLOOD_BYTES, After.HANG))
            case _:
                self._step(Step(on_wire(what.text)))

    def note(
        self, event: str, stage: Stage | None = None, reply: str | None = None, **details: Unpack[Details]
    ) -> None:
        """Writes one record of this session at the instant of its command."""
        record: Record = {
            "t": self.now.wall,
            "m": self.now.steady,
            "event": event,
            "session": self._number,
            "stage": stage,
            "user": self.user,
            "from": self.sender,
            "rcpt": None,
            "size": None,
            "reply": reply,
            "id": self.message_id,
            **details,
        }
        self._provider.journal.note(record)

    def _step(self, step: Step) -> None:
        self.steps.append(step)
        self.is_silent = self.is_silent or step.after is not After.STAY

    def _spoil(self, stage: Stage, data: bytes) -> tuple[bytes, float, bool]:
        """The faults that concern any reply: the command took effect, only its answer suffers."""
        late, is_trickle = 0.0, False
        if self._strikes(Fault.GARBAGE, stage):
            data = GARBAGE[int(self._provider.world.chance() * len(GARBAGE))]
        if self._strikes(Fault.SLOW, stage):
            late = self._provider.settings.slow_seconds
        if self._strikes(Fault.TRICKLE, stage):
            late, is_trickle = self._provider.settings.slow_seconds, True
        return data, late, is_trickle

    def _strikes(self, fault: Fault, stage: Stage) -> bool:
        struck = self._provider.strikes(fault)
        if struck:
            self.note("fault", stage, fault=fault)
        return struck
