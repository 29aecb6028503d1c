"""A store that remembers what delivery asked of it, in order, and grants by a script as simple as can be.

It has no limits and no clock: a delivery that waits may go whenever its mailbox has an idle session. What the port's
laws say about order, reports and waits it holds to, and complains where delivery breaks them.
"""

import asyncio
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from relay.core.envelope import Claim, Envelope, LoginFailure, Recipient, Result, Taken, Verdict
from relay.core.words import Lane, MailboxId
from relay.store.ports.sessions import SessionEvent

BODY = b"Subject: ricetta\r\n\r\nBuongiorno\r\n"


@dataclass
class Call:
    """One thing that was asked, and with what."""

    name: str
    mailbox: MailboxId | None = None
    claim: Claim | None = None
    result: Result | None = None
    event: SessionEvent | None = None
    failure: LoginFailure | None = None


@dataclass
class Box:
    """One mailbox: what waits, and its sessions."""

    waiting: deque[str] = field(default_factory=deque)
    connections: int = 1
    sessions: int = 0
    opening: int = 0
    is_stopped: bool = False


class FakeStore:
    """Queue and sessions in memory; `trouble` may raise for any call by its name."""

    def __init__(self, content: bytes = BODY) -> None:
        self.calls: list[Call] = []
        self.boxes: dict[MailboxId, Box] = {}
        self.claimed: dict[int, Claim] = {}
        self.gated: list[str] = []
        self.lost: list[Claim] = []
        self.settled: dict[str, list[Result]] = {}
        self.refuses_gate: set[str] = set()
        self.judges: dict[str, Verdict] = {}
        """Messages of which it knows better what becomes of them."""
        self.to_close: dict[MailboxId, int] = {}
        self.barred: set[str] = set()
        """Providers that let nobody in; the first knock that is answered ends it."""
        self.trouble: Callable[[str], None] = lambda _: None
        self.content_of: Callable[[Claim], bytes] = lambda _: content
        self.slowness = 0
        self.holding: dict[str, asyncio.Event] = {}
        self._attempts = 0
        self._deliveries = 0
        self._mark = 0
        self._waits: dict[asyncio.Future[None], int] = {}
        self._events: list[tuple[Callable[[], bool], asyncio.Future[None]]] = []

    # what the test does

    def put(self, mailbox: MailboxId, *messages: str, connections: int = 1) -> None:
        """Messages wait."""
        box = self.boxes.setdefault(mailbox, Box())
        box.connections = connections
        box.waiting.extend(messages)
        self._changed()

    def release(self, mailbox: MailboxId) -> None:
        """What had stopped the mailbox is gone."""
        self.boxes[mailbox].is_stopped = False
        self._changed()

    def change(self) -> None:
        """Something changed that is none of the fake's."""
        self._changed()

    async def until(self, is_so: Callable[[], bool]) -> None:
        """Returns when it is so; looks at each call, and every hundredth of a second for what does not show in one."""
        if not is_so():
            future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
            self._events.append((is_so, future))
            self._look_again()
            await future

    async def until_settled(self, many: int) -> None:
        """Returns when so many attempts were settled."""
        await self.until(lambda: len(self.results()) >= many)

    # what the test reads

    def results(self) -> list[Result]:
        return [call.result for call in self.calls if call.result is not None]

    def names(self, *wanted: str) -> list[str]:
        return [call.name for call in self.calls if not wanted or call.name in wanted]

    def events(self, mailbox: MailboxId) -> list[SessionEvent]:
        return [call.event for call in self.calls if call.event is not None and call.mailbox == mailbox]

    def failures(self, mailbox: MailboxId) -> list[LoginFailure]:
        return [call.failure for call in self.calls if call.failure is not None and call.mailbox == mailbox]

    # the port

    async def take(self, node: str, idle: Mapping[MailboxId, int], most: int) -> Taken:
        await self._do(Call("take"))
        claims = [self._claim(node, mailbox) for mailbox in self._due(idle, most)]
        wanted = self._wanted({mailbox: many for mailbox, many in idle.items() if many}, claims)
        to_close, self.to_close = self.to_close, {}
        knock = frozenset(mailbox for mailbox in wanted if mailbox.provider in self.barred)
        return Taken(tuple(claims), wanted, to_close, None, self._mark, knock)

    async def content(self, claim: Claim) -> bytes:
        self.trouble("content")
        return self.content_of(claim)

    async def gate(self, claim: Claim) -> bool:
        await self._do(Call("gate", claim=claim))
        if claim.message in self.refuses_gate or claim.attempt not in self.claimed:
            return False
        self.gated.append(claim.message)
        return True

    async def settle(self, claim: Claim, result: Result) -> Verdict | None:
        await self._do(Call("settle", claim=claim, result=result))
        self.settled.setdefault(claim.message, []).append(result)
        is_ours = self.claimed.pop(claim.attempt, None) is not None
        box = self.boxes[claim.mailbox]
        if is_ours and result.verdict in (Verdict.DROPPED, Verdict.HELD):
            box.waiting.appendleft(claim.message)
        if result.verdict is Verdict.HELD:
            box.is_stopped = True
        self._changed()
        became = self.judges.get(claim.message, result.verdict)
        return became if is_ours or result.verdict is Verdict.DELIVERED else None

    async def heartbeat(self, node: str) -> Sequence[Claim]:
        await self._do(Call("heartbeat"))
        lost, self.lost = self.lost, []
        for claim in lost:
            self.claimed.pop(claim.attempt, None)
        return lost

    async def recover(self, node: str) -> int:
        return 0

    async def wait(self, mark: int, until: int | None) -> None:
        self.trouble("wait")
        if self._mark != mark:
            return
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waits[future] = mark
        try:
            await future
        finally:
            self._waits.pop(future, None)

    def now(self) -> int:
        return int(asyncio.get_running_loop().time() * 1_000_000)

    async def session(self, mailbox: MailboxId, event: SessionEvent) -> None:
        await self._do(Call("session", mailbox, event=event))
        box = self.boxes[mailbox]
        if event in (SessionEvent.CLOSED, SessionEvent.LOST):
            assert box.sessions > 0, "a session was closed that was never opened"
            box.sessions -= 1
        else:
            assert box.opening > 0, f"{event} was reported, but nobody asked for it"
            box.opening -= 1
            box.sessions += event is SessionEvent.OPENED
        if event is SessionEvent.KNOCKED:
            self.barred.discard(mailbox.provider)
        self._changed()

    async def refused(self, mailbox: MailboxId, failure: LoginFailure) -> None:
        await self._do(Call("refused", mailbox, failure=failure))
        box = self.boxes[mailbox]
        assert box.opening > 0, "a refusal was reported, but nobody asked for it"
        box.opening -= 1
        box.is_stopped = True
        self._changed()

    # inside

    async def _do(self, call: Call) -> None:
        """What is written counts in the order of the calls, however slow the disk is."""
        self.trouble(call.name)
        self.calls.append(call)
        self._look()
        if call.name in self.holding:
            await self.holding[call.name].wait()
        for _ in range(self.slowness):
            await asyncio.sleep(0)

    def _due(self, idle: Mapping[MailboxId, int], most: int) -> list[MailboxId]:
        due = []
        for mailbox, many in idle.items():
            box = self.boxes[mailbox]
            due += [mailbox] * (0 if box.is_stopped else min(many, len(box.waiting)))
        return due[:most]

    def _claim(self, node: str, mailbox: MailboxId) -> Claim:
        message = self.boxes[mailbox].waiting.popleft()
        self._attempts += 1
        self._deliveries += 1
        claim = Claim(
            attempt=self._attempts,
            delivery=self._deliveries,
            message=message,
            mailbox=mailbox,
            account=mailbox.username,
            lane=Lane.EXPRESS,
            node=node,
            envelope=Envelope(mailbox.username, (Recipient("paziente@example.org"),)),
            size=len(BODY),
            tries=0,
            doubts=0,
        )
        self.claimed[claim.attempt] = claim
        return claim

    def _wanted(self, idle: Mapping[MailboxId, int], claims: Sequence[Claim]) -> dict[MailboxId, int]:
        wanted = {}
        for mailbox, box in self.boxes.items():
            unused = idle.get(mailbox, 0) - sum(claim.mailbox == mailbox for claim in claims)
            places = box.connections - box.sessions - box.opening
            many = min(len(box.waiting) - max(unused, 0) - box.opening, places)
            if many > 0 and not box.is_stopped:
                wanted[mailbox] = many
                box.opening += many
        return wanted

    def _changed(self) -> None:
        self._mark += 1
        for future in list(self._waits):
            if not future.done():
                future.set_result(None)
        self._look()

    def _look_again(self) -> None:
        self._look()
        if self._events:
            asyncio.get_running_loop().call_later(0.01, self._look_again)

    def _look(self) -> None:
        for is_so, future in list(self._events):
            if is_so() and not future.done():
                self._events.remove((is_so, future))
                future.set_result(None)
