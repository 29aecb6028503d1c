"""A provider turns on one mailbox in the words of a wrong address: its mail is kept, a neighbour's goes on."""

import json
import smtplib
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.integration.relay_process import PATIENCE, Folder, RelayProcess
from tests.integration.sandbox_peer import SandboxProcess

ANNA, BRUNO = "anna@d.test", "bruno@d.test"
UNREAD = "550 5.1.1 Nix da, probier es anders"
"""A code that speaks of the recipient, and words that no rule reads."""


@pytest.fixture
def lab(tmp_path: Path) -> Iterator[tuple[RelayProcess, Folder]]:
    with ExitStack() as stack:
        sandbox = SandboxProcess("--reply", f"rcpt@{ANNA}:{UNREAD}*3")
        stack.callback(sandbox.kill)
        folder = Folder(tmp_path, provider=sandbox.port)
        relay = RelayProcess(folder.config)
        stack.callback(relay.kill)
        yield relay.wait_until_ready(), folder


def send(relay: RelayProcess, sender: str, to: str) -> str:
    """Hands in a mail of which nobody wants to hear again: a report would be refused in the same words."""
    content = f"From: {sender}\r\nTo: {to}\r\n\r\nBuongiorno\r\n"
    with smtplib.SMTP("127.0.0.1", relay.smtp, timeout=PATIENCE) as client:
        client.ehlo()
        client.mail(sender)
        client.rcpt(to, ["NOTIFY=NEVER"])
        code, reply = client.data(content)
    assert code == 250, reply
    return reply.decode().rpartition(" ")[2]


def test_the_third_in_the_same_words_is_kept_and_goes_when_its_owner_has_acted(
    lab: tuple[RelayProcess, Folder], tmp_path: Path
) -> None:
    relay, folder = lab
    for number in range(2):
        send(relay, ANNA, f"paziente{number}@example.org")
        relay.wait_for("given_up", times=number + 1, account=ANNA)
    third = send(relay, ANNA, "paziente2@example.org")
    relay.wait_for("health_changed", mailbox=ANNA, health="bounce-guard")
    assert relay.wait_for("held", id=third)["class"] == "recipient-unknown", "the line says what became of it, and why"
    assert relay.count("bounced") == 2, "as many as did"
    send(relay, BRUNO, "paziente@example.org")
    relay.wait_for("delivered", account=BRUNO)
    token = (tmp_path / "var" / "admin.token").read_text().strip()
    account = json.loads(relay.get(f"/api/v1/accounts/{ANNA}", token=token)[1])
    assert (account["health"], account["reason"], account["needs"]) == ("paused", "bounce-guard", "ops")
    message = json.loads(relay.get(f"/api/v1/messages/{third}", token=token)[1])
    assert message["state"] == "held"
    folder.set_password(ANNA, "another")
    folder.routing["accounts"][ANNA]["weight"] = 2
    folder.write()
    assert relay.wait_for("delivered", id=third)["account"] == ANNA
    assert relay.count("given_up") == 2, "what was kept back was not given up"
