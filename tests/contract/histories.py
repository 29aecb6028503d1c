"""Random histories of two stores at once: the model, and the adapter that has to do the same.

Law: the adapter decides first; the model follows its choice where several are right, and nowhere else.
"""

from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import replace
from fractions import Fraction
from typing import Any, TypeVar

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule

from relay.core.envelope import Claim, Kind, LoginFailure, Result, Verdict
from relay.core.limits import MINUTE, Limit
from relay.core.routing import Account, InDoubt, Provider, Routing
from relay.core.words import MailboxId, Stage
from relay.errors import CorruptValue
from relay.store.needs import StoreSettings
from relay.store.ports import OutboxEntry
from relay.store.ports.sessions import SessionEvent
from tests.contract import scene
from tests.contract.harness import Harness, ModelHarness, SqliteHarness
from tests.contract.model import Hints, ModelStore
from tests.contract.scene import NODE, OTHER, SECOND, account, message, provider, result
from tests.simulation.loop import VirtualLoop

T = TypeVar("T")
Pair = tuple[Claim, Claim]
"""The same claim as the adapter and as the model gave it."""

SENDERS = ["a@studio.test", "b@studio.test", "c@studio.test", "d@studio.test"]
NODES = st.sampled_from([NODE, NODE, NODE, OTHER])

OUTCOMES: list[Result] = [
    scene.DELIVERED,
    scene.DELIVERED,
    scene.DELIVERED,
    scene.DEFERRED,
    scene.BOUNCED,
    scene.GUESSED,
    scene.GUESSED,
    scene.MAIL_REFUSED,
    scene.IN_DOUBT,
    scene.NOT_UNDERSTOOD,
    scene.DROPPED,
    scene.NEVER_MAIL,
    scene.CROWDED,
    replace(scene.CROWDED, is_provider=True),
    result(Verdict.DEFERRED, "network", stage=Stage.DATA, reply=None, is_end_known=False),
    result(Verdict.DEFERRED, "rate-limited", stage=Stage.MAIL, retry_after=7 * MINUTE),
]
SELDOM: list[Result] = [
    result(Verdict.DEFERRED, "rate-limited", stage=Stage.MAIL),
    result(Verdict.DEFERRED, "quota-exceeded", stage=Stage.MAIL),
    result(Verdict.BOUNCED, "spam-blocked"),
    result(Verdict.HELD, "ip-blocked", stage=Stage.MAIL, is_provider=True),
    result(Verdict.HELD, "tls-required", stage=Stage.RCPT, is_provider=True),
    scene.NOT_NOW,
]
"""Most of them stop a mailbox for so long that little else would happen."""
FAILURES: list[LoginFailure] = [
    scene.AUTH_REFUSED,
    scene.AUTH_REFUSED,
    scene.AUTH_LATER,
    scene.HOST_DOWN,
    scene.HOST_UNTRUSTED,
    replace(scene.ADDRESS_BLOCKED, stage=Stage.AUTH, is_login_sent=True),
    replace(scene.HOST_DOWN, is_provider=False),
    scene.LOGIN_CROWDED,
    replace(scene.LOGIN_CROWDED, is_provider=True),
]

LOGINS = [SessionEvent.OPENED] * 15 + [SessionEvent.DECLINED, SessionEvent.KNOCKED, *FAILURES]
FATES: list[Result | str] = ["stays", "stays", "gated", "gated", *[scene.DELIVERED] * 12, *OUTCOMES]

limits = st.lists(st.builds(Limit, st.integers(1, 4), st.sampled_from([10 * SECOND, 2 * MINUTE])), max_size=2)


def providers_named(name: str) -> st.SearchStrategy[Provider]:
    """Providers with few slots; now and then two of them lead to the same place."""
    return st.builds(
        lambda own, totals, **more: replace(
            provider(name),
            limits=tuple(own),
            total_limits=tuple(totals),
            linger=20 * SECOND,
            **more,
        ),
        host=st.sampled_from([f"smtp.{name}.test", "smtp.same.test"]),
        own=limits,
        totals=st.lists(st.builds(Limit, st.integers(1, 5), st.just(15 * SECOND)), max_size=1),
        connections=st.integers(1, 3),
        total_connections=st.sampled_from([2, 20]),
        login_limit=st.sampled_from([Limit(10, 10 * MINUTE), Limit(3, 30 * SECOND)]),
        express_share=st.sampled_from([Fraction(0), Fraction(1, 3)]),
    )


def accounts_of(sender: str) -> st.SearchStrategy[Account]:
    """The account, somewhere."""
    return st.builds(
        lambda at, username, **more: account(sender, at, username=username, **more),
        at=st.sampled_from(["p", "p", "q"]),
        username=st.sampled_from([sender, sender, "shared"]),
        weight=st.sampled_from([1, 1, 3]),
        in_doubt=st.sampled_from([None, None, InDoubt.HOLD]),
    )


routings = st.builds(
    lambda p, q, accounts: Routing(providers={"p": p, "q": q}, accounts={one.sender: one for one in accounts}),
    providers_named("p"),
    providers_named("q"),
    st.tuples(*map(accounts_of, SENDERS)),
)
credentials = st.sampled_from(["first", "first", "first", "second", None])


def face(claim: Claim) -> tuple[Any, ...]:
    """What of a claim does not depend on how an adapter numbers things."""
    return (
        claim.message, claim.envelope, claim.mailbox, claim.account, claim.lane, claim.node, claim.size, claim.tries,
        claim.doubts, claim.is_probe,
    )  # fmt: skip


def said(entry: OutboxEntry) -> OutboxEntry:
    """An outbox entry without the adapter's numbers."""
    return replace(entry, id=0, delivery=0)


class Histories(RuleBasedStateMachine):
    """Both stores live through the same."""

    adapter_type: Callable[[StoreSettings], Harness] = SqliteHarness
    model_type: Callable[[StoreSettings], Harness] = ModelHarness

    def __init__(self) -> None:
        super().__init__()
        self.loop = VirtualLoop()
        self.sessions: Counter[MailboxId] = Counter()
        self.openings: Counter[MailboxId] = Counter()
        self.pairs: list[Pair] = []
        self.over: list[Pair] = []
        self.mails = 0
        self.adapter: Harness
        self.model: Harness
        self.do(self._begin())

    async def _begin(self) -> None:
        self.adapter, self.model = self.adapter_type(StoreSettings()), self.model_type(StoreSettings())

    def do(self, work: Awaitable[T]) -> T:
        """Runs one call to its end."""

        async def awaited() -> T:
            return await work

        return self.loop.run_until_complete(awaited())

    def teardown(self) -> None:
        self.loop.abandon()
        self.loop.close()

    @property
    def stores(self) -> tuple[Any, Any]:
        return self.adapter.store, self.model.store

    def turn_to(self, node: str) -> None:
        """Whose call the next ones are, where nodes have stores of their own."""

    # what happens

    @initialize(
        given_routing=routings,
        waiting=st.lists(st.integers(2, 6), min_size=4, max_size=4),
        fates=st.lists(st.sampled_from(FATES), min_size=4, max_size=9),
    )
    def mail_waits(self, given_routing: Routing, waiting: list[int], fates: list[Result | str]) -> None:
        self.apply(given_routing, "first")
        for sender, many in zip(SENDERS, waiting, strict=True):
            self.mail_comes(sender, many, 1, "one", Kind.MAIL)
        self.a_quarter_of_a_minute(NODE, fates[::2])
        self.a_quarter_of_a_minute(NODE, fates[1::2])

    def apply(self, routing: Routing, credential: str | None) -> None:
        """All mailboxes but the first have the credential `first`."""
        self.routing = routing
        mailboxes = sorted(set(routing.mailboxes()))
        prints = {mailbox: credential if mailbox == mailboxes[0] else "first" for mailbox in mailboxes}
        versions = [self.do(store.apply(routing, prints)) for store in self.stores]
        assert versions[0] == versions[1]

    @rule(data=st.data(), what=st.sampled_from(["death", "death", "edit", "edit", "removal", "credential", "close"]))
    def something_rare_happens(self, data: st.DataObject, what: str) -> None:
        if what == "death":
            self.the_process_dies()
        elif what == "edit":
            self.apply(data.draw(routings), data.draw(credentials))
        elif what == "removal":
            gone = data.draw(st.sampled_from(SENDERS))
            left = {sender: one for sender, one in self.routing.accounts.items() if sender != gone}
            self.apply(replace(self.routing, accounts=left), data.draw(credentials))
        elif what == "credential":
            self.apply(self.routing, data.draw(credentials))
        elif self.idle():
            event = data.draw(st.sampled_from([SessionEvent.CLOSED, SessionEvent.LOST]))
            self.close(data.draw(st.sampled_from(sorted(self.idle()))), event)

    @rule(
        sender=st.sampled_from(SENDERS),
        many=st.sampled_from([1, 1, 3, 6]),
        recipients=st.sampled_from([1, 1, 2]),
        client=st.sampled_from(["one", "two"]),
        kind=st.sampled_from([Kind.MAIL, Kind.MAIL, Kind.REPORT]),
    )
    def mail_comes(self, sender: str, many: int, recipients: int, client: str, kind: Kind) -> None:
        for _ in range(many):
            self.mails += 1
            addresses = [f"{number + self.mails % 3}@patients.test" for number in range(recipients)]
            new = message(self.mails, sender, *addresses, client=client, kind=kind)
            for store in self.stores:
                self.do(store.put(new))

    @rule(seconds=st.sampled_from([0.000001, 1, 5, 10.000001, 15.000001, 20, 61, 130, 400, 4000]))
    def time_passes(self, seconds: float) -> None:
        self.pass_time(seconds)
        self.take(NODE, {}, 0)

    def pass_time(self, seconds: float) -> None:
        self.loop.advance(seconds)

    @precondition(lambda self: not self.pairs)
    @rule()
    def nothing_happens_until_the_wake_up(self) -> None:
        taken = self.do(self.adapter.store.take(NODE, {}, 0))
        if taken.wake_at is not None and taken.wake_at > self.adapter.store.now():
            self.time_passes((taken.wake_at - self.adapter.store.now()) / SECOND)

    def idle(self) -> dict[MailboxId, int]:
        busy = Counter(claim.mailbox for claim, _ in self.pairs)
        return {mailbox: many - busy[mailbox] for mailbox, many in self.sessions.items() if many > busy[mailbox]}

    def take(self, node: str, idle: dict[MailboxId, int], most: int) -> None:
        """The adapter takes, and then the model."""
        self.turn_to(node)
        theirs = self.do(self.stores[0].take(node, idle, most))
        store = self.model.store
        assert isinstance(store, ModelStore)
        store.hints = Hints(theirs)
        ours = self.do(store.take(node, idle, most))
        assert [face(claim) for claim in theirs.claims] == [face(claim) for claim in ours.claims]
        assert theirs.open == ours.open
        assert theirs.knock == ours.knock
        if len(theirs.claims) + sum(theirs.open.values()) < most and ours.wake_at is not None:
            assert theirs.wake_at is not None
            assert theirs.wake_at <= ours.wake_at, "a wake-up is missed"
        self.pairs += zip(theirs.claims, ours.claims, strict=True)
        self.openings.update(theirs.open)

    @rule(
        node=NODES,
        most=st.sampled_from([1, 2, 50, 50]),
        logins=st.lists(st.sampled_from(LOGINS), min_size=1, max_size=3),
        fates=st.lists(st.sampled_from(FATES), min_size=1, max_size=5),
    )
    def a_busy_moment(
        self, node: str, most: int, logins: list[SessionEvent | LoginFailure], fates: list[Result | str]
    ) -> None:
        """Sessions are opened or refused, what may go is claimed, and attempts get on or end."""
        self.turn_to(node)
        self.take(node, {}, 50)
        for number, mailbox in enumerate(sorted(self.openings.elements())):
            self.report(mailbox, logins[number % len(logins)])
        self.take(node, self.idle(), most)
        for number, pair in enumerate(list(self.pairs)):
            self.meet(pair, fates[number % len(fates)])
        self.everything_is_asked()

    @rule(node=NODES, fates=st.lists(st.sampled_from(FATES), min_size=1, max_size=5))
    def a_quarter_of_a_minute(self, node: str, fates: list[Result | str]) -> None:
        """A take, what becomes of it, and its windows pass."""
        self.a_busy_moment(node, 50, [SessionEvent.OPENED], fates)
        self.time_passes(15.000001)

    def meet(self, pair: Pair, fate: Result | str) -> None:
        """An attempt stays where it is, comes to the gate, or ends."""
        if fate != "stays":
            self.gate(pair)
        if isinstance(fate, Result):
            self.settle(pair, fate)

    def report(self, mailbox: MailboxId, outcome: SessionEvent | LoginFailure) -> None:
        """What became of a session that a take named."""
        self.openings[mailbox] -= 1
        for store in self.stores:
            if isinstance(outcome, LoginFailure):
                self.do(store.refused(mailbox, outcome))
            else:
                self.do(store.session(mailbox, outcome))
        self.sessions[mailbox] += outcome is SessionEvent.OPENED

    def close(self, mailbox: MailboxId, event: SessionEvent) -> None:
        """An idle session is gone."""
        self.sessions[mailbox] -= 1
        for store in self.stores:
            self.do(store.session(mailbox, event))

    def gate(self, pair: Pair) -> None:
        """Both let it through, or neither."""
        self.turn_to(pair[0].node)
        theirs, ours = (self.do(store.gate(claim)) for store, claim in zip(self.stores, pair, strict=True))
        assert theirs == ours

    @precondition(lambda self: self.pairs)
    @rule(data=st.data(), outcome=st.sampled_from([*OUTCOMES, *SELDOM]), is_gated=st.booleans())
    def an_attempt_ends(self, data: st.DataObject, outcome: Result, is_gated: bool) -> None:
        pair = data.draw(st.sampled_from(self.pairs))
        if is_gated:
            self.gate(pair)
        self.settle(pair, outcome)

    @precondition(lambda self: self.over)
    @rule(data=st.data(), outcome=st.sampled_from([scene.DEFERRED, scene.BOUNCED, scene.DROPPED]))
    def an_ended_attempt_is_settled_again(self, data: st.DataObject, outcome: Result) -> None:
        self.settle(data.draw(st.sampled_from(self.over)), outcome)

    def settle(self, pair: Pair, outcome: Result) -> None:
        """Both accept it, or neither."""
        self.turn_to(pair[0].node)
        theirs, ours = (self.do(store.settle(claim, outcome)) for store, claim in zip(self.stores, pair, strict=True))
        assert theirs == ours
        if pair in self.pairs:
            self.pairs.remove(pair)
            self.over.append(pair)

    @rule(node=NODES)
    def a_heart_beats(self, node: str) -> None:
        self.turn_to(node)
        theirs, ours = (self.do(store.heartbeat(node)) for store in self.stores)
        assert Counter(map(face, theirs)) == Counter(map(face, ours))

    def the_process_dies(self) -> None:
        """Both crash, start again and recover all nodes."""
        for harness in (self.adapter, self.model):
            self.do(harness.crash_and_restart())
        self.sessions.clear()
        self.openings.clear()
        self.over += self.pairs
        self.pairs.clear()
        for node in (NODE, OTHER):
            theirs, ours = (self.do(store.recover(node)) for store in self.stores)
            assert theirs == ours
        self.take(NODE, {}, 0)

    # what can be asked

    @rule()
    def the_outbox_is_emptied(self) -> None:
        for store in self.stores:
            for entry in self.do(store.outbox(100)):
                self.do(store.done(entry.id))

    def everything_is_asked(self) -> None:
        """Outbox, counts and health are the same."""
        theirs, ours = (self.do(store.outbox(100)) for store in self.stores)
        assert Counter(map(said, theirs)) == Counter(map(said, ours))
        theirs, ours = (self.do(store.queue_counts()) for store in self.stores)
        counts = [[one for one in counted if one.waiting + one.sending + one.held] for counted in (theirs, ours)]
        under_way = [attempt.claim for attempt in self.stores[1].running()]
        if any(self.is_moved(claim) for claim in [*under_way, *(claim for claim, _ in self.pairs)]):
            counts = [[replace(one, oldest_seconds=None) for one in counted] for counted in counts]
        assert counts[0] == counts[1]
        theirs, ours = (self.do(store.health_counts()) for store in self.stores)
        assert Counter(theirs) == Counter(ours)
        for pair in self.pairs[-1:]:
            theirs, ours = (self.read(store, claim) for store, claim in zip(self.stores, pair, strict=True))
            assert theirs == ours

    def is_moved(self, claim: Claim) -> bool:
        """Whether it is sent through another provider than its account has now: whose age it is, is not promised."""
        account = self.routing.accounts.get(claim.account)
        return account is None or account.mailbox.provider != claim.mailbox.provider

    def read(self, store: Any, claim: Claim) -> bytes | None:
        """The message; None: the claim is over."""
        try:
            content: bytes = self.do(store.content(claim))
            return content
        except CorruptValue:
            return None
