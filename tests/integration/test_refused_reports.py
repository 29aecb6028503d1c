"""Reports and notices that their provider refuses, with the relay as a process: nobody counts as told who was not.

Law: what was refused is told another way or shown; a bounce that was none is taken back as long as nobody heard of it.
"""

import asyncio
import json
from collections.abc import AsyncIterator, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.fakes.web import WebServer, serving
from tests.integration.relay_process import PATIENCE, Folder, RelayProcess
from tests.integration.sandbox_peer import SandboxProcess

OWNER, OPS, PATIENT = "dr.anna@altrove.test", "ops@vendor.test", "paziente{}@example.org"
NOBODY = "550 5.1.1 <dr.anna@altrove.test>: no such user"
GUESSED = "550 5.7.0 Zurueckgewiesen"
"""No rule reads it: its class is guessed from the code."""


@pytest.fixture
async def hook() -> AsyncIterator[WebServer]:
    async with serving() as server:
        yield server


@contextmanager
def running(tmp_path: Path, *replies: str, **notices: object) -> Iterator[tuple[RelayProcess, Path]]:
    """A relay whose provider answers RCPT like this first; anna, bruno and vendor have mailboxes there."""
    users, inbox = tmp_path / "users", tmp_path / "inbox"
    users.write_text("".join(f"{name}@d.test:pw\n" for name in ("anna", "bruno", "vendor")))
    said = [part for reply in replies for part in ("--reply", f"rcpt:{reply}")]
    with ExitStack() as stack:
        provider = SandboxProcess("--users", str(users), "--inbox", str(inbox), *said)
        stack.callback(provider.kill)
        folder = Folder(tmp_path, provider=provider.port, notices={"from": "vendor@d.test", **notices})
        folder.routing["accounts"]["anna@d.test"]["owner"] = {"name": "Dr. Anna", "email": OWNER}
        if "postmaster" in notices:
            folder.set_password("anna@d.test", "another")
        folder.write()
        relay = RelayProcess(folder.config)
        stack.callback(relay.kill)
        relay.wait_until_ready()
        yield relay, inbox
        relay.stop()


async def until(has_come: Any) -> Any:
    """What it returns when it is something."""
    async with asyncio.timeout(PATIENCE):
        while True:
            if found := await asyncio.to_thread(has_come):
                return found
            await asyncio.sleep(0.2)


def letters_to(inbox: Path, address: str) -> list[bytes]:
    """The mails to somebody that the provider took."""
    files = [file.read_bytes() for file in inbox.rglob("*") if file.is_file()]
    return [each for each in files if f"To: {address}".encode() in each or f"<{address}>".encode() in each]


async def test_a_notice_that_the_doctors_provider_refuses_goes_to_the_vendor_and_shows(
    tmp_path: Path, hook: WebServer
) -> None:
    web = {"ops_webhook": f"http://127.0.0.1:{hook.port}/hook", "allow_private": True, "postmaster": OPS}
    with running(tmp_path, f"{NOBODY}*1", **web) as (relay, inbox):
        await asyncio.to_thread(relay.send, 1, sender="anna@d.test")
        (letter,) = await until(lambda: letters_to(inbox, OPS))
        assert b"The mail of anna@d.test does not leave" in letter
        assert letters_to(inbox, OWNER) == []
        series = 'relay_notices_total{result="unsendable",type="mailbox.stopped"}'
        assert await until(lambda: relay.metric(series)) == 1
        await until(lambda: "refused" in relay.get("/readyz")[1])
        types = await until(lambda: _types(hook) if "notice.unsendable" in _types(hook) else None)
        assert types.count("mailbox.stopped") == 1


def _types(hook: WebServer) -> list[str]:
    return [json.loads(each.body)["type"] for each in hook.requests]


async def test_a_first_mail_whose_report_was_refused_too_is_held_with_the_others_and_leaves_in_the_end(
    tmp_path: Path,
) -> None:
    with running(tmp_path, GUESSED) as (relay, _):
        for number in range(5):
            await asyncio.to_thread(relay.send, 1, to=PATIENT.format(number))
        await until(lambda: _sent_are_kept(relay, tmp_path))


def _sent_are_kept(relay: RelayProcess, folder: Path) -> bool:
    """Whether the five mails of the client, and nothing of the relay, wait or are held."""
    token = (folder / "var" / "admin.token").read_text().strip()
    _, body = relay.get("/api/v1/messages?account=anna@d.test", token=token)
    states = [each["state"] for each in json.loads(body)["items"] if "-report-" not in each["id"]]
    return len(states) == 5 and "held" in states and {*states} <= {"held", "waiting"}
