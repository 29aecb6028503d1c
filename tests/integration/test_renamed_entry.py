"""A provider entry that is renamed under a living relay: who counts is the provider, and it knows none of our names."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from relay.sandbox import judge
from relay.sandbox.journal import read_log
from tests.integration.relay_process import Folder, RelayProcess
from tests.integration.sandbox_peer import SandboxProcess

ANNA, BRUNO = "anna@d.test", "bruno@d.test"
LIMIT = 5


@pytest.fixture
def provider(tmp_path: Path) -> Iterator[SandboxProcess]:
    running = SandboxProcess("--log", str(tmp_path / "provider.jsonl"))
    yield running
    running.kill()


def test_no_name_makes_room_for_more_than_the_limit(tmp_path: Path, provider: SandboxProcess) -> None:
    folder = Folder(tmp_path, provider=provider.port)
    entry = {**folder.routing["providers"].pop("lab"), "limits": [f"{LIMIT}/1h"]}

    def call_it(name: str) -> None:
        folder.routing["providers"] = {name: entry}
        for account in folder.routing["accounts"].values():
            account["provider"] = name
        folder.write()

    call_it("first")
    relay = RelayProcess(folder.config).wait_until_ready()
    try:
        relay.send(3 * LIMIT, sender=ANNA)
        relay.wait_for("delivered", account=ANNA, times=LIMIT)
        for edits, name in enumerate(["second", "first", "third"], start=1):
            call_it(name)
            relay.wait_for("routing_applied", times=edits + 1)
            relay.send(sender=BRUNO)
            relay.wait_for("delivered", account=BRUNO, times=edits)
        relay.kill()
        relay = RelayProcess(folder.config).wait_until_ready()
        relay.send(sender=BRUNO)
        relay.wait_for("delivered", account=BRUNO)
    finally:
        relay.kill()
    sent = judge.sent(read_log(tmp_path / "provider.jsonl"))
    assert (len(sent[ANNA]), len(sent[BRUNO])) == (LIMIT, 4)
