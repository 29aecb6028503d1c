"""One relay process and a provider for every row, all on this machine: played once, looked at by every test.

Law: each row has a provider of its own, with the ill mailbox and a healthy neighbour, so that no row bears on another.
"""

import asyncio
import json
import threading
from collections.abc import Coroutine, Iterator, Sequence
from pathlib import Path
from typing import Any, TypeVar

from relay.sandbox import Sandbox, SandboxSettings
from relay.sandbox.journal import Record
from tests.integration.classes.table import Follows, Row
from tests.integration.relay_process import PATIENCE, Folder, RelayProcess

T = TypeVar("T")

VENDOR = "vendor@d.test"
OPS = "ops@ops.test"
PASSWORD = "file:anna@d.test.password"
QUEUE = {"retry": ["1s", "4h"]}
"""A second try at once, for what takes two; a third after the test."""
STRANGER = "stranger@d.test"
"""An innocent at a provider that nothing happens to."""


def ill(row: Row) -> str:
    """The account that meets the reply."""
    return f"ill-{row.name}@d.test"


def healthy(row: Row) -> str:
    """Its neighbour at the same provider."""
    return f"well-{row.name}@d.test"


def owner(row: Row) -> str:
    """Who is told."""
    return f"owner-{row.name}@own.test"


class Providers:
    """Sandboxes on a loop of their own, in a thread."""

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever)
        self._thread.start()
        self._sandboxes: dict[str, Sandbox] = {}

    def add(self, name: str, *replies: str) -> int:
        """Starts one; its port."""
        sandbox = Sandbox(SandboxSettings(replies=replies))
        self._do(sandbox.start())
        self._sandboxes[name] = sandbox
        return sandbox.port

    def log(self, name: str) -> list[Record]:
        """What one saw so far."""
        return list(self._sandboxes[name].log)

    def wait_for(self, name: str, event: str, **fields: object) -> list[Record]:
        """Waits until one saw this."""
        return self._do(
            self._sandboxes[name].wait_for(
                event, where=lambda record: fields.items() <= dict(record).items(), timeout=PATIENCE
            )
        )

    def stop(self) -> None:
        """All of them."""
        for sandbox in self._sandboxes.values():
            self._do(sandbox.stop())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(PATIENCE)
        self._loop.close()

    def _do(self, work: Coroutine[Any, Any, T]) -> T:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(PATIENCE + 10)


class Played:
    """The relay after it has met every row."""

    def __init__(self, relay: RelayProcess, providers: Providers, token: str) -> None:
        self.relay = relay
        self.providers = providers
        self._token = token

    def asked(self, path: str) -> dict[str, Any]:
        """An answer of the API."""
        status, body = self.relay.get(path, token=self._token)
        assert status == 200, body
        answer: dict[str, Any] = json.loads(body)
        return answer

    def account(self, sender: str) -> dict[str, Any]:
        """An account as admins see it."""
        return self.asked(f"/api/v1/accounts/{sender}")

    def delivery(self, sender: str) -> dict[str, Any]:
        """The one delivery of an account."""
        found = self.asked(f"/api/v1/messages?account={sender}")["items"]
        (message,) = [each for each in found if each["client"] != "relay"]  # beside the report on it
        (delivery,) = self.asked(f"/api/v1/messages/{message['id']}")["deliveries"]
        one: dict[str, Any] = delivery
        return one

    def provider(self, name: str) -> dict[str, Any]:
        """A provider as ops see it."""
        (found,) = [each for each in self.asked("/api/v1/status")["providers"] if each["provider"] == name]
        one: dict[str, Any] = found
        return one

    def letters(self, to: str) -> list[Record]:
        """Notices that reached somebody, by mail."""
        taken = [record for record in self.providers.log("vendor") if record["event"] == "delivered"]
        return [record for record in taken if record["rcpt"] == to]


def play(path: Path, rows: Sequence[Row]) -> Iterator[Played]:
    """Hands in a mail for each ill mailbox and then one for each healthy one, and waits until all is said."""
    providers = Providers()
    try:
        relay = RelayProcess(_folder(path, rows, providers).config).wait_until_ready()
        try:
            played = Played(relay, providers, (path / "var" / "admin.token").read_text().strip())
            for row in rows:
                relay.send(sender=ill(row))
            _wait_for_replies(relay, rows)
            for row in rows:
                relay.send(sender=healthy(row))
            relay.send(sender=STRANGER)
            yield played
        finally:
            relay.kill()
    finally:
        providers.stop()


def _folder(path: Path, rows: Sequence[Row], providers: Providers) -> Folder:
    folder = Folder(path, provider=providers.add("vendor"), notices={"from": VENDOR, "postmaster": OPS}, queue=QUEUE)
    calm = {"tls": "none", "host": "127.0.0.1"}
    for row in rows:
        user = "" if row.stage in ("connect", "ehlo") else f"@{ill(row)}"
        many = "*1" if row.follows is Follows.BOUNCED else ""  # the report on it is taken
        port = providers.add(row.name, f"{row.stage}{user}:{row.reply}{many}")
        folder.routing["providers"][row.name] = {**calm, "port": port}
        for sender in (ill(row), healthy(row)):
            who = {"name": "Dr. Test", "email": owner(row)}
            folder.routing["accounts"][sender] = {"provider": row.name, "password": PASSWORD, "owner": who}
    folder.routing["accounts"][STRANGER] = {"provider": "lab", "password": PASSWORD}
    folder.write()
    return folder


def _wait_for_replies(relay: RelayProcess, rows: Sequence[Row]) -> None:
    """Until each provider has said what it had to say, and the relay has made up its mind."""
    try:
        relay.wait_until(lambda process: not _not_met(process, rows))
    except AssertionError:
        raise AssertionError(f"never met, or taken for something else: {_not_met(relay, rows)}") from None


def _not_met(process: RelayProcess, rows: Sequence[Row]) -> list[str]:
    met = {(record.get("provider"), record.get("stage"), record.get("class")) for record in process.records}
    aside = {record.get("provider") for record in process.records if record["event"] == "aside"}
    missing = [row for row in rows if (row.name, row.stage, row.reply_class) not in met]
    return [
        row.name for row in (*missing, *(row for row in rows if row.follows is Follows.ASIDE and row.name not in aside))
    ]
