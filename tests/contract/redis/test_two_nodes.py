"""Two nodes of one store: the same random histories, each call at one of them, against the one model.

Law: whichever node is asked, and whatever the other one did just before, the answer is the model's; a mailbox's
sessions are one node's until the last of them is closed.
"""

from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis.stateful import run_state_machine_as_test

from relay.core.envelope import Claim, LoginFailure
from relay.core.routing import Routing
from relay.core.words import MailboxId
from relay.store.ports.sessions import SessionEvent
from tests.contract.harness import OutlivedModelHarness
from tests.contract.histories import Histories
from tests.contract.model import ModelStore
from tests.contract.redis.harness import RedisHarness
from tests.contract.scene import NODE, OTHER

pytestmark = [pytest.mark.needs("redis-server"), pytest.mark.timeout(900)]

BEAT = 20
"""Seconds: a third of a lease."""
LONGEST = 400
"""Seconds that pass at once at most: both nodes have to live meanwhile."""


class TwoNodes(Histories):
    """Whoever is at work asks his own instance of the store."""

    adapter_type = staticmethod(RedisHarness)
    model_type = staticmethod(OutlivedModelHarness)

    def __init__(self) -> None:
        self.at = NODE
        self.owners: dict[MailboxId, str] = {}
        self.second: Any = None
        super().__init__()

    def store_of(self, node: str) -> Any:
        if node == NODE:
            return self.adapter.store
        if self.second is None:
            self.second = self.adapter.peer()
        return self.second

    @property
    def stores(self) -> tuple[Any, Any]:
        return self.store_of(self.at), self.model.store

    def idle(self) -> dict[MailboxId, int]:
        return {mailbox: many for mailbox, many in super().idle().items() if self.owners[mailbox] == self.at}

    def apply(self, routing: Routing, credential: str | None) -> None:
        super().apply(routing, credential)
        for node in (NODE, OTHER):
            self.do(self.store_of(node).applied())

    def turn_to(self, node: str) -> None:
        self.at = node

    def take(self, node: str, idle: dict[MailboxId, int], most: int) -> None:
        assert isinstance(self.model.store, ModelStore)
        held = self.sessions + self.openings
        self.model.store.left = frozenset(
            mailbox for mailbox, owner in self.owners.items() if owner != node and held[mailbox]
        )
        before = self.openings.copy()
        super().take(node, idle, most)
        self.owners.update(dict.fromkeys(self.openings - before, node))

    def report(self, mailbox: MailboxId, outcome: SessionEvent | LoginFailure) -> None:
        """The node that was named says so: nobody else has that session."""
        at = self.at
        self.turn_to(self.owners[mailbox])
        super().report(mailbox, outcome)
        self.at = at

    def pass_time(self, seconds: float) -> None:
        """Both nodes live meanwhile."""
        left = min(seconds, LONGEST)
        while left > 0:
            super().pass_time(min(left, BEAT))
            left -= BEAT
            for node in (NODE, OTHER):
                self.a_heart_beats(node)

    def the_process_dies(self) -> None:
        """Both do."""
        self.second, self.at = None, NODE
        super().the_process_dies()

    def everything_is_asked(self) -> None:
        for self.at in (NODE, OTHER):
            super().everything_is_asked()

    def read(self, store: Any, claim: Claim) -> bytes | None:
        return super().read(store if store is self.model.store else self.store_of(claim.node), claim)


def test_two_nodes_do_what_the_model_does() -> None:
    hard = settings(
        max_examples=15, stateful_step_count=20, report_multiple_bugs=False, suppress_health_check=list(HealthCheck)
    )
    run_state_machine_as_test(TwoNodes, settings=hard)
