"""What is hot and decides nothing: scripts that take, hand out, gate and settle by themselves.

Law: a script that meets anything that has to be judged writes nothing and says so; then the engine does it.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

import msgpack

from relay.core.dsn import is_wanted
from relay.core.envelope import Claim, Kind, Result, Taken, Verdict
from relay.core.failuretext import Action
from relay.core.words import MailboxId
from relay.errors import CorruptValue, StaleRouting
from relay.store.engine.entry import Entry
from relay.store.engine.moves import CORRUPT
from relay.store.engine.sealing import Sealed, sealed_anew
from relay.store.engine.values import KINDS, LANES, write_reply
from relay.store.ports.events import EventKind, StoreEvent
from relay.store.redis.core import Core
from relay.store.redis.link import Call
from relay.store.redis.parts import Ground
from relay.store.redis.probing import exchanged
from relay.store.redis.scripts import load_script
from relay.store.redis.tables import TABLES, told_by
from relay.store.redis.turns import Again
from relay.store.segments import Place

Granted = tuple[int, Entry, MailboxId, bool]
"""Attempt, delivery, mailbox, whether it is a probe."""


class _IsProbe(Exception):
    """Whose turn it is to probe has to be judged."""


class Putting:
    """A message comes in; what a script cannot take in alone is judged."""

    def __init__(self, ground: Ground, new: Sealed) -> None:
        self._ground = ground
        self._new = new
        self._event = StoreEvent(EventKind.ACCEPTED, 0, new.message.id, None, new.message.account)

    undo = None
    is_fact = True
    """Mail may be taken in at whoever it is handed in."""

    def call(self, core: Core) -> Call:
        """What is run."""
        new = self._new = sealed_anew(self._new, core.context.seals)
        context, message = core.context, new.message
        mailbox = context.routes.mailbox_of(message.account)
        is_other = message.kind is not Kind.MAIL or message.answers is not None or message.tells is not None
        if mailbox is None or is_other or told_by(message.id) is not None:
            raise Again(self._judge)
        account, many = context.names.account(message.account), len(new.envelopes)
        row = [
            0, message.id, message.client, account, KINDS.index(message.kind), 0, len(message.content), many, 0, 0,
            len(new.record), new.message_id_hash, message.submitted_hash, int(message.is_dated),
        ]  # fmt: skip
        work = [
            context.routes.version, *mailbox, message.account, context.lifetime_of(message),
            message.wants_express, row, new.message_id_hash[:8].hex(),
            [list(each) for each in zip(new.domains, new.hashes, new.sealed, strict=True)], core.revision,
        ]  # fmt: skip
        event = _packed_event(context.journal.row(self._event, 0))
        return _call(self._ground, "put", _packed(work), new.record, event)

    def _judge(self, core: Core) -> None:
        core.judged.put(sealed_anew(self._new, core.context.seals))

    def answered(self, core: Core, reply: list[Any]) -> None:
        """It is in, now or before."""
        if reply[0] == b"STALE":
            raise Again(self._judge)
        if reply[0] == b"DONE":
            _, now, seq, lane, changes = reply
            self._ground.times.hear(now)
            core.hear_changes(changes)
            core.bodies.keep(seq, self._new.message.content)
            core.context.journal.tell_of(self._event._replace(at=now, lane=LANES[lane]))


class Taking:
    """Work is handed out; what has run out or is due is judged first."""

    is_fact = False

    def __init__(
        self,
        ground: Ground,
        node: str,
        idle: Mapping[MailboxId, int],
        *,
        most: int,
        version: int,
        left: Collection[MailboxId] = (),
    ) -> None:
        """`version`: the routing that this node works with; `left`: mailboxes that it leaves to others."""
        self._ground = ground
        self._node = node
        self._idle = [[*mailbox, many] for mailbox, many in idle.items() if many > 0]
        self._most = most
        self._version = version
        self._left = [list(mailbox) for mailbox in left]
        self._number = ground.operations.next_take()
        self._is_tended = False

    def call(self, core: Core) -> Call:
        """What is run."""
        lease, late_at = core.context.settings.lease, core.engine.timers.late_at()
        heard = self._ground.operations.heard_takes(self._number)
        work = [
            self._version, self._node, self._idle, self._most, lease, late_at, self._number, heard, self._left,
            self._is_tended, self._ground.operations.life,
        ]  # fmt: skip
        return _call(self._ground, "take", _packed(work))

    def undo(self, core: Core) -> None:
        """Nobody heard what was given: it goes back."""
        core.given.take_back(self._number)

    def answered(self, core: Core, reply: list[Any]) -> Taken:
        """Claims, sessions to open and close, and when to ask again. StaleRouting, NodeOutlived."""
        if reply[0] == b"STALE":
            raise StaleRouting
        if reply[0] == b"OUTLIVED":
            self._ground.operations.refuse(reply[1])
        if reply[0] == b"JUDGE":
            self._is_tended = True
            raise Again(lambda core: core.judged.tend(self._node), and_again=True)
        _, now, claimed, opened, closed, wake_at, changes = reply
        self._ground.times.hear(now)
        self._ground.operations.hear_take(self._number)
        core.hear_changes(changes)
        granted = [(each[0], _entry(core, each[1], each[2]), _mailbox(each[3:5]), bool(each[5])) for each in claimed]
        first, last = ({_mailbox(each[:2]): int(each[2]) for each in which} for which in (opened, closed))
        knock = frozenset(_mailbox(each[:2]) for each in opened if each[3])
        rest = Taken((), first, last, None if wake_at is False else int(wake_at), changes, knock)
        try:
            claims = tuple(self._claim(core, each) for each in granted)
        except (CorruptValue, _IsProbe):
            raise Again(lambda core: replace(rest, claims=tuple(self._judged(core, granted)))) from None
        return replace(rest, claims=claims)

    def _claim(self, core: Core, granted: Granted) -> Claim:
        attempt, entry, mailbox, is_probe = granted
        if is_probe:
            raise _IsProbe
        return core.given.claim_of(entry, attempt, mailbox, self._node, is_probe=is_probe)

    def _judged(self, core: Core, granted: Sequence[Granted]) -> Iterator[Claim]:
        """Of a stopped mailbox another delivery may be the probe; what does not open is held."""
        for attempt, oldest, mailbox, is_probe in granted:
            entry = (exchanged(core, attempt) if is_probe else None) or oldest
            try:
                yield core.given.claim_of(entry, attempt, mailbox, self._node, is_probe=is_probe)
            except CorruptValue:
                core.given.hold_corrupt(attempt, CORRUPT)


class Gating:
    """The last check before the final dot."""

    def __init__(self, ground: Ground, claim: Claim) -> None:
        self._ground = ground
        self._claim = claim

    undo = None
    is_fact = False

    def call(self, core: Core) -> Call:
        """What is run."""
        return _call(self._ground, "gate", self._claim.attempt)

    def answered(self, core: Core, reply: list[Any]) -> bool:
        """Whether the attempt still holds its delivery."""
        self._ground.times.hear(reply[2])
        return bool(reply[1])


class Settling:
    """An attempt ended; all but what went through plainly is judged."""

    def __init__(self, ground: Ground, claim: Claim, result: Result) -> None:
        self._ground = ground
        self._claim = claim
        self._result = result

    undo = None
    is_fact = True
    """A late `delivered` counts; what else is late the engine drops."""

    def call(self, core: Core) -> Call:
        """What is run."""
        claim, result, known = self._claim, self._result, core.given.entry(self._claim.delivery)
        if known is None or not _is_plain(core, claim, known, result):
            raise Again(self._judge)
        said = None if result.said is None else core.context.seals.seal_said(result.said, claim.attempt)
        ending = [result.stage.value, result.reply_class, write_reply(result.reply) or False, False, said or False]
        work = [claim.attempt, claim.delivery, core.revision, *claim.mailbox, ending, True, known.seq]
        event = _packed_event(core.context.journal.row(self._event(known), known.seq))
        return _call(self._ground, "settle", _packed(work), event)

    def _event(self, known: Entry) -> StoreEvent:
        claim = self._claim
        return StoreEvent(
            EventKind.DELIVERED, 0, claim.message, claim.delivery, claim.account, claim.mailbox, claim.lane,
            self._result.reply_class, known.accepted_at,
        )  # fmt: skip

    def _judge(self, core: Core) -> Verdict | None:
        return core.judged.settle(self._claim, self._result)

    def answered(self, core: Core, reply: list[Any]) -> Verdict:
        """As what it is recorded."""
        known = core.given.entry(self._claim.delivery)
        if reply[0] != b"DONE" or known is None:
            raise Again(self._judge)
        self._ground.times.hear(reply[1])
        core.hear_changes(reply[2])
        core.bodies.drop(known.seq)
        core.given.forget(self._claim.delivery)
        core.context.journal.tell_of(self._event(known)._replace(at=reply[1]))
        return self._result.verdict


def _call(ground: Ground, script: str, *more: bytes | int) -> Call:
    return Call(load_script(script), (), (*ground.operations.prelude(), *more))


def _is_plain(core: Core, claim: Claim, known: Entry, result: Result) -> bool:
    """Whether nothing follows from it but that it is delivered."""
    context = core.context
    if result.verdict is not Verdict.DELIVERED or not (result.is_mail_written and result.is_end_known):
        return False
    if known.kind is not Kind.MAIL or claim.is_probe or known.recipients != 1:
        return False
    provider = context.routes.routing.providers.get(claim.mailbox.provider)
    if provider is None or (provider.has_warmup and context.remembrance.warmups.may_begin(claim.mailbox)):
        return False
    if known.account in context.watched.by_account:
        return False
    if context.name_in_force(claim.mailbox) != claim.mailbox:
        return False
    return result.is_dsn_passed_on or not is_wanted(claim.envelope, Action.RELAYED)


def _packed(work: Any) -> bytes:
    packed: bytes = msgpack.packb(work, use_bin_type=False, unicode_errors="surrogateescape")
    return packed


def _packed_event(row: tuple[object, ...]) -> bytes:
    """Null is `false`, for Lua arrays have no holes."""
    return _packed([False if cell is None else cell for cell in row])


def _mailbox(pair: Any) -> MailboxId:
    provider, username = pair
    return MailboxId(provider.decode(), username.decode())


def _entry(core: Core, delivery: bytes, message: bytes) -> Entry:
    """A delivery as the script found it."""
    row = TABLES["deliveries"].named(TABLES["deliveries"].unpack(delivery))
    of = TABLES["messages"].named(TABLES["messages"].unpack(message))
    entry = Entry(
        row["id"], row["message"], of["id"], KINDS[of["kind"]], of["recipients"], of["accepted_at"], of["size"],
        Place(of["segment"], of["offset"], of["length"]), bool(of["is_dated"]), row["account"],
        core.context.names.sender(row["account"]), LANES[row["lane"]], row["expires_at"], row["tries"], row["doubts"],
        row["envelope"], None,
    )  # fmt: skip
    core.given.remember(entry)
    return entry
