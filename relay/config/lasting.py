"""What entries of the routing say of time, held against the queue's own spans and today's date.

Law: these are warnings alone, at their places: such an entry works, but not as whoever wrote it thinks.
"""

from collections.abc import Iterable
from datetime import date

from relay.config.entries import DEFAULT_ON_PAUSED, HOLD_THEN_REJECT
from relay.config.part import Entry, Part
from relay.config.problems import Problem, Report
from relay.config.service import Queue
from relay.config.values import print_duration


def lasting_problems(parts: Iterable[Part], queue: Queue, today: date) -> list[Problem]:
    """A warning for each span that outlasts its mail, and for each paid term and each old address that is over."""
    problems: list[Problem] = []
    for part in parts:
        report = Report(part.file)
        for entries in (part.plans, part.accounts):
            for entry in entries.values():
                _check(entry, queue, today, report)
        problems += report.problems
    return problems


def _check(entry: Entry, queue: Queue, today: date, report: Report) -> None:
    values = entry.values or {}
    lifetime = values.get("lifetime", queue.lifetime)
    if lifetime > max(queue.lifetime, queue.hold_lifetime):
        text = f"longer than queue.hold_lifetime ({print_duration(queue.hold_lifetime)})"
        report.warning(entry.mark("lifetime"), f"{text}: so late the sender hears that a mail never arrived")
    paused = values.get("on_paused", DEFAULT_ON_PAUSED)
    longest = max(lifetime, queue.hold_lifetime)
    if paused.action == HOLD_THEN_REJECT and paused.after > longest and "on_paused" in values:
        text = f"mail of a paused mailbox bounces after {print_duration(longest)}, before clients hear of the pause"
        report.warning(entry.mark("on_paused"), text)
    paid_until = values.get("paid_until")
    if paid_until is not None and paid_until < today:
        report.warning(entry.mark("paid_until"), f"the paid term was over on {paid_until}: its provider may stop it")
    for old, until in values.get("replaces", {}).items():
        if until < today:
            report.warning(entry.mark(f"address {old.lower()}"), f"{old} has been refused since {until} was over")
