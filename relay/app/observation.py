"""What the stations tell of themselves, turned into log lines and metrics.

Law: it only listens: it decides nothing, and what it is told changes nothing but the log and the counters.
"""

from collections.abc import Callable, Mapping
from types import MappingProxyType

from relay.app.restraint import Restraint
from relay.core.circle import Reader
from relay.core.envelope import Claim, LoginFailure, NewMessage, Result, Verdict
from relay.core.notice import Notice
from relay.core.refusal import Reason
from relay.core.words import AccountId, DeliveryId, MailboxId, MessageId, Stage
from relay.errors import StaleRouting, StoreUnavailable
from relay.observe import Answer, Log, Metrics, Outcome, Told
from relay.observe.metrics import OTHER
from relay.store.ports.events import EventKind, StoreEvent

OF_MAILS = frozenset({Stage.MAIL, Stage.DATA, Stage.EOD})
"""Stages at which a refusal is about a whole mail; one of a recipient leaves the rest of the mail alone."""


class SubmissionObserver:
    """Listens to submission; what strangers do is said with restraint."""

    def __init__(self, log: Log, metrics: Metrics, *, clock: Callable[[], float]) -> None:
        """`clock` counts seconds and is never set back."""
        self._log = log
        self._metrics = metrics
        self._clock = clock
        self._restraint = Restraint()

    def connected(self, listener: str, *, peer: str) -> None:
        """Nothing to say: a connection without a mail says nothing about mail."""

    def disconnected(self, listener: str, *, peer: str) -> None:
        """Nothing to say either."""

    def turned_away(self, listener: str, *, peer: str, reason: Reason) -> None:
        """A connection was refused at its start."""
        if self._may_say(peer):
            reply = f"{reason.code} {reason.enhanced} {reason.label}"
            self._log.refused(None, client=None, peer=peer, stage="connect", reply=reply)

    def handshake_failed(self, listener: str, *, peer: str, cause: str) -> None:
        """A connection came to no agreement on TLS."""
        self._metrics.handshake_failed(listener)
        if self._may_say(peer):
            self._log.handshake_failed(listener=listener, peer=peer, cause=cause)

    def logged_in(self, client: str, *, peer: str) -> None:
        """A login worked; the mails that follow name the client."""
        self._metrics.client_logged_in(Answer.ACCEPTED)

    def accepted(self, message: NewMessage, *, size: int, seconds: float, is_mended: bool) -> None:
        """A message is safe and its client was told so."""
        self._metrics.submitted(message.client, Answer.ACCEPTED)
        self._log.accepted(
            message.id,
            client=message.client,
            account=message.account,
            size=size,
            recipients=len(message.envelope.recipients),
            seconds=seconds,
        )

    def renamed(self, message: NewMessage, *, old: str) -> None:
        """A message still came from an old address of its account."""
        self._log.renamed(message.id, client=message.client, account=message.account, old=old)

    def accepted_before(self, message: MessageId, *, client: str, account: AccountId) -> None:
        """A message came a second time, because nobody had read the answer to the first."""
        self._log.accepted_before(message, client=client, account=account)

    def refused(
        self,
        client: str | None,
        *,
        account: AccountId | None,
        peer: str,
        stage: Stage,
        reason: Reason,
        reply: str,
        sender: str | None = None,
        cause: str | None = None,
    ) -> None:
        """A command, a login or a message was refused."""
        if stage in OF_MAILS:
            self._metrics.submitted(client, _told(reason))
        elif stage is Stage.AUTH:
            self._metrics.client_logged_in(_told(reason))
        if client is not None or self._may_say(peer):
            tried = None if client is None else sender
            self._log.refused(
                None, client=client, account=account, sender=tried, peer=peer, stage=stage, reply=reply, cause=cause
            )

    def failed(self, error: BaseException) -> None:
        """The relay itself failed in a connection."""
        self._log.failed(what="submission", error=error)

    def _may_say(self, peer: str) -> bool:
        """Whether a line about a stranger may be written; what was not said before is said as a number."""
        may_say = self._restraint.may_say(peer, self._clock())
        if may_say and (unsaid := self._restraint.take_unsaid()):
            self._log.left_unsaid(count=unsaid)
        return may_say


def _told(reason: Reason) -> Answer:
    return Answer.DEFERRED if reason.is_temporary else Answer.REJECTED


class DeliveryObserver:
    """Listens to delivery."""

    def __init__(self, log: Log, metrics: Metrics) -> None:
        self._log = log
        self._metrics = metrics

    def attempted(self, claim: Claim, result: Result, *, seconds: float, is_recorded: bool) -> None:
        """An attempt ended."""
        provider = claim.mailbox.provider
        self._metrics.attempted(provider, result.reply_class, is_answered=result.reply is not None)
        if result.verdict is Verdict.HELD:
            self._metrics.ended(provider, claim.account, Outcome.HELD)
        self._log.attempted(claim.message, claim, result, seconds=seconds)

    def session_opened(self, mailbox: MailboxId, *, seconds: float) -> None:
        """A login worked."""
        self._metrics.logged_in(mailbox.provider, Answer.ACCEPTED)
        self._metrics.session_changed(mailbox.provider, 1)
        self._log.session_opened(mailbox, seconds=seconds)

    def session_closed(self, mailbox: MailboxId, *, messages: int) -> None:
        """A session ended."""
        self._metrics.session_changed(mailbox.provider, -1)
        self._log.session_closed(mailbox, messages=messages)

    def login_failed(self, mailbox: MailboxId, failure: LoginFailure) -> None:
        """A session could not be opened."""
        is_final = failure.is_login_sent and failure.reply is not None and not failure.reply.is_temporary
        self._metrics.logged_in(mailbox.provider, Answer.REJECTED if is_final else Answer.DEFERRED)
        self._log.login_failed(
            mailbox,
            reply_class=failure.reply_class,
            reason=failure.reason,
            stage=failure.stage,
            reply=failure.reply,
        )

    def claim_lost(self, claim: Claim) -> None:
        """The store took a delivery away from this node."""
        self._log.claim_lost(claim.message, delivery=claim.delivery, account=claim.account)

    def store_failed(self, operation: str, error: Exception) -> None:
        """The store could not do something; it is tried again. That it is away is said once for all, and that there
        is another routing too.
        """
        if isinstance(error, StoreUnavailable | StaleRouting):
            return
        self._log.trouble(what=f"store {operation}", text=str(error))

    def broken(self, what: str, error: Exception, claim: Claim | None = None) -> None:
        """Something failed in a way that nobody foresaw."""
        self._log.failed(what=f"delivery {what}", error=error, message=None if claim is None else claim.message)


class NoticeObserver:
    """Listens to the pump of notices."""

    def __init__(self, log: Log, metrics: Metrics) -> None:
        self._log = log
        self._metrics = metrics

    def __call__(
        self, notice: Notice, told: Told, *, reader: Reader, letter: str | None = None, why: str | None = None
    ) -> None:
        """Somebody was told, or could not be."""
        self._metrics.noticed(notice.type, told)
        self._log.noticed(letter, notice, told=told, reader=reader, road=_ROADS.get(told, "webhook"), why=why)


_ROADS: Mapping[Told, str | None] = MappingProxyType({Told.MAILED: "mail", Told.UNSENDABLE: None})

_OUTCOMES = {
    EventKind.DELIVERED: Outcome.DELIVERED,
    EventKind.DEFERRED: Outcome.DEFERRED,
    EventKind.BOUNCED: Outcome.BOUNCED,
    EventKind.HELD: Outcome.HELD,
    EventKind.CANCELLED: Outcome.CANCELLED,
}

_WAYS = frozenset({EventKind.HEALTH, EventKind.STRANDED, EventKind.SAID, EventKind.ROUTING})
"""What may give a way to a report that waits for one: a mailbox heals, a person lets an account go, another routing."""


class StoreListener:
    """Listens to the store: to what is durable."""

    def __init__(
        self,
        log: Log,
        metrics: Metrics,
        *,
        something_owed: Callable[[], None],
        way_changed: Callable[[], None] = lambda: None,
        concern: Callable[[], None] = lambda: None,
        routed: Callable[[], None] = lambda: None,
    ) -> None:
        """`something_owed` is called when there may be something in the outbox, `way_changed` when what waits there
        for an account that can send it may have one, `concern` when somebody has to know of something, `routed` when
        there is another routing.
        """
        self._log = log
        self._metrics = metrics
        self._something_owed = something_owed
        self._way_changed = way_changed
        self._concern = concern
        self._routed = routed

    def __call__(self, event: StoreEvent) -> None:
        """One thing that happened."""
        outcome = _OUTCOMES.get(event.kind)
        if outcome is not None and event.account is not None:
            self._count(event, outcome)
        if event.kind in (EventKind.BOUNCED, EventKind.OWED):
            self._something_owed()
        if event.kind in _WAYS:
            self._way_changed()
        if event.kind is EventKind.CONCERN:
            self._concern()
        if event.kind is EventKind.ROUTING:
            self._routed()
        self._say(event)

    def _count(self, event: StoreEvent, outcome: Outcome) -> None:
        provider = OTHER if event.mailbox is None else event.mailbox.provider
        self._metrics.ended(provider, event.account or "", outcome)
        if outcome is Outcome.DELIVERED and event.lane is not None and event.accepted_at is not None:
            self._metrics.delivered(provider, event.lane, (event.at - event.accepted_at) / 1_000_000)

    def _say(self, event: StoreEvent) -> None:
        """What no attempt of this node has said already."""
        if event.kind is EventKind.HEALTH:
            provider = event.provider if event.mailbox is None else event.mailbox.provider
            mailbox = None if event.mailbox is None else event.mailbox.username
            self._log.health_changed(provider=provider or OTHER, mailbox=mailbox, health=event.reason)
        elif event.kind is EventKind.STRANDED and event.account is not None:
            self._log.stranded(account=event.account, reason=event.reason)
        elif event.kind is EventKind.SAID and event.account is not None:
            self._log.account_changed(account=event.account, what=event.reason)
        elif event.message is not None and event.delivery is not None and event.account is not None:
            self._say_of(event, event.message, event.delivery, account=event.account)

    def _say_of(self, event: StoreEvent, message: MessageId, delivery: DeliveryId, *, account: AccountId) -> None:
        if event.kind is EventKind.BOUNCED:
            self._log.given_up(message, delivery=delivery, account=account, reason=event.reason)
        elif event.kind is EventKind.HELD:
            self._log.held(message, delivery=delivery, account=account, reason=event.reason)
        elif event.kind is EventKind.IN_DOUBT:
            self._metrics.doubted(OTHER if event.mailbox is None else event.mailbox.provider)
            self._log.left_in_doubt(message, delivery=delivery, account=account)
