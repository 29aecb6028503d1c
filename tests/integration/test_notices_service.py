"""Notices of the relay as a process: a wrong password is told to its owner and to ops, once, by roads that work."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import ExitStack
from datetime import datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from tests.fakes.web import WebServer, serving
from tests.integration.relay_process import PATIENCE, Folder, RelayProcess
from tests.integration.sandbox_peer import SandboxProcess

OWNER, PATIENT = "dr.anna@altrove.test", "paziente@example.org"


@pytest.fixture
async def hook() -> AsyncIterator[WebServer]:
    async with serving() as server:
        yield server


async def until_told(inbox: Path) -> bytes:
    """The first mail to the owner that the provider took."""
    async with asyncio.timeout(PATIENCE):
        while True:
            for file in sorted(inbox.rglob("*")):
                if file.is_file() and OWNER.encode() in (content := file.read_bytes()):
                    return content
            await asyncio.sleep(0.1)


async def test_a_wrong_password_is_told_to_its_owner_and_to_ops(tmp_path: Path, hook: WebServer) -> None:
    users, inbox = tmp_path / "users", tmp_path / "inbox"
    users.write_text("".join(f"{name}@d.test:pw\n" for name in ("anna", "bruno", "vendor")))
    with ExitStack() as stack:
        provider = SandboxProcess("--users", str(users), "--inbox", str(inbox))
        stack.callback(provider.kill)
        notices = {"from": "vendor@d.test", "ops_webhook": f"http://127.0.0.1:{hook.port}/hook", "allow_private": True}
        folder = Folder(tmp_path, provider=provider.port, notices=notices, contact="Assistenza 0974 0")
        folder.routing["accounts"]["anna@d.test"]["owner"] = {"name": "Dr. Anna", "email": OWNER}
        folder.set_password("anna@d.test", "another")
        folder.write()
        relay = RelayProcess(folder.config)
        stack.callback(relay.kill)
        await asyncio.to_thread(relay.wait_until_ready)
        await asyncio.to_thread(relay.send, 3, sender="anna@d.test", to=PATIENT)

        letter = await until_told(inbox)
        await asyncio.wait_for(hook.asked.wait(), PATIENCE)
        await asyncio.to_thread(relay.stop)

    assert b"From: Mail service <vendor@d.test>" in letter
    assert b"Subject: The mail of anna@d.test does not leave" in letter
    assert b"Assistenza 0974 0" in letter
    event = json.loads(hook.requests[0].body)
    assert event["type"] == "mailbox.stopped"
    assert (event["data"]["mailbox"], event["data"]["reason"]) == ("anna@d.test", "auth-rejected")
    said = letter.decode() + hook.requests[0].body.decode() + "".join(relay.lines)
    assert PATIENT not in said
    assert "Ricetta segreta" not in said
    assert len(hook.requests) == 1, "of one trouble one word"


async def test_a_paid_term_that_ends_is_told_to_the_vendor(tmp_path: Path) -> None:
    users, inbox = tmp_path / "users", tmp_path / "inbox"
    users.write_text("".join(f"{name}@d.test:pw\n" for name in ("anna", "bruno", "vendor")))
    ends = datetime.now(ZoneInfo("Europe/Rome")).date() + timedelta(days=5)
    with ExitStack() as stack:
        provider = SandboxProcess("--users", str(users), "--inbox", str(inbox))
        stack.callback(provider.kill)
        folder = Folder(tmp_path, provider=provider.port, notices={"from": "vendor@d.test", "postmaster": OWNER})
        folder.routing["accounts"]["bruno@d.test"] |= {"plan": "business", "paid_until": ends.isoformat()}
        folder.write()
        relay = RelayProcess(folder.config)
        stack.callback(relay.kill)
        await asyncio.to_thread(relay.wait_until_ready)
        letter = await until_told(inbox)
        assert f"The paid term of bruno@d.test ends on {ends:%Y-%m-%d}" in letter.decode().replace("\r\n ", " ")
        metric = asyncio.to_thread(relay.metric, 'relay_notices_total{result="mailed",type="account.paid_until"}')
        assert await metric == 1
        await asyncio.to_thread(relay.stop)
    told = [each for each in relay.records if each["event"] == "notice" and each["type"] == "account.paid_until"]
    assert [(each["reader"], each["road"], each["account"]) for each in told] == [("vendor", "mail", "bruno@d.test")]
    assert OWNER not in "".join(relay.lines)
