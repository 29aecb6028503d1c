"""One relay process and a provider for every row, all on this machine: played once, looked at by every test.

Law: each row has a provider of its own, with the ill mailbox and a healthy neighbour, so that no row bears on another.
"""

import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from tests.integration.classes.outside import Outside
from tests.integration.classes.table import BEFORE_LOGIN, OPS, OWNER, VENDOR, Follows, Row
from tests.integration.relay_process import Folder, RelayProcess
from tests.misfortune.certificates import make

NOTICES_FROM = "vendor@d.test"
POSTMASTER = "ops@ops.test"
"""Where the vendor reads, and ops where they have no webhook."""
PASSWORD = "file:anna@d.test.password"
QUEUE = {"retry": ["1s", "4h"]}
"""A second try at once, for what takes two; a third after the test."""
THEIRS = "vendor"
"""The provider through which notices leave, and who is innocent."""
STRANGER = "stranger@d.test"
"""An innocent at a provider that nothing happens to."""
PATIENT = "paziente@example.org"


def ill(row: Row) -> str:
    """The account that meets the reply."""
    return f"ill-{row.name}@d.test"


def healthy(row: Row) -> str:
    """Its neighbour at the same provider."""
    return f"well-{row.name}@d.test"


def owner(row: Row) -> str:
    """Who is told."""
    return f"owner-{row.name}@own.test"


class Played:
    """The relay after it has met every row."""

    def __init__(
        self, relay: RelayProcess, outside: Outside, rows: Sequence[Row], *, token: str, has_webhook: bool
    ) -> None:
        self.relay = relay
        self.outside = outside
        self.messages: dict[str, str] = {}
        """The one that each ill account has handed in, by sender."""
        self._rows = rows
        self._token = token
        self._has_webhook = has_webhook
        self._metrics: dict[str, str] = {}
        self._providers: dict[str, dict[str, Any]] = {}
        self._seen: dict[str, dict[str, Any]] = {}
        self._letters: Counter[tuple[str, str]] | None = None

    def asked(self, path: str) -> dict[str, Any]:
        """An answer of the API."""
        status, body = self.relay.get(path, token=self._token)
        assert status == 200, body
        answer: dict[str, Any] = json.loads(body)
        return answer

    def _asked_once(self, path: str) -> dict[str, Any]:
        if path not in self._seen:
            self._seen[path] = self.asked(path)
        return self._seen[path]

    def look(self) -> None:
        """Keeps what is shown of every row now: on a slow machine some are tried again before a test asks."""
        for row in self._rows:
            self.provider(row.name)
            if row.follows.times == 1:
                self.account(ill(row))
                self.delivery(ill(row))

    def account(self, sender: str) -> dict[str, Any]:
        """An account as admins see it."""
        return self._asked_once(f"/api/v1/accounts/{sender}")

    def delivery(self, sender: str) -> dict[str, Any]:
        """The one delivery of an account."""
        (delivery,) = self._asked_once(f"/api/v1/messages/{self.messages[sender]}")["deliveries"]
        one: dict[str, Any] = delivery
        return one

    def provider(self, name: str) -> dict[str, Any]:
        """A provider as ops see it, when all was met."""
        if not self._providers:
            self._providers = {each["provider"]: each for each in self.asked("/api/v1/status")["providers"]}
        return self._providers[name]

    def has_counted(self, *series: str) -> bool:
        """Whether one of these series is above zero; what was counted once stays counted."""
        if not self._is_above_zero(series):
            self._metrics = dict(line.rsplit(" ", 1) for line in self.relay.get("/metrics")[1].splitlines())
        return self._is_above_zero(series)

    def _is_above_zero(self, series: Sequence[str]) -> bool:
        return any(float(self._metrics.get(each, 0)) > 0 for each in series)

    def wait_until_met(self, row: Row) -> None:
        """Until it was met so often that nothing changes any more."""
        if row.follows.times > 1:  # once it was before anybody looked
            self.relay.wait_until(lambda process: _times_met(process, row) >= row.follows.times)

    def letters(self, to: str) -> list[str]:
        """The subjects of the notices that somebody got, when everybody was told who is to be."""
        if self._letters is None:
            with suppress(TimeoutError):  # waited for once: each row says what is missing
                self._wait_until_told()
            self._letters = self.outside.letters()
        return sorted(subject for reader, subject in self._letters.elements() if reader == to)

    def heard(self, row: Row) -> list[dict[str, Any]]:
        """What the webhook of ops was told about a row, when all was said."""
        self.letters(POSTMASTER)
        return [event for event in self.outside.heard() if event["data"]["provider"] == row.name]

    def _wait_until_told(self) -> None:
        told = [(row, reader) for row in self._rows for reader in row.notices.values()]
        if self._has_webhook:
            self.outside.wait_until_heard(len(told))
        for row, reader in told:
            if reader is OWNER:
                self.outside.wait_for(THEIRS, "delivered", rcpt=owner(row))
        at_postmaster = {VENDOR} if self._has_webhook else {VENDOR, OPS}
        many = sum(reader in at_postmaster for _, reader in told)
        self.outside.wait_for(THEIRS, "delivered", count=many, rcpt=POSTMASTER)


def play(path: Path, rows: Sequence[Row], *, has_webhook: bool) -> Iterator[Played]:
    """Hands in a mail for each ill mailbox and then one for each healthy one, and waits until all is said."""
    outside = Outside(path / "inbox", make(path, name="127.0.0.1"))
    try:
        relay = RelayProcess(_folder(path, rows, outside, has_webhook=has_webhook).config).wait_until_ready()
        try:
            token = (path / "var" / "admin.token").read_text().strip()
            played = Played(relay, outside, rows, token=token, has_webhook=has_webhook)
            for row in rows:
                (played.messages[ill(row)],) = relay.send(sender=ill(row), to=PATIENT)
            _wait_for_replies(relay, rows)
            played.look()
            for row in rows:
                relay.send(sender=healthy(row), to=PATIENT)
            relay.send(sender=STRANGER, to=PATIENT)
            yield played
        finally:
            relay.kill()
    finally:
        outside.stop()


def _folder(path: Path, rows: Sequence[Row], outside: Outside, *, has_webhook: bool) -> Folder:
    hook = {"ops_webhook": outside.hook, "allow_private": True} if has_webhook else {}
    notices = {"from": NOTICES_FROM, "postmaster": POSTMASTER, **hook}
    folder = Folder(path, provider=outside.add(THEIRS), notices=notices, queue=QUEUE)
    for row in rows:
        folder.routing["providers"][row.name] = _entry(path, row, outside)
        for sender in (ill(row), healthy(row)):
            who = {"name": "Dr. Test", "email": owner(row)}
            folder.routing["accounts"][sender] = {"provider": row.name, "password": PASSWORD, "owner": who}
    folder.routing["accounts"][STRANGER] = {"provider": "lab", "password": PASSWORD}
    folder.write()
    return folder


def _entry(path: Path, row: Row, outside: Outside) -> dict[str, object]:
    """The provider of a row."""
    user = "" if row.stage in BEFORE_LOGIN else f"@{ill(row)}"
    many = "*1" if row.is_said_once else ""
    has_starttls = row.stage == "starttls"
    port = outside.add(row.name, f"{row.stage}{user}:{row.reply}{many}", has_starttls=has_starttls)
    tls = {"tls": "starttls", "tls_ca": str(path / "authority.pem")} if has_starttls else {"tls": "none"}
    return {"host": "127.0.0.1", "port": port, **tls}


def _wait_for_replies(relay: RelayProcess, rows: Sequence[Row]) -> None:
    """Until each provider has said what it had to say, and the relay has made up its mind."""
    try:
        relay.wait_until(lambda process: not _not_met(process, rows))
    except AssertionError:
        raise AssertionError(f"never met, or taken for something else: {_not_met(relay, rows)}") from None


def _met(record: Mapping[str, Any]) -> tuple[object, ...]:
    return record.get("provider"), record.get("stage"), record.get("class")


def _times_met(process: RelayProcess, row: Row) -> int:
    return [_met(record) for record in process.records].count((row.name, row.stage, row.reply_class))


def _not_met(process: RelayProcess, rows: Sequence[Row]) -> list[str]:
    met = {_met(record) for record in process.records}
    aside = {record.get("provider") for record in process.records if record["event"] == "aside"}
    changed = {(each["provider"], each["health"]) for each in process.records if each["event"] == "health_changed"}
    is_missing = [
        (row.name, row.stage, row.reply_class) not in met
        or (row.follows.stops and (row.name, row.shown) not in changed)
        for row in rows
    ]
    return [
        row.name
        for row, is_unmet in zip(rows, is_missing, strict=True)
        if is_unmet or (row.follows is Follows.ASIDE and row.name not in aside)
    ]
