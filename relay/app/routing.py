"""The routing in force: read from its files, applied to the store, and handed to whoever asks.

Law: a routing is checked whole before it is applied; a bad edit is refused, said loudly, and the running one stays.
"""

import asyncio
from collections.abc import Callable, Collection, Sequence
from itertools import islice

from relay.app.abreast import Abreast
from relay.app.agreeing import Agreed, Say, Works, agree_alone, agree_among, look_at_applied
from relay.app.complaints import Complaints, lacking_clients
from relay.app.others import LEFT_MOST, Others
from relay.app.routingdesk import Desk
from relay.app.secretsinforce import SecretsInForce
from relay.config.problems import Loaded, Problem, Severity
from relay.config.references import Fingerprinted
from relay.core.nodesecrets import is_of_one_node
from relay.core.routing import Routing
from relay.core.routingdiff import differences
from relay.core.words import MailboxId
from relay.errors import ConfigError, StoreUnavailable, TemporaryError
from relay.store.ports import AppliedRouting
from relay.store.ports.routing import NONE_APPLIED

EDIT = "routing-edit"
"""What readiness calls an edit that was refused: the running routing works on, so the node stays ready."""

SHOWN: int = 20
"""Problems of a refused edit that are logged; `relay check` lists all."""

PAUSE: float = 5.0
"""Seconds before a good edit is offered again to a store that did not take it."""

PAUSE_AWAY: float = 1.0
"""The same, to a store that was away."""


class NoRouting(ConfigError):
    """the routing cannot be used, and none was ever applied"""


class RoutingKeeper:
    """Keeps the routing in force, and follows the edits of its files."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._version = 0
        self._routing = Routing()
        self._last: Fingerprinted | None = None
        self._listeners: list[Callable[[], None]] = []
        self._applying = asyncio.Lock()
        self._complaints = Complaints(
            desk.log, desk.resolve, desk.run, readiness=desk.readiness, takes_mail=desk.takes_mail
        )
        self._in_force = NONE_APPLIED
        self._files: Routing | None = None
        """What this node's files said when they were good last."""
        self._compared: tuple[Routing | None, int, str] = (None, 0, "")
        """Files, a version, and whether they said the same: comparing very many accounts takes its time."""
        self._abreast = Abreast()
        self.secrets = SecretsInForce(self.routing, desk.resolve, run=desk.run)

    def routing(self) -> Routing:
        """The routing in force; empty before the start."""
        return self._routing

    def on_change(self, listener: Callable[[], None]) -> None:
        """Calls `listener` whenever routing or secrets may be others."""
        self._listeners.append(listener)

    async def start(self, loaded: Loaded[Routing]) -> None:
        """Applies what the files say, or goes on with what was applied last.

        NoRouting: the files are refused and nothing was ever applied.
        """
        desk = self._desk
        if loaded.value is not None:
            if desk.others is None:
                await look_at_applied(desk)
                return await self._apply(Say(loaded.value))
            await desk.others.begin()
            return await self._read(loaded.value, is_start=True)
        applied = await desk.store.applied()
        if applied is None:
            raise NoRouting
        if desk.others is None:
            self._take_over(applied)
        else:
            await desk.others.begin()
            await self._apply(Say())
        return self._refuse(loaded.problems)

    async def _read(self, routing: Routing, *, is_start: bool = False) -> None:
        """Good files of a node among others: an edit counts, and what is only different is said."""
        self._files = routing
        await self._apply(Say(routing, self._desk.watch.digest, is_start))

    async def follow(self) -> None:
        """Takes or refuses each edit; runs until it is cancelled."""
        async for loaded in self._desk.watch.changes():
            if loaded.value is None:
                self._refuse(loaded.problems)
            else:
                self._desk.readiness.clear(EDIT)
                await self._apply_at_last(loaded.value)

    async def _apply_at_last(self, routing: Routing | None) -> None:
        """A store that is away takes it later; an edit that comes meanwhile waits. None: what is in force by now."""
        while True:
            try:
                if routing is None:
                    return await self._follow_others()
                if self._desk.others is not None:
                    return await self._read(routing)
                return await self._apply(Say(routing))
            except StoreUnavailable:
                await asyncio.sleep(PAUSE_AWAY)  # that it is away is said once for all
            except TemporaryError as error:
                self._desk.log.trouble(what="routing", text=str(error))
                await asyncio.sleep(PAUSE)

    async def refresh(self) -> None:
        """Looks up every secret anew and puts in force what changed. StoreError: not now; the next edit does it too."""
        await self._apply(Say())

    # beside other nodes

    def wake(self) -> None:
        """Another node may have changed what is in force."""
        self._abreast.wake()

    async def abreast(self) -> None:
        """Returns at once while this node works with what is in force; waits a moment for it. StaleRouting: not yet."""
        if self._desk.others is not None:
            await self._abreast.wait()

    async def not_as(self, opened: Collection[MailboxId]) -> Collection[MailboxId]:
        """As whom this node is not to log in though the store named them: what is in force is another secret by now."""
        last, routing = self._last, self._routing
        mine = [box for box in opened if box in routing.by_mailbox and is_of_one_node(routing, box)]
        if self._desk.others is None or last is None or not mine:
            return ()
        applied = await self._desk.store.applied() or NONE_APPLIED
        others = [box for box in mine if applied.fingerprints.get(box) != last.found.get(box)]
        if applied.version != self._version or not all(map(self.is_unable, others)):
            self.is_behind()
        return others

    def is_unable(self, mailbox: MailboxId) -> bool:
        """Whether this node has not, as far as it knows, what a mailbox logs in with, and others may."""
        return self._desk.others is not None and mailbox in self._desk.others.unable

    def lacks(self) -> Sequence[MailboxId]:
        """Whom this node leaves to others, as far as others are told."""
        return () if self._desk.others is None else sorted(self._desk.others.unable)[:LEFT_MOST]

    async def let_go(self, mailboxes: Collection[MailboxId]) -> None:
        """No node has the secrets of these: they are without, until one has. StoreError: not now."""
        others, prints = self._desk.others, self._in_force.fingerprints
        had = {box: prints[box] for box in mailboxes if prints.get(box) is not None}
        if others is not None and had:
            others.nobodys = had
            try:
                await self._apply(Say())
            finally:
                others.nobodys = {}  # a node that has the very same again is not contradicted

    def is_behind(self) -> None:
        """The store says that another routing is in force."""
        self._abreast.behind()

    async def keep_up(self) -> None:
        """Takes over what other nodes put in force; runs until it is cancelled."""
        while True:
            await self._abreast.news()
            await self._apply_at_last(None)

    async def _follow_others(self) -> None:
        async with self._applying:
            applied, last = await look_at_applied(self._desk), self._last
            if applied is None:
                return
            is_old = applied.version != self._version or applied.fingerprints != self._in_force.fingerprints
            if is_old or last is None or last.mark != self._desk.shelf.changes or not self._abreast.is_now:
                await self._put_in_force(Say())

    # putting in force

    async def _apply(self, say: Say) -> None:
        async with self._applying:
            await self._put_in_force(say)

    async def _put_in_force(self, say: Say) -> None:
        before = {} if self._last is None else self._last.found
        agreed = await self._agree(say)
        applied, weighed, self._last = agreed.applied, agreed.weighed, agreed.looked
        if applied.version != self._version:
            self._take_over(applied)
        else:
            self._desk.metrics.routing_applied(self._routing, self._desk.wall_seconds())
        if self._desk.readiness.has(EDIT):
            self._desk.metrics.routing_refused()
        self._in_force = applied
        if self._desk.others is not None:
            self._desk.store.leave(tuple(islice(weighed.unable, LEFT_MOST)))
            self._desk.others.leave(weighed.unable, self.secrets.why_without)
            await self._say_how_it_stands(self._desk.others, agreed, say)
        await self._complaints.say_who_cannot_log_in(applied.routing)
        await self._complaints.say_which_clients_lack(applied.routing)
        self._complaints.say_what_is_kept_back(applied.routing, weighed.prints, before, self.secrets.why_without)
        for listener in self._listeners:
            listener()
        self._abreast.now()

    async def _agree(self, say: Say) -> Agreed:
        desk, works = self._desk, Works(self._routing, self._version, self._last)
        if desk.others is None:
            return await agree_alone(desk, say, works)
        return await agree_among(desk, desk.others, say=say, works=works, is_behind=self.is_behind)

    async def _say_how_it_stands(self, others: Others, agreed: Agreed, say: Say) -> None:
        desk, files, applied = self._desk, self._files, agreed.applied
        lacking = await desk.run(lambda: lacking_clients(applied.routing, desk.resolve))
        await others.keep(applied.routing, agreed.looked.found, lacking=lacking, digest=say.digest)
        if files is None:
            return
        of, version, differs = self._compared
        if of is not files or version != applied.version:
            differs = "" if files is applied.routing else await desk.run(lambda: differences(files, applied.routing))
            self._compared = files, applied.version, differs
        others.compare(differs, version=applied.version, by=applied.by, is_start=say.is_start)

    def _take_over(self, applied: AppliedRouting) -> None:
        version, routing = applied.version, applied.routing
        self._version, self._routing = version, routing
        self._desk.metrics.routing_applied(routing, self._desk.wall_seconds())
        self._desk.log.routing_applied(
            version=version,
            accounts=len(routing.accounts),
            mailboxes=len(routing.by_mailbox),
            providers=len(routing.providers),
            by=applied.by,
        )

    def _refuse(self, problems: Sequence[Problem]) -> None:
        errors = [str(problem) for problem in problems if problem.severity is Severity.ERROR]
        self._desk.log.routing_refused(errors[:SHOWN], running=self._version)
        more = f" (and {len(errors) - 1} more)" if len(errors) > 1 else ""
        self._desk.readiness.set(EDIT, f"the edit is refused, the one before runs on: {errors[0]}{more}")
        self._desk.metrics.routing_refused()
