"""A kill after the mail of a notice, before or after it counts as said: its reader is told, and not twice."""

from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.integration.relay_process import HASTY, Folder, RelayProcess
from tests.integration.sandbox_peer import SandboxProcess

OWNER, FENCE = "dr.anna@altrove.test", "fence@example.org"


def mails_to(inbox: Path, address: str) -> list[bytes]:
    """Those that the provider took."""
    found = [file.read_bytes() for file in sorted(inbox.rglob("*")) if file.is_file()]
    return [content for content in found if address.encode() in content]


@pytest.mark.parametrize("point", ["put-durable:2", "note-durable"])
def test_a_kill_beside_a_word_tells_its_reader_once(tmp_path: Path, point: str) -> None:
    users, inbox = tmp_path / "users", tmp_path / "inbox"
    users.write_text("".join(f"{name}@d.test:pw\n" for name in ("anna", "bruno", "vendor")))
    with ExitStack() as stack:
        provider = SandboxProcess("--users", str(users), "--inbox", str(inbox))
        stack.callback(provider.kill)
        folder = Folder(tmp_path, provider=provider.port, notices={"from": "vendor@d.test"}, health=HASTY)
        folder.routing["accounts"]["anna@d.test"]["owner"] = {"name": "Dr. Anna", "email": OWNER}
        folder.set_password("anna@d.test", "another")
        folder.write()
        first = RelayProcess(folder.config, environ={"RELAY_CRASH_AT": point})
        stack.callback(first.kill)
        first.wait_until_ready().send(sender="anna@d.test")
        assert first.wait() != 0, "it died where it was told to"

        second = RelayProcess(folder.config)
        stack.callback(second.kill)
        second.wait_until_ready()
        letter = second.wait_for("delivered", account="vendor@d.test")["id"]
        second.send(sender="bruno@d.test", to=FENCE)
        second.wait_for("delivered", account="bruno@d.test")
        second.stop()
    assert len(mails_to(inbox, FENCE)) == 1
    assert len(mails_to(inbox, OWNER)) == 1
    told = [each for each in second.records if each["event"] == "notice"]
    assert [(each["id"], each["type"], each["reader"]) for each in told] in (
        [],
        [(letter, "mailbox.stopped", "doctor")],
    )
    assert OWNER not in "".join([*first.lines, *second.lines])
