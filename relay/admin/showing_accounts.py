"""From what store and clerk say of accounts to the shapes of the API.

Law: it leaves nothing out and adds nothing.
"""

from collections.abc import Sequence
from datetime import date
from typing import Any

from relay.admin import account_shapes as shapes
from relay.admin.clerk import Access, Done, Kept, Tried
from relay.admin.shapes import moment, moment_or_none
from relay.admin.showing import account_of
from relay.core.routing import Owner
from relay.core.shown import AccountHealth
from relay.store.ports.healths import HealthChange
from relay.store.ports.reading import AccountView, LoginWait, SaidView


def listed_of(view: AccountView) -> shapes.ListedAccount:
    """An account in a list."""
    return shapes.ListedAccount(**_listed(view))


def detail_of(view: AccountView, history: Sequence[HealthChange], access: Access) -> shapes.AccountDetail:
    """An account with all that is known of it."""
    known = view.particulars
    return shapes.AccountDetail(
        **_listed(view),
        aliases=list(known.aliases),
        replaces=[
            shapes.Replaced(address=address, until=until.isoformat()) for address, until in known.replaces.items()
        ],
        kept_here=access.is_kept_here,
        without=access.without,
        contact=access.contact,
        steps=[shapes.Step(reason=reason, text=text) for reason, text in access.steps.items()],
        last_reply=None if known.last_reply is None else _said(known.last_reply),
        login_wait=None if known.login_wait is None else _wait(known.login_wait),
        tried_at=moment_or_none(known.tried_at if known.host_tried_at is None else known.host_tried_at),
        history=[_change(each) for each in history],
    )


def _listed(view: AccountView) -> dict[str, Any]:
    known, sent, paused = view.particulars, view.particulars.sent, view.particulars.paused
    return {
        **dict(account_of(view)),
        "since": moment_or_none(known.stranded_at if view.since is None else view.since),
        "owner": _owner(known.owner),
        "retires": _day(known.retires),
        "paid_until": _day(known.paid_until),
        "paused": None if paused is None else shapes.Paused(since=moment(paused.since), why=paused.why),
        "last_sent_at": None if sent is None else moment_or_none(sent.last_at),
        "sent_7d": None if sent is None else sent.week,
        "sent_30d": None if sent is None else sent.month,
    }


def done_of(done: Done) -> shapes.Done:
    """What was done."""
    return shapes.Done(sender=done.account, changed=done.is_changed, text=done.text)


def tried_of(tried: Tried) -> shapes.TestResult:
    """What came of a trial."""
    tested = tried.tested
    return shapes.TestResult(
        sender=tested.account,
        ok=tested.is_good,
        finding=tested.finding,
        reason=tested.reason,
        stage=None if tested.stage is None else tested.stage.value,
        reply=None if tested.reply is None else str(tested.reply),
        until=moment_or_none(tested.until),
        text=tried.text,
    )


def kept_of(kept: Kept) -> shapes.SecretKept:
    """A password that was set."""
    return shapes.SecretKept(
        **dict(done_of(kept.done)), test=None if kept.tried is None else tried_of(kept.tried)
    )  # fmt: skip


def _owner(owner: Owner) -> shapes.Owner | None:
    return None if owner == Owner() else shapes.Owner(name=owner.name, email=owner.email, phone=owner.phone)


def _day(day: date | None) -> str | None:
    return None if day is None else day.isoformat()


def _change(change: HealthChange) -> shapes.HealthChange:
    return shapes.HealthChange(
        at=moment(change.at),
        health=AccountHealth(change.state.value),
        reason=change.reason,
        cause=change.cause.value,
        reply=change.reply,
        by=change.by,
    )


def _wait(wait: LoginWait) -> shapes.LoginWait:
    return shapes.LoginWait(budget=wait.budget, limit=wait.limit, until=moment(wait.until))


def _said(said: SaidView) -> shapes.Said:
    return shapes.Said(at=moment(said.at), stage=said.stage, class_=said.reply_class, reply=said.reply)
