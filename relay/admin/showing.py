"""From what the store's reading port says to the shapes of the API.

Law: it leaves nothing out and adds nothing; what the port does not say, no answer says.
"""

from relay.admin.readiness import Problem
from relay.admin.shapes import (
    Account,
    Attempt,
    Delivery,
    LimitUse,
    Message,
    Provider,
    Recipient,
    Trouble,
    moment,
    moment_or_none,
)
from relay.core.shown import AccountHealth, DeliveryState
from relay.store.ports.reading import (
    AccountView,
    AttemptView,
    DeliveryView,
    LimitView,
    MessageView,
    ProviderView,
)


def message_of(view: MessageView) -> Message:
    """A message without its deliveries."""
    return Message(
        id=view.id,
        account=view.account,
        client=view.client,
        state=DeliveryState(view.state),
        accepted_at=moment(view.accepted_at),
        size=view.size,
        dated=view.is_dated,
        deliveries=[],
    )


def account_of(view: AccountView) -> Account:
    """An account."""
    provider, username = (None, None) if view.mailbox is None else view.mailbox
    return Account(
        sender=view.sender,
        plan=view.plan,
        provider=provider,
        mailbox=username,
        health=AccountHealth(view.health),
        reason=view.reason,
        since=moment_or_none(view.since),
        eta=moment_or_none(view.eta),
        needs=view.needs,
        queued=view.queued,
        limits=[_limit_of(each) for each in view.limits],
    )


def provider_of(view: ProviderView) -> Provider:
    """A provider."""
    return Provider(
        provider=view.provider,
        health=AccountHealth(view.health),
        reason=view.reason,
        since=moment_or_none(view.since),
        eta=moment_or_none(view.eta),
        needs=view.needs,
        sessions=view.sessions,
        limits=[_limit_of(each) for each in view.limits],
        accounts=view.accounts,
    )


def trouble_of(problem: Problem) -> Trouble:
    """Something that is wrong with this node."""
    return Trouble(what=problem.what, text=problem.text, since=moment(round(problem.since * 1_000_000)))


def delivery_of(view: DeliveryView) -> Delivery:
    """A delivery."""
    return Delivery(
        recipient=Recipient(hash=view.recipient_hash, domain=view.recipient_domain),
        state=DeliveryState(view.state),
        lane=view.lane,
        reason=view.reason,
        since=moment(view.since),
        needs=view.needs,
        eta=moment_or_none(view.eta),
        bounces_at=moment_or_none(view.bounces_at),
        attempts=[_attempt_of(each) for each in view.attempts],
    )


def _attempt_of(view: AttemptView) -> Attempt:
    return Attempt(
        started_at=moment(view.started_at),
        ended_at=moment_or_none(view.ended_at),
        stage=view.stage,
        class_=view.reply_class,
        reply=view.reply,
    )


def _limit_of(view: LimitView) -> LimitUse:
    return LimitUse(limit=view.limit, used=view.used, most=view.most)
