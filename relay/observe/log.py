"""The log: one function per event, the message id first.

Law: nothing here takes a recipient address, a subject or a file name; what a peer said is masked before it comes.
"""

import logging
from collections.abc import Callable, Iterable
from datetime import UTC, datetime

from relay.core.envelope import Claim, Result
from relay.core.notice import Notice
from relay.core.reply import Reply, masked
from relay.core.words import AccountId, DeliveryId, MailboxId, MessageId, Stage
from relay.observe.format import Fields, Format, as_json

SENDER_MOST: int = 320
"""Characters of a sender: the longest address that mail knows (RFC 5321, 4.5.3.1); what is longer is none."""

SILENCED = ("mail", "aiosmtplib", "uvicorn", "httpx", "httpcore", "asyncio", "watchfiles", "multipart")
"""Loggers of libraries that print addresses, or the arguments of calls, which may hold some."""


def silence_libraries() -> None:
    """Turns the libraries' own loggers off, for this process."""
    for name in SILENCED:
        logger = logging.getLogger(name)
        logger.handlers = [logging.NullHandler()]
        logger.setLevel(logging.CRITICAL + 1)
        logger.propagate = False


def where(error: BaseException) -> str:
    """Type and place of an error; never its text, which may quote a peer or a patient."""
    place, trace = "", error.__traceback__
    while trace is not None:
        file = trace.tb_frame.f_code.co_filename
        place = f"{file.rsplit('/', 1)[-1]}:{trace.tb_lineno}"
        trace = trace.tb_next
    return f"{type(error).__name__} at {place}" if place else type(error).__name__


class Log:
    """Writes events; `clock` gives wall time in seconds since 1970."""

    def __init__(self, write: Callable[[str], object], clock: Callable[[], float], *, form: Format = as_json) -> None:
        self._write = write
        self._clock = clock
        self._form = form
        self._second = -1
        self._prefix = ""

    # what happens to messages

    def accepted(
        self, message: MessageId, *, client: str, account: AccountId, size: int, recipients: int, seconds: float
    ) -> None:
        """A message is safe on disk and its client was told so; `seconds` since its MAIL FROM."""
        self._event(
            "accepted", message,
            {"client": client, "account": account, "size": size, "recipients": recipients, "ms": _ms(seconds)},
        )  # fmt: skip

    def accepted_before(self, message: MessageId, *, client: str, account: AccountId) -> None:
        """A client that cannot have read the first answer sent this message again: it is told its id, and nothing is
        sent twice.
        """
        self._event("accepted_before", message, {"client": client, "account": account})

    def renamed(self, message: MessageId, *, client: str, account: AccountId, old: str) -> None:
        """A message still came from an `old` address that its account replaces; it goes out as the account's own."""
        self._event("renamed", message, {"client": client, "account": account, "old": old})

    def refused(
        self, message: MessageId | None, *, client: str | None, peer: str, stage: str, reply: str,
        account: AccountId | None = None, sender: str | None = None, cause: str | None = None,
    ) -> None:  # fmt: skip
        """A client was refused something; `peer` is its network address, `reply` what it was told, `account` whose
        mail it was, where that is known, `sender` the address as which a client that is known may not send, `cause`
        what the store said where it kept the relay from it.
        """
        tried = None if sender is None else sender[:SENDER_MOST]
        fields = {"client": client, "account": account, "sender": tried, "peer": peer, "stage": stage}
        fields["reply"] = masked(reply)
        fields["cause"] = cause
        self._event("refused", message, fields)

    def handshake_failed(self, *, listener: str, peer: str, cause: str) -> None:
        """A client came to no agreement on TLS and is gone."""
        self._event("handshake_failed", None, {"listener": listener, "peer": peer, "cause": cause})

    def left_unsaid(self, *, count: int) -> None:
        """So many lines about strangers (`refused`, `handshake_failed` without a client) were not written."""
        self._event("left_unsaid", None, {"count": count})

    def attempted(self, message: MessageId, claim: Claim, result: Result, *, seconds: float) -> None:
        """One try of one delivery ended; the event is what became of it, `class` what the reply means: what the bounce
        guard keeps back is `held` or `aside`, not `bounced`.
        """
        self._event(
            result.verdict, message,
            {
                "delivery": claim.delivery, "account": claim.account, "provider": claim.mailbox.provider,
                "lane": claim.lane, "tries": claim.tries, "class": result.reply_class, "stage": result.stage,
                "reply": _said(result.reply), "ms": _ms(seconds),
            },
        )  # fmt: skip

    def given_up(self, message: MessageId, *, delivery: DeliveryId, account: AccountId, reason: str | None) -> None:
        """A delivery is over without success: refused for good, or its time ended while this held it up."""
        self._event("given_up", message, {"delivery": delivery, "account": account, "reason": reason})

    def held(self, message: MessageId, *, delivery: DeliveryId, account: AccountId, reason: str | None) -> None:
        """A delivery waits for a person."""
        self._event("delivery_held", message, {"delivery": delivery, "account": account, "reason": reason})

    def left_in_doubt(self, message: MessageId, *, delivery: DeliveryId, account: AccountId) -> None:
        """An attempt passed the gate and nobody knows how it ended: the delivery may arrive twice."""
        self._event("left_in_doubt", message, {"delivery": delivery, "account": account})

    def claim_lost(self, message: MessageId, *, delivery: DeliveryId, account: AccountId) -> None:
        """The store took a delivery away from this node."""
        self._event("claim_lost", message, {"delivery": delivery, "account": account})

    def reported(self, message: MessageId, *, about: MessageId, account: AccountId, reason: str) -> None:
        """A report to a sender was put into the queue: a bounce, a notice of delay, or that a mail was passed on."""
        self._event("reported", message, {"about": about, "account": account, "reason": reason})

    def report_skipped(self, message: MessageId, *, account: AccountId, cause: str) -> None:
        """A delivery failed and nobody is told by mail, for this cause."""
        self._event("report_skipped", message, {"account": account, "cause": cause})

    # what happens upstream

    def session_opened(self, mailbox: MailboxId, *, seconds: float) -> None:
        """A login worked."""
        self._event("session_opened", None, {**_of(mailbox), "ms": _ms(seconds)})

    def session_closed(self, mailbox: MailboxId, *, messages: int) -> None:
        """A session ended after so many messages."""
        self._event("session_closed", None, {**_of(mailbox), "messages": messages})

    def login_failed(
        self, mailbox: MailboxId, *, reply_class: str, reason: str, stage: Stage, reply: Reply | None
    ) -> None:
        """A session could not be opened; `reason` is the class, or finer than it (tls-expired, tls-wrong-name, ...)."""
        details = {"class": reply_class, "reason": reason, "stage": stage, "reply": _said(reply)}
        self._event("login_failed", None, {**_of(mailbox), **details})

    def token_refused(self, mailbox: MailboxId, *, reason: str, said: str) -> None:
        """No access token was granted; `said` are the names and numbers of the answer, or the kind of failure."""
        self._event("token_refused", None, {**_of(mailbox), "reason": reason, "said": said})

    def health_changed(self, *, provider: str, mailbox: str | None, health: str | None) -> None:
        """A mailbox, or a provider's host (mailbox None), stopped or works again."""
        self._event("health_changed", None, {"provider": provider, "mailbox": mailbox, "health": health})

    def stranded(self, *, account: str, reason: str | None) -> None:
        """An account that has sent before goes nowhere now (no-account, no-credentials), or (null) somewhere again."""
        self._event("account_stranded", None, {"account": account, "reason": reason})

    def account_changed(self, *, account: str, what: str | None) -> None:
        """A person paused or resumed an account, said that it is mended, or set its password: what, and who."""
        self._event("account_changed", None, {"account": account, "what": what})

    def account_tested(self, *, account: str, finding: str, reason: str | None, by: str) -> None:
        """A person tried an account's mailbox; why it does not work, or was not tried (null: it works)."""
        self._event("account_tested", None, {"account": account, "finding": finding, "reason": reason, "by": by})

    def reply_unmasked(self, message: MessageId, *, account: str, by: str) -> None:
        """A person read what the provider said about this message in its own words, with whom it names; never what."""
        self._event("reply_unmasked", message, {"account": account, "by": by})

    # who is told of it

    def noticed(
        self, letter: MessageId | None, notice: Notice, *, told: str, reader: str, road: str | None, why: str | None
    ) -> None:
        """A `reader` (doctor, vendor, ops) was told by this `road` (mail: the id is the mail's; webhook), or was not,
        and `why`; his address is not said. `account` is the first of those that it is about.
        """
        self._event(
            "notice", letter,
            {
                "notice": notice.id, "type": notice.type, "result": told, "reader": reader, "road": road,
                "provider": notice.provider, "mailbox": notice.mailbox, "account": next(iter(notice.accounts), None),
                "reason": notice.reason, "why": why,
            },
        )  # fmt: skip

    # what happens to the service

    def starting(self, *, version: str, config: str, settings: Fields) -> None:
        """The process has read its configuration; `settings` is what it says, without secrets."""
        self._event("starting", None, {"version": version, "config": config, **settings})

    def recovered(self, *, in_doubt: int) -> None:
        """The store is open; so many attempts of the last run are in doubt."""
        self._event("recovered", None, {"in_doubt": in_doubt})

    def listening(self, *, what: str, address: str) -> None:
        """A socket is bound."""
        self._event("listening", None, {"what": what, "address": address})

    def ready(self, *, seconds: float) -> None:
        """Mail is accepted and delivered."""
        self._event("ready", None, {"ms": _ms(seconds)})

    def routing_applied(
        self, *, version: int, accounts: int, mailboxes: int, providers: int, by: str | None = None
    ) -> None:
        """A routing is in force; where another node put it there, `by` which one."""
        fields = {"version": version, "accounts": accounts, "mailboxes": mailboxes, "providers": providers, "by": by}
        self._event("routing_applied", None, fields)

    def routing_refused(self, problems: Iterable[str], *, running: int | None) -> None:
        """An edit was refused; the routing of version `running` stays in force."""
        for problem in problems:
            self._event("routing_refused", None, {"problem": problem, "running": running})

    def keys_changed(self, *, what: str, key: str | None, place: str | None, resealed: int) -> None:
        """A person rotated or retired (`what`) the `key` with this id at this `place`, or a start finished a rotation
        that was cut short; so many secrets and parts of the routing were encrypted anew.
        """
        self._event("keys_changed", None, {"what": what, "key": key, "place": place, "resealed": resealed})

    def certificate_applied(self, *, expires_at: float) -> None:
        """The listeners show this certificate to clients from now on."""
        expires = datetime.fromtimestamp(expires_at, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        self._event("certificate_applied", None, {"expires": expires})

    def certificate_refused(self, *, problem: str) -> None:
        """A new certificate cannot be used; the one before is still shown."""
        self._event("certificate_refused", None, {"problem": problem})

    def config_warned(self, problem: str) -> None:
        """The configuration is usable, but."""
        self._event("config_warned", None, {"problem": problem})

    def trouble(self, *, what: str, text: str) -> None:
        """This node cannot do something that it should."""
        self._event("trouble", None, {"what": what, "text": text})

    def recovered_from(self, *, what: str) -> None:
        """A trouble is over."""
        self._event("trouble_over", None, {"what": what})

    def stopping(self, *, cause: str) -> None:
        """The service begins to stop."""
        self._event("stopping", None, {"cause": cause})

    def stopped(self, *, seconds: float, cut_short: int) -> None:
        """Everything is closed; so many attempts had to be cut short."""
        self._event("stopped", None, {"ms": _ms(seconds), "cut_short": cut_short})

    def failed(self, *, what: str, error: BaseException, message: MessageId | None = None) -> None:
        """Something failed in a way that nobody foresaw."""
        self._event("failed", message, {"what": what, "error": where(error)})

    def _event(self, event: str, message: MessageId | None, fields: Fields) -> None:
        self._write(self._form({"time": self._stamp(), "event": event, "id": message, **fields}))

    def _stamp(self) -> str:
        now = self._clock()
        second = int(now)
        if second != self._second:
            self._second = second
            self._prefix = datetime.fromtimestamp(second, UTC).strftime("%Y-%m-%dT%H:%M:%S")
        return f"{self._prefix}.{int((now - second) * 1000):03d}Z"


def _ms(seconds: float) -> float:
    return round(seconds * 1000, 1)


def _said(reply: Reply | None) -> str | None:
    return None if reply is None else str(reply)


def _of(mailbox: MailboxId) -> dict[str, str]:
    return {"provider": mailbox.provider, "mailbox": mailbox.username}
