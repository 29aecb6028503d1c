"""The whole relay, killed where it hurts, and what its provider saw: nothing lost, nothing over the limit.

What the provider took twice must have been reported in doubt; the provider's log alone decides.
"""

import signal
import smtplib
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from pathlib import Path

import pytest

from relay.sandbox import judge, read_log
from relay.sandbox.journal import Record
from tests.integration.relay_process import HASTY, PATIENCE, Folder, RelayProcess
from tests.integration.sandbox_peer import SandboxProcess

MAILS = 10
POINTS = (
    "segment-written", "segment-synced", "put-recorded", "put-durable", "take-recorded", "take-durable",
    "gate-recorded", "gate-durable", "settle-recorded", "settle-durable",
)  # fmt: skip


@pytest.fixture
def provider(tmp_path: Path) -> Iterator[SandboxProcess]:
    peer = SandboxProcess("--log", str(tmp_path / "sandbox.jsonl"), "--limit", "5/1s")
    yield peer
    peer.kill()


@pytest.mark.parametrize("point", POINTS)
def test_a_relay_killed_there_has_lost_nothing_and_exceeded_nothing(
    tmp_path: Path, provider: SandboxProcess, point: str
) -> None:
    folder = Folder(tmp_path, provider=provider.port, health=HASTY)
    folder.routing["providers"]["lab"] |= {"limits": ["5/1s"], "linger": "1s", "login_limit": "1000/1m"}
    folder.write()
    with ExitStack() as stack:
        first = RelayProcess(folder.config, environ={"RELAY_CRASH_AT": f"{point}:4"})
        stack.callback(first.kill)
        accepted = _submit(first.wait_until_ready().smtp)
        assert first.wait() == -signal.SIGKILL
        second = RelayProcess(folder.config)
        stack.callback(second.kill)
        accepted |= _submit(second.wait_until_ready().smtp, first=MAILS)
        expected = {(name, "patient@example.org") for name in accepted}
        second.wait_until(lambda _: not judge.lost(_seen(tmp_path), expected))
        second.stop()
        _judge(_seen(tmp_path), doubts=first.count("left_in_doubt") + second.count("left_in_doubt"))


def _judge(records: list[Record], *, doubts: int) -> None:
    assert sum(many - 1 for many in judge.doubled(records).values()) <= doubts
    assert max(judge.worst_windows(judge.sent(records), 1.0).values()) <= 5
    assert not [record for record in records if record["event"] == "over-limit"]


def _submit(port: int, *, first: int = 0) -> set[str]:
    """Hands in mails until it is cut off; the Message-IDs of those that were answered 250."""
    accepted = set()
    with (
        suppress(OSError, smtplib.SMTPException),
        smtplib.SMTP("127.0.0.1", port, timeout=PATIENCE) as client,
    ):
        for number in range(first, first + MAILS):
            name = f"<mail-{number}@d.test>"
            text = f"From: anna@d.test\r\nMessage-ID: {name}\r\nSubject: x\r\n\r\nbody {number}\r\n"
            client.sendmail("anna@d.test", ["patient@example.org"], text)
            accepted.add(name)
    return accepted


def _seen(folder: Path) -> list[Record]:
    return read_log(folder / "sandbox.jsonl")
