"""What a node keeps in memory: after a look it is what a node finds that has just loaded the store.

Law: whatever was decided, and by whichever node, no memory says anything else than the store does.
"""

from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from relay.core.envelope import Result, Taken
from relay.core.keymark import KeyMark
from relay.core.routing import Routing
from relay.core.words import MailboxId
from relay.errors import StaleRouting, UnknownAccount
from relay.store.needs import StoreSettings
from relay.store.ports.sessions import SessionEvent
from relay.store.ports.unheard import Sending
from relay.store.redis.rowkeys import body_key
from relay.store.redis.store import RedisStore
from relay.vault import Vault
from relay.vault.vault import fingerprint_of
from tests.contract.harness import run
from tests.contract.histories import FATES, LOGINS, SENDERS, credentials, routings
from tests.contract.redis.harness import RedisHarness
from tests.contract.scene import account, message, provider

pytestmark = [pytest.mark.needs("redis-server"), pytest.mark.timeout(600)]

NODES = ("node-1", "node-2")
PATIENTS = ("0@patients.test", "1@patients.test")
KEYS = [bytes([number]) * 32 for number in range(1, 4)]

warmed = st.tuples(routings, st.booleans()).map(
    lambda found: replace(
        found[0], providers={name: replace(each, has_warmup=found[1]) for name, each in found[0].providers.items()}
    )
)
steps = st.one_of(
    st.tuples(st.just("edit"), warmed, credentials),
    st.tuples(st.just("removal"), st.sampled_from(SENDERS), credentials),
    *[st.tuples(st.sampled_from(["pause", "resume", "fixed"]), st.sampled_from(SENDERS[:2]))] * 3,
    *[st.tuples(st.sampled_from(["opt out", "lift"]), st.sampled_from(SENDERS[:2]), st.just(PATIENTS[0]))] * 3,
    *[st.tuples(st.just("look"))] * 4,
    st.tuples(st.sampled_from(["set", "drop"]), st.sampled_from("xyz"), st.sampled_from("12")),
    st.tuples(st.sampled_from(["unheard", "told"]), st.integers(0, 3)),
    st.tuples(st.just("turn"), st.sampled_from(KEYS)),
    st.tuples(st.just("time"), st.sampled_from([15.000001, 61, 400, 90000])),
    *[st.tuples(st.just("mail"), st.sampled_from(SENDERS), st.integers(1, 3))] * 2,
    *[st.tuples(st.just("work"), st.lists(st.sampled_from(FATES), min_size=1), st.sampled_from(LOGINS))] * 4,
)
"""What may happen; each on one of two nodes."""


class Nodes:
    """Two of them."""

    def __init__(self) -> None:
        self.harness = RedisHarness(StoreSettings())
        self.harness.part()
        first = self.harness.store
        assert isinstance(first, RedisStore)
        self.stores = [first, self.harness.other(NODES[1])]
        self.sessions: list[list[MailboxId]] = [[], []]
        self.mails: list[Sending] = []
        self.routing = Routing()

    async def step(self, number: int, what: str, *more: Any) -> None:
        """Something happens on one of them."""
        doing: dict[str, Callable[..., Any]] = {
            "edit": self.edit, "removal": self.remove, "mail": self.mail, "work": self.work, "time": self.time,
            "turn": self.turn, "unheard": self.unheard, "told": self.told,
        }  # fmt: skip
        if what in doing:
            await doing[what](number, *more)
        else:
            await self.say(self.stores[number], what, *more)

    async def say(self, store: RedisStore, what: str, *more: Any) -> None:
        """A person does, or the node looks."""
        books = store.books
        saying: dict[str, Callable[..., Any]] = {
            "look": store.applied,
            "pause": lambda sender: books.control.pause(sender, why="he is away"),
            "resume": books.control.resume,
            "fixed": books.control.fixed,
            "opt out": books.suppressions.opt_out,
            "lift": books.suppressions.lift,
            "set": books.secrets.set,
            "drop": lambda name, _: books.secrets.drop(name),
        }
        with suppress(UnknownAccount):  # the routing has it no more
            await saying[what](*more)

    async def edit(self, number: int, routing: Routing, credential: str | None) -> None:
        self.routing = routing
        mailboxes = sorted(set(routing.mailboxes()))
        prints = {mailbox: credential if mailbox == mailboxes[0] else "first" for mailbox in mailboxes}
        await self.stores[number].apply(routing, prints)

    async def remove(self, number: int, sender: str, credential: str | None) -> None:
        left = {each: one for each, one in self.routing.accounts.items() if each != sender}
        if left:
            await self.edit(number, replace(self.routing, accounts=left), credential)

    async def mail(self, number: int, sender: str, many: int) -> None:
        for _ in range(many):
            new = message(len(self.mails), sender, PATIENTS[len(self.mails) % 2])
            whom = frozenset(each.address for each in new.envelope.recipients)
            self.mails.append(Sending(new.client, new.account, whom, new.submitted_hash))
            await self.stores[number].put(new)

    async def unheard(self, number: int, mail: int) -> None:
        if mail < len(self.mails):
            await self.stores[number].books.unheard.remember(f"m-{mail}", self.mails[mail])

    async def told(self, number: int, mail: int) -> None:
        await self.stores[number].books.unheard.forget(f"m-{mail}")

    async def turn(self, number: int, key: bytes) -> None:
        books, ring = self.stores[number].books, self.stores[number]._ground.seals.cipher
        if fingerprint_of(key) not in await books.keys.ever_used():
            assert isinstance(ring, Vault)
            self.harness.keys.append(key)
            ring.add(key)
            await books.keys.turn(KeyMark(fingerprint_of(key), "somewhere"), place_of_first="first")
            await books.keys.reseal()

    async def time(self, number: int, seconds: float) -> None:
        await self.harness.advance(seconds)
        for each in (number, 1 - number):
            await self.stores[each].heartbeat(NODES[each])

    async def work(self, number: int, fates: Sequence[Result | str], login: Any) -> None:
        """It logs in and sends what it may."""
        store, sessions = self.stores[number], self.sessions[number]
        for mailbox, many in (await self.taken(number, {})).open.items():
            for each in range(many):
                if each or isinstance(login, SessionEvent):
                    await store.session(mailbox, SessionEvent.OPENED if each else login)
                    sessions += [mailbox] * (each > 0 or login is SessionEvent.OPENED)
                else:
                    await store.refused(mailbox, login)
        taken = await self.taken(number, dict.fromkeys(sessions, 1))
        for each, claim in enumerate(taken.claims):
            fate = fates[each % len(fates)]
            if isinstance(fate, Result):
                await store.gate(claim)
                await store.settle(claim, fate)

    async def taken(self, number: int, idle: dict[MailboxId, int]) -> Taken:
        try:
            return await self.stores[number].take(NODES[number], idle, 50)
        except StaleRouting:
            await self.stores[number].applied()
            return await self.stores[number].take(NODES[number], idle, 50)


async def memory(store: RedisStore) -> dict[str, Any]:
    """What is kept of the store."""
    await store.applied()

    def known(core: Any) -> dict[str, Any]:
        context, healths = core.context, core.context.remembrance
        return {
            "routes": context.routes,
            "healths": healths._healths,
            "stopped": {name: set(found) for name, found in healths._stopped.items() if found},
            "hosts": {name: healths.provider_health(name) for name in "pq"},
            "kin": healths.kinship,
            "limits": {each: healths.mailbox_terms(each) for each in context.routes.routing.mailboxes()},
            "warmups": healths.warmups._known,
            "watched": context.watched.by_account,
            "key": context.seals.cipher.fingerprint,
            "pauses": {sender: context.pause_of(sender) for sender in SENDERS},
        }

    found = await store._look(known)
    books: Any = store.books
    return {**found, "secrets": books.secrets._kept, "unheard": books.unheard._known}


@settings(max_examples=50, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(warmed, st.lists(st.tuples(st.integers(0, 1), steps), min_size=10, max_size=30))
def test_what_a_node_remembers_is_what_one_finds_that_has_just_come(
    routing: Routing, what: list[tuple[int, tuple[Any, ...]]]
) -> None:
    async def scenario() -> None:
        nodes = Nodes()
        await nodes.edit(0, routing, "first")
        for number, step in what:
            await nodes.step(number, *step)
        fresh = await memory(nodes.harness.other("node-3"))
        for store in nodes.stores:
            for name, value in (await memory(store)).items():
                assert value == fresh[name], name
        await nodes.harness.close()

    run(scenario)


def test_what_is_taken_in_after_another_node_turned_to_a_key_is_sealed_with_that() -> None:
    async def scenario() -> None:
        nodes = Nodes()
        sender, cipher = SENDERS[0], nodes.stores[0]._ground.seals.cipher
        await nodes.edit(0, Routing({}, {"p": provider("p")}, {sender: account(sender)}), "first")
        await nodes.mail(0, sender, 2)
        await nodes.turn(1, KEYS[0])
        assert cipher.fingerprint != fingerprint_of(KEYS[0])
        await nodes.mail(0, sender, 1)
        assert cipher.fingerprint == fingerprint_of(KEYS[0])
        link = nodes.stores[0]._ground.link
        bodies = [link.ask("GET", body_key(seq)) for seq in (1, 2, 3)]
        assert [body.startswith(cipher.head_of(cipher.fingerprint)) for body in bodies] == [False, False, True]
        await nodes.harness.close()

    run(scenario)


def test_mail_of_an_account_that_another_node_has_paused_stays() -> None:
    async def scenario() -> None:
        nodes = Nodes()
        first, second = nodes.stores
        sender = SENDERS[0]
        await nodes.edit(0, Routing({}, {"p": provider("p")}, {sender: account(sender)}), "first")
        await nodes.mail(1, sender, 2)
        await second.applied()
        await first.books.control.pause(sender, why="he is away")
        await nodes.mail(1, sender, 1)
        await nodes.work(1, ["stays"], SessionEvent.OPENED)
        assert not nodes.sessions[1]
        await nodes.step(0, "resume", sender)
        await nodes.work(1, ["stays"], SessionEvent.OPENED)
        assert nodes.sessions[1]
        await nodes.harness.close()

    run(scenario)
