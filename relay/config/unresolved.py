"""Warns of credentials that are not there: a reference that gives no secret, an account without one.

Law: these concern one account, client or provider each, so they never refuse the routing.
"""

from collections.abc import Sequence, Set

from relay.config.accounts import Worked
from relay.config.part import Entry, Part
from relay.config.problems import Problem, Report
from relay.config.references import Resolve, is_missing
from relay.core.routing import Auth, Routing, SecretKind, SecretReference


def credential_problems(
    routing: Routing, parts: Sequence[Part], worked: Sequence[Worked], resolve: Resolve
) -> list[Problem]:
    """One warning for each credential that is missing, at its place."""
    problems: list[Problem] = []
    shared = {mailbox for mailbox, accounts in routing.by_mailbox.items() if len(accounts) > 1}
    is_open = {name for name, provider in routing.providers.items() if provider.auth is not Auth.PASSWORD}
    is_strange = {name for name, each in routing.providers.items() if each.auth is Auth.OAUTH2 and each.oauth is None}
    for part, own in zip(parts, worked, strict=True):
        report = Report(part.file)
        _check_services(part, report, resolve)
        for sender, secret in own.references:  # a hundred thousand of them: the loop does little
            outcome = resolve(secret)
            if is_missing(outcome) and own.accounts[sender].mailbox.provider not in is_open:
                mark = part.accounts[sender].mark("password")
                report.warning(mark, f"{outcome.reason}: this account is held as no-credentials")
        for sender in own.without:
            mailbox = own.accounts[sender].mailbox
            if mailbox.provider not in is_open and routing.password_of(mailbox) is None:
                mark = part.accounts[sender].marks[""]
                report.warning(mark, "no password: this account is held as no-credentials until it has one")
        if is_strange:
            _check_clients(part, own, report, is_strange)
        if shared:
            _check_shared(routing, part, own, report)
        problems += report.problems
    return problems


def _check_clients(part: Part, own: Worked, report: Report, is_strange: Set[str]) -> None:
    """Accounts of a provider with OAuth2 that does not know the relay."""
    for sender, account in own.accounts.items():
        name = account.mailbox.provider
        if name in is_strange:
            text = f"provider {name!r} has no `oauth:` with a client_id: this account is held until it has"
            report.warning(part.accounts[sender].mark("provider"), text)


def _check_shared(routing: Routing, part: Part, own: Worked, report: Report) -> None:
    """Accounts of one mailbox are one login: a second password would never be used."""
    for sender, account in own.accounts.items():
        if account.password not in (None, routing.password_of(account.mailbox)):
            mark = part.accounts[sender].mark("password")
            report.warning(mark, "another account of the same mailbox has another password; that one is used")


def _check_services(part: Part, report: Report, resolve: Resolve) -> None:
    for name, entry in part.clients.items():
        secret = (entry.values or {}).get("password")
        _check(secret, entry, "password", effect=f"nobody can log in as {name!r}", report=report, resolve=resolve)
    for name, entry in part.providers.items():
        secret = (entry.values or {}).get("oauth", {}).get("client_secret")
        _check(secret, entry, "oauth", effect=f"no OAuth2 at provider {name!r}", report=report, resolve=resolve)


def _check(
    secret: SecretReference | None, entry: Entry, key: str, *, effect: str, report: Report, resolve: Resolve
) -> None:
    if secret is None or secret.kind is SecretKind.LITERAL:
        return
    outcome = resolve(secret)
    if is_missing(outcome):
        report.warning(entry.mark(key), f"{outcome.reason}: {effect}")
