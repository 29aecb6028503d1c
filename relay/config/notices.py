"""Checks of `notices:` that need several of its keys, or the secret that one of them names.

Law: an address to which nothing would ever be sent is an error; a notice that cannot be signed is a warning, because
whoever is told late is worse off than who is told unsigned.
"""

from collections.abc import Callable

from relay.config.entry_checks import warn_of_clear
from relay.config.problems import Mark, Report
from relay.config.references import Resolve, Unresolved, is_missing
from relay.config.service import Notices
from relay.core.routing import Routing, SecretReference
from relay.core.webhooks import is_weak, read_keys
from relay.core.weburl import parse_web_url, url_problem
from relay.core.words import Plan

UNSIGNED = "what is sent to ops_webhook is not signed"

WEAK = "a secret of less than 24 or more than 64 octets: receivers may refuse it"

MarkOf = Callable[[str], Mark]
"""Where the value of a key stands."""


def check_notices(notices: Notices, mark_of: MarkOf, report: Report, resolve: Resolve) -> None:
    """Reports what is wrong with the webhooks."""
    for key, address in (("heartbeat_webhook", notices.heartbeat_webhook), ("ops_webhook", notices.ops_webhook)):
        problem = (
            None if address is None else url_problem(parse_web_url(address), is_private_allowed=notices.allow_private)
        )
        if problem is not None:
            report.error(mark_of(key), problem)
    if notices.ops_webhook_secret is not None:
        _check_secret(notices.ops_webhook_secret, mark_of("ops_webhook_secret"), report, resolve)
        if notices.ops_webhook is None:
            report.warning(mark_of("ops_webhook_secret"), "it signs nothing: there is no ops_webhook")
    elif notices.ops_webhook is not None:
        report.warning(mark_of("ops_webhook"), f"no ops_webhook_secret: {UNSIGNED}, so anybody can send its like")


def check_roads(notices: Notices, routing: Routing, mark_of: MarkOf, report: Report) -> None:
    """Warns of people who have to be told and cannot be; nothing where nobody is to be told at all."""
    if notices.sender is None:
        if notices.postmaster is not None:
            report.warning(mark_of("postmaster"), "no mail goes there: `from` does not say through which account")
        return
    if routing.account_of(notices.sender) is None:
        text = f"{notices.sender} is no account of the routing: no notice leaves by mail"
        report.warning(mark_of("from"), text)
    if notices.postmaster is None:
        report.warning(mark_of("from"), "no postmaster: what the vendor has to mend is told to nobody by mail")
    unheard = [each.sender for each in routing.accounts.values() if each.plan is Plan.PERSONAL and not each.owner.email]
    if unheard:
        who = unheard[0] if len(unheard) == 1 else f"{unheard[0]} and {len(unheard) - 1} more"
        instead = "nobody" if notices.postmaster is None else "the postmaster"
        report.warning(mark_of("from"), f"personal accounts without `owner.email`, for whom {instead} is told: {who}")


def keys_of(reference: SecretReference, resolve: Resolve) -> tuple[bytes, ...] | Unresolved:
    """The keys that sign, or why there are none."""
    secret = resolve(reference)
    if isinstance(secret, Unresolved):
        return secret
    try:
        return read_keys(secret)
    except ValueError as error:
        return Unresolved(str(error))


def _check_secret(reference: SecretReference, mark: Mark, report: Report, resolve: Resolve) -> None:
    warn_of_clear(reference, mark, report)
    keys = keys_of(reference, resolve)
    if is_missing(keys):
        report.warning(mark, f"{keys.reason}: {UNSIGNED}")
    elif not isinstance(keys, Unresolved) and is_weak(keys):
        report.warning(mark, WEAK)
