"""What is hot and decides nothing: scripts that take, hand out, gate and settle by themselves.

Law: a script that meets anything that has to be judged writes nothing and says so; then the engine does it.
"""

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import msgpack

from relay.core.dsn import is_wanted
from relay.core.envelope import Claim, Kind, Result, Taken, Verdict
from relay.core.failuretext import Action
from relay.core.limits import Instant
from relay.core.words import MailboxId
from relay.errors import CorruptValue, StaleRouting
from relay.store.engine.entry import Entry
from relay.store.engine.moves import CORRUPT
from relay.store.engine.sealing import Sealed
from relay.store.engine.values import KINDS, LANES, write_reply
from relay.store.ports.events import EventKind, StoreEvent
from relay.store.redis.core import Core, Ground
from relay.store.redis.probing import exchanged
from relay.store.redis.rowkeys import body_key, table_key
from relay.store.redis.scripts import load_script
from relay.store.redis.tables import TABLES, told_by
from relay.store.segments import Place


class Granted(NamedTuple):
    """What the script handed out."""

    now: Instant
    entries: list[tuple[int, Entry, MailboxId, bool]]
    """Attempt, delivery, mailbox, whether it is a probe."""
    opened: dict[MailboxId, int]
    closed: dict[MailboxId, int]
    wake_at: Instant | None
    changes: int
    node: str


class Hot:
    """Runs them for one node."""

    def __init__(self, ground: Ground) -> None:
        self._ground = ground
        self._put, self._take = load_script("put"), load_script("take")
        self._gate, self._settle = load_script("gate"), load_script("settle")

    def _run(self, script: Any, *more: Any, is_durable: bool = True) -> list[Any]:
        prelude = self._ground.operations.prelude()
        answer = self._ground.link.run(script, (), (*prelude, *more), is_durable=is_durable)
        found: list[Any] = msgpack.unpackb(answer, raw=True, strict_map_key=False)
        return found

    # coming in

    def put(self, alive: Callable[[], Core], new: Sealed) -> bool:
        """Whether it is in; False: it has to be judged."""
        core, message = alive(), new.message
        context = core.context
        mailbox = context.routes.mailbox_of(message.account)
        if message.kind is not Kind.MAIL or mailbox is None or told_by(message.id) is not None:
            return False
        if message.answers is not None or message.tells is not None:
            return False
        account, many = context.names.account(message.account), len(new.envelopes)
        row = [
            0, message.id, message.client, account, KINDS.index(message.kind), 0, len(message.content), many, 0, 0,
            len(new.record), new.message_id_hash, message.submitted_hash, int(message.is_dated),
        ]  # fmt: skip
        seal = context.seals.seal_domain
        arriving = [
            [seal(envelope.recipients[0].address, message.id, ordinal), new.hashes[ordinal], new.sealed[ordinal]]
            for ordinal, envelope in enumerate(new.envelopes)
        ]
        event = StoreEvent(EventKind.ACCEPTED, 0, message.id, None, message.account)
        work = [
            context.routes.version, *mailbox, message.account, context.lifetime_of(message),
            message.wants_express, row, new.message_id_hash[:8].hex(), arriving,
        ]  # fmt: skip
        answer = self._run(self._put, _packed(work), new.record, _packed_event(context.journal.row(event, 0)))
        if answer[0] == b"STALE":
            return False
        if answer[0] == b"DONE":
            _, now, seq, lane, changes = answer
            self._ground.times.hear(now)
            core.changes = changes
            core.bodies.keep(seq, message.content)
            context.journal.tell_of(event._replace(at=now, lane=LANES[lane]))
        return True

    # going out

    def take(self, core: Core, node: str, idle: Mapping[MailboxId, int], *, most: int, version: int) -> Granted | None:
        """What the schedule gives; None: something has to be judged first. StaleRouting."""
        waiting = [[*mailbox, many] for mailbox, many in idle.items() if many > 0]
        work = [version, node, waiting, most, core.context.settings.lease, core.timers_at()]
        answer = self._run(self._take, _packed(work))
        if answer[0] == b"STALE":
            raise StaleRouting
        if answer[0] == b"JUDGE":
            return None
        _, now, claimed, opened, closed, wake_at, changes = answer
        self._ground.times.hear(now)
        core.changes = changes
        entries = [(each[0], _entry(core, each[1], each[2]), _mailbox(each[3:5]), bool(each[5])) for each in claimed]
        first, last = ({_mailbox(each[:2]): int(each[2]) for each in which} for which in (opened, closed))
        return Granted(now, entries, first, last, None if wake_at is False else int(wake_at), changes, node)

    def finished(self, alive: Callable[[], Core], judged: Callable[..., Any], granted: Granted) -> Taken:
        """Claims of what was granted; probes and what does not open are judged."""
        claims = []
        for attempt, entry, mailbox, is_probe in granted.entries:
            if is_probe:
                entry = judged(lambda core, attempt=attempt: exchanged(core, attempt)) or entry
            claim = self._claim(alive(), granted.node, (attempt, entry, mailbox, is_probe))
            if claim is None:
                judged(lambda core, attempt=attempt: core.hold_corrupt(attempt, CORRUPT))
            else:
                claims.append(claim)
        remembrance = alive().context.remembrance
        knock = frozenset(m for m in granted.opened if remembrance.provider_health(m.provider).standing.is_barred)
        return Taken(tuple(claims), granted.opened, granted.closed, granted.wake_at, granted.changes, knock)

    def _claim(self, core: Core, node: str, of: tuple[int, Entry, MailboxId, bool]) -> Claim | None:
        attempt, entry, mailbox, is_probe = of
        try:
            return core.claim_of(entry, attempt, mailbox, node, is_probe=is_probe)
        except CorruptValue:
            return None

    def content(self, core: Core, claim: Claim) -> bytes:
        """The message of a claim under way. CorruptValue: it is over, or its body does not open."""
        known = core.known_entry(claim.delivery)
        if known is None or self._ground.link.ask("HEXISTS", table_key("claims"), claim.attempt) != 1:
            raise CorruptValue("this claim is over, and its message may be gone")
        seq = known.seq
        content = core.bodies.at_hand(seq)
        return content if content is not None else self._body(core, seq, claim.message)

    def body_or_nothing(self, core: Core, seq: int, message: str) -> bytes:
        """For those who can do without."""
        try:
            return self._body(core, seq, message)
        except CorruptValue:
            return b""

    def _body(self, core: Core, seq: int, message: str) -> bytes:
        return core.bodies.opened(self._ground.link.ask("GET", body_key(seq)), message)

    def gate(self, claim: Claim) -> bool:
        """The last check before the final dot."""
        answer = self._run(self._gate, claim.attempt)
        self._ground.times.hear(answer[2])
        return bool(answer[1])

    def settle(self, core: Core, claim: Claim, result: Result) -> bool:
        """Whether it is settled; False: it has to be judged."""
        context = core.context
        known = core.known_entry(claim.delivery)
        if known is None or not _is_plain(core, claim, known, result):
            return False
        seq = known.seq
        said = None if result.said is None else context.seals.seal_said(result.said, claim.attempt)
        ending = [result.stage.value, result.reply_class, write_reply(result.reply) or False, False, said or False]
        event = StoreEvent(
            EventKind.DELIVERED, 0, claim.message, claim.delivery, claim.account, claim.mailbox, claim.lane,
            result.reply_class, known.accepted_at,
        )  # fmt: skip
        work = [claim.attempt, claim.delivery, core.revision, *claim.mailbox, ending, True, seq]
        answer = self._run(self._settle, _packed(work), _packed_event(context.journal.row(event, seq)))
        if answer[0] != b"DONE":
            return False
        self._ground.times.hear(answer[1])
        core.changes = answer[2]
        core.bodies.drop(seq)
        core.forget_entry(claim.delivery)
        context.journal.tell_of(event._replace(at=answer[1]))
        return True


def _is_plain(core: Core, claim: Claim, known: Entry, result: Result) -> bool:
    """Whether nothing follows from it but that it is delivered."""
    context = core.context
    if result.verdict is not Verdict.DELIVERED or not (result.is_mail_written and result.is_end_known):
        return False
    if known.kind is not Kind.MAIL or claim.is_probe or known.recipients != 1:
        return False
    if context.remembrance.warmups.is_fresh(claim.mailbox) or known.account in context.watched.by_account:
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
    core.remember_entry(entry)
    return entry
