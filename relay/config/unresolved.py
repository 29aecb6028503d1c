"""Warns of credentials that are not there: a reference that gives no secret, an account without one.

Law: these concern one account, client or provider each, so they never refuse the routing.
"""

from collections.abc import Iterable, Iterator

from relay.config.part import Entry, Part
from relay.config.problems import Problem, Report
from relay.config.references import Resolve, Unresolved
from relay.core.routing import Auth, Routing, SecretKind, SecretReference


def warn_of_credentials(routing: Routing, parts: Iterable[Part], resolve: Resolve) -> Iterator[Problem]:
    """One warning for each credential that is missing, at its place."""
    for part in parts:
        report = Report(part.file)
        for name, entry in part.accounts.items():
            _warn_account(routing, name, entry, report, resolve)
        for name, entry in part.clients.items():
            _warn(entry, "password", f"nobody can log in as {name!r}", report, resolve)
        for name, entry in part.providers.items():
            _warn_provider(name, entry, report, resolve)
        yield from report.problems


def _warn_account(routing: Routing, sender: str, entry: Entry, report: Report, resolve: Resolve) -> None:
    account = routing.accounts[sender]
    if routing.provider_of(account.mailbox).auth is Auth.NONE:
        return
    used = routing.password_of(account.mailbox)
    if used is None:
        report.warning(entry.marks[""], "no password: this account is held as no-credentials until it has one")
    elif account.password is not None and account.password != used:
        text = "another account of the same mailbox has another password; that one is used"
        report.warning(entry.mark("password"), text)
    else:
        _warn(entry, "password", "this account is held as no-credentials", report, resolve)


def _warn_provider(name: str, entry: Entry, report: Report, resolve: Resolve) -> None:
    secret = (entry.values or {}).get("oauth", {}).get("client_secret")
    _warn_of(secret, entry, "oauth", f"no OAuth2 at provider {name!r}", report, resolve)


def _warn(entry: Entry, key: str, effect: str, report: Report, resolve: Resolve) -> None:
    _warn_of((entry.values or {}).get(key), entry, key, effect, report, resolve)


def _warn_of(
    secret: SecretReference | None, entry: Entry, key: str, effect: str, report: Report, resolve: Resolve
) -> None:
    if secret is None or secret.kind is SecretKind.LITERAL:
        return
    outcome = resolve(secret)
    if isinstance(outcome, Unresolved):
        report.warning(entry.mark(key), f"{outcome.reason}: {effect}")
