"""The JSON that the API answers with, each shape a model, so that its description cannot differ from what is sent.

Law: every instant is RFC 3339 in UTC with six digits and a Z; no shape has room for a recipient's address.
"""

from datetime import UTC, datetime, timedelta
from typing import Annotated

from pydantic import BaseModel, Field, WithJsonSchema

from relay.core.remedy import Needs
from relay.core.shown import AccountHealth, DeliveryState
from relay.core.words import Lane, Plan
from relay.store.ports.nodes import NodeState, Role

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_LAST = (datetime.max.replace(tzinfo=UTC) - _EPOCH) // timedelta(microseconds=1)

Moment = Annotated[
    str,
    WithJsonSchema(
        {"type": "string", "format": "date-time", "description": "RFC 3339, UTC, six digits after the second."}
    ),
]


def moment(microseconds: int) -> Moment:
    """Wall time in microseconds since 1970 as it is written; what lies beyond the year 9999 is its end."""
    at = _EPOCH + timedelta(microseconds=min(microseconds, _LAST))
    return at.isoformat(timespec="microseconds").removesuffix("+00:00") + "Z"


def moment_or_none(microseconds: int | None) -> Moment | None:
    """The same where there may be none."""
    return None if microseconds is None else moment(microseconds)


class Recipient(BaseModel):
    """To whom: never the address."""

    hash: str = Field(description="Hexadecimal; equal for equal addresses of this relay, whatever their case.")
    domain: str


class Attempt(BaseModel):
    """One try over a session with the provider."""

    started_at: Moment
    ended_at: Moment | None = Field(description="null: it runs.")
    stage: str | None = Field(description="Where in the session its last reply was seen: mail, rcpt, data, eod, ...")
    class_: str | None = Field(serialization_alias="class", description="What the reply means: a reply class.")
    reply: str | None = Field(description="What the provider said, printable, addresses masked.")


class Delivery(BaseModel):
    """A message to one recipient: what is queued, sent, retried and reported."""

    recipient: Recipient
    state: DeliveryState
    lane: Lane
    reason: str | None = Field(
        description="Why it is not moving or how it ended: a reply class, or limit, login, queue, no-account, "
        "no-credentials, in-doubt, expired, ...; null: nothing is in its way, or it was delivered."
    )
    since: Moment = Field(description="Since when it is in this state for this reason.")
    needs: Needs | None = Field(description="Who has to act before it moves; null: nobody, time does.")
    eta: Moment | None = Field(
        description="When it leaves if nothing new happens, or is tried next; null: final, or not before somebody "
        "acts, as where that would be after the end of its lifetime. In a list of many mailboxes only the next few of "
        "each are foreseen exactly, the rest is told from the pace."
    )
    bounces_at: Moment | None = Field(
        description="When its lifetime ends, where it will not leave before unless somebody acts, or ended, where "
        "its sender had named that day and it bounced for it; null: elsewhere."
    )
    attempts: list[Attempt] = Field(description="Every try, oldest first; empty in lists, ask for the message.")


class Message(BaseModel):
    """What was accepted in one SMTP transaction."""

    id: str = Field(description="What the client was told: queued as ...")
    account: str
    client: str
    state: DeliveryState = Field(
        description="The first of sending, waiting, held, bounced, cancelled, delivered that a delivery of it is in."
    )
    accepted_at: Moment
    size: int = Field(description="Bytes.")
    dated: bool = Field(description="Its sender named its deadline (X-Relay-Valid-Until): its lifetime ends then.")
    deliveries: list[Delivery]


class Messages(BaseModel):
    """A page of messages, newest first."""

    items: list[Message]
    next_cursor: str | None = Field(description="Ask with cursor= this for the next page; null: this was the last.")


class LimitUse(BaseModel):
    """A limit, and how much of it is used."""

    limit: str = Field(description="As routing.yaml writes it: 150/20m.")
    used: int = Field(description="Recipients that count in it now.")
    most: int = Field(description="What it allows now: less than it says while it is slowed.")


class Account(BaseModel):
    """A sender, with the health of the mailbox that it sends through."""

    sender: str
    plan: Plan | None = Field(description="null: no routing names it any more, only its mail is left.")
    provider: str | None
    mailbox: str | None = Field(description="The login at the provider.")
    health: AccountHealth
    reason: str | None = Field(description="Why it is not ok.")
    since: Moment | None
    eta: Moment | None = Field(
        description="When the last of what it has queued will have left or, while somebody has to act, when it is "
        "tried next; null: nothing queued, or not before somebody acts."
    )
    needs: Needs | None = Field(description="Who has to act; null: nobody, time does.")
    queued: int = Field(description="Deliveries that are waiting, sending or held.")
    limits: list[LimitUse]


class Listener(BaseModel):
    """Where the relay listens."""

    what: str = Field(description="smtp or http.")
    address: str


class Node(BaseModel):
    """A relay process that works on the same store, as it said itself."""

    node: str = Field(description="Its identity, which it keeps over restarts.")
    name: str = Field(description="Of its machine.")
    role: Role
    version: str
    started_at: Moment
    last_seen: Moment = Field(description="When it last said how it is; it does every 20 s.")
    state: NodeState = Field(description="silent: not heard of for a minute, without having said that it stops.")
    listeners: list[str] = Field(description="smtp HOST:PORT, http HOST:PORT.")
    sessions: int = Field(description="Open with providers.")
    under_way: int = Field(description="Attempts.")


class Queue(BaseModel):
    """What is queued for a provider."""

    provider: str = Field(description="`none`: of accounts that no routing names any more.")
    waiting: int
    sending: int
    held: int
    oldest_seconds: float | None = Field(description="Age of the oldest of them; null: there is none.")


class AccountCount(BaseModel):
    """How many accounts of a plan have this health."""

    plan: Plan
    health: AccountHealth
    accounts: int


class Provider(BaseModel):
    """A provider's host, its total limits, and the sessions that are open with it."""

    provider: str
    health: AccountHealth
    reason: str | None
    since: Moment | None
    eta: Moment | None = Field(description="When its host is tried next; null: it is well.")
    needs: Needs | None
    sessions: int
    limits: list[LimitUse]
    accounts: int = Field(description="Accounts that send through it: while it is stopped, their mail waits.")


class Trouble(BaseModel):
    """Something that is wrong, and since when."""

    what: str
    text: str
    since: Moment


class Readiness(BaseModel):
    """Whether this node can do its work, and everything that is wrong."""

    ready: bool
    problems: list[Trouble]


class Status(Readiness):
    """The relay on one page."""

    version: str
    node: str = Field(description="The node that answers.")
    role: Role
    started_at: Moment
    listeners: list[Listener]
    nodes: list[Node] = Field(description="All that were heard of within a day, by name.")
    queue: list[Queue]
    accounts: list[AccountCount]
    providers: list[Provider]
    troubled: list[Account] = Field(
        description="The first hundred accounts that are not ok: paused, waiting, slowed, doubted, then those that are "
        "retired and have mail queued."
    )
